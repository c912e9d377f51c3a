/*
 * response.c: the head of a response, for a client: what it sends is its own
 * business.
 */
#include "http.h"

#include <errno.h>
#include <string.h>

static int
response_head(ql_http_exchange_t *x)
{
    ql_conn_t *conn = x->conn;
    ssize_t n;
    int rc;

    for (;;) {
        rc = NGX_AGAIN;
        if (ql_buffer_unread(&conn->in) > 0) {
            rc = ql_http_head(x->m, ql_buffer_bytes(&conn->in),
                              ql_buffer_unread(&conn->in));
        }
        if (rc == NGX_ERROR) {
            conn->rop.err = EBADMSG;
        }
        if (rc != NGX_AGAIN) {
            return rc;
        }
        n = conn->eof ? 0 : ql__http_recv(conn);
        if (n == 0) {
            conn->eof = 1;
            conn->rop.err = QL_E_CLOSED;
            return NGX_ERROR;
        }
        if (n == NGX_AGAIN) {
            return ql_park(&conn->c->read, ql__http(conn)->stream->on_readable,
                           &conn->rop);
        }
        if (n < 0) {
            return NGX_ERROR;
        }
    }
}

static int
response_attempt(ql_op_t *op)
{
    ql_conn_t *conn = ql__reader(op);
    int rc = response_head(ql__http_exchange(conn));

    if (rc != NGX_AGAIN) {
        ql__http_unpark(conn);
    }
    return rc;
}

static void
response_cancel(ql_op_t *op)
{
    ql__http_unpark(ql__reader(op));
}

static int
response_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_conn_t *conn = ql__reader(op);
    ql_http_exchange_t *x = ql__http_exchange(conn);
    int n;

    if (conn->handle.closed || x == NULL) {
        return ql_push_error(L, conn->handle.closed ? conn->handle.closed
                                                    : QL_E_CLOSED);
    }
    if (rc != NGX_OK && op->err == EBADMSG) {
        lua_pushnil(L);
        lua_pushfstring(L, "bad response: %s", x->m->why);
        lua_pushliteral(L, "EBADMSG");
        return 3;
    }
    if (rc != NGX_OK) {
        return ql_push_error(L, op->err);
    }
    n = ql__http_push(L, x);
    if (n == 0) {
        return ql_push_error(L, conn->handle.closed);
    }
    x->state = QL_HTTP_OUT;
    x->config->http->stats.responses++;
    return n;
}

static void
response_describe(ql_op_t *op, char *text, size_t size)
{
    ql_conn_t *conn = ql__reader(op);

    ql__http(conn)->stream->describe_peer(conn, "HTTP response, from", text,
                                          size);
}

static const ql_op_type_t response_op = {"response",    response_attempt,
                                         response_push, response_cancel,
                                         NULL,          response_describe};

/* A message to receive, on a connection that has none yet, or another one. */
static int
response_begin(ql_conn_t *conn, ql_http_config_t *config)
{
    ql_http_exchange_t *x = ql__http_exchange(conn);

    if (conn->protocol != NULL && (x == NULL || x->server)) {
        return QL_E_BUSY_READING;
    }
    if (x == NULL) {
        x = ql__http_begin(conn, config, false);
        return x != NULL ? 0 : ENOMEM;
    }
    if (x->state == QL_HTTP_RECEIVING) {
        return 0; /* the last attempt ended by its timeout */
    }
    ql__http_discard(x);
    ql__http_over(x);
    x->state = QL_HTTP_RECEIVING;
    return ql__http_receive(x) == NGX_OK ? 0 : ENOMEM;
}

/* response(conn, config, [method]) -> serial, status, head | nil, err, CODE: 1xx
 * come as messages of their own */
static int
http_response(lua_State *L)
{
    ql_http_t *http = ql_http(L);
    ql_conn_t *conn = ql__http_connection(L, http, "response");
    ql_http_config_t *config = ql__http_config_check(L, 2, "response");
    const char *method = lua_tostring(L, 3);
    ql_http_exchange_t *x;
    int err = http->stream->reader_error(L, conn);

    if (err == 0) {
        err = response_begin(conn, config);
    }
    if (err != 0) {
        return ql_return(L, http->lua, ql_push_error(L, err));
    }
    x = ql__http_exchange(conn);
    x->bytes = 0;
    if (method != NULL && strcmp(method, "HEAD") == 0) {
        ql_http_message_bodyless(x->m);
    }
    conn->rop.type = &response_op;
    lua_settop(L, 1);
    return ql_await(L, &conn->rop, 1);
}

/* bodyless(conn): the response that is out has none: it grants a CONNECT */
static int
http_bodyless(lua_State *L)
{
    ql_conn_t *conn = ql__http_connection(L, ql_http(L), "bodyless");
    ql_http_exchange_t *x = ql__http_exchange(conn);

    if (x != NULL && x->m != NULL) {
        ql_http_message_bodyless(x->m);
    }
    return 0;
}

/* release(conn) -> may the connection be used again? Its last message is over,
 * and nothing of it is kept. */
static int
http_release(lua_State *L)
{
    ql_conn_t *conn = ql__http_connection(L, ql_http(L), "release");
    ql_http_exchange_t *x = ql__http_exchange(conn);
    bool again = false;

    if (x != NULL && !x->server && !ql__reader_busy(conn)) {
        ql__http_discard(x);
        again = x->state == QL_HTTP_OUT && !conn->eof
             && ql_buffer_unread(&conn->in) == 0
             && (x->m == NULL || (x->m->ended && x->m->keep_alive));
        ql__http_end(x, NULL);
        ql_buffer_settle(&conn->core->buffers, &conn->in);
    }
    lua_pushboolean(L, again);
    return 1;
}

const luaL_Reg ql__http_response_functions[] = {{"response", http_response},
                                                {"bodyless", http_bodyless},
                                                {"release", http_release},
                                                {NULL, NULL}};
