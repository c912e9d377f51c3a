/*
 * hijack.c: the connection goes back to the script, with what is unread.
 */
#include "http.h"

#include <errno.h>
#include <string.h>

bool
ql__http_is_http2(const ql_http_exchange_t *x)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n";
    const ql_buffer_t *in = &x->conn->in;
    const uint32_t n = sizeof(preface) - 1;

    return x->config->http2 && x->conn->messages == 0
        && ql_buffer_unread(in) >= n
        && memcmp(ql_buffer_bytes(in), preface, n) == 0;
}

/* hijack(conn) -> true | nil, err, CODE: what is gathered has to be sent
 * first. Of an idle server's connection, too. */
static int
http_hijack(lua_State *L)
{
    ql_conn_t *conn = ql__http_connection(L, ql_http(L), "hijack");
    ql_http_exchange_t *x = ql__http_exchange(conn);

    if (conn->handle.closed) {
        return ql_push_error(L, conn->handle.closed);
    }
    if (ql__reader_busy(conn)) {
        return ql_push_error(L, QL_E_BUSY_READING);
    }
    if (x != NULL && x->server && ql_buffer_unread(&x->cork.out) > 0) {
        return ql_push_error(L, QL_E_BUSY_WRITING);
    }
    if (x != NULL) {
        ql__http_discard(x);
        ql__http_end(x, NULL);
    } else if (conn->protocol != NULL) {
        conn->protocol->close(conn);
    }
    conn->rop.timeout = QL_TIMER_INFINITE;
    conn->wop.timeout = QL_TIMER_INFINITE;
    ql_buffer_settle(&conn->core->buffers, &conn->in);
    lua_pushboolean(L, 1);
    return 1;
}

const luaL_Reg ql__http_hijack_functions[] = {{"hijack", http_hijack},
                                              {NULL, NULL}};
