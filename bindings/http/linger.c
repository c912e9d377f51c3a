/*
 * linger.c: the end of a connection behind its last answer. A close while the
 * client still sends would reset the connection, and with it what the client
 * has not read of the answer.
 */
#include "http.h"

#include "core/sys.h"

#include <sys/socket.h>

enum {
    LINGER_BYTES = 1 << 20 /* read behind the last answer, at most */
};

static int
ended(ql_conn_t *conn)
{
    conn->rop.err = QL_E_CLOSED;
    return NGX_ERROR;
}

int
ql__http_linger(ql_http_exchange_t *x)
{
    ql_conn_t *conn = x->conn;
    ql_connection_t *c = conn->c;
    ssize_t n = 1;

    if (x->state == QL_HTTP_CLOSING) {
        if (!x->linger || conn->eof) {
            return ended(conn);
        }
        x->state = QL_HTTP_LINGERING;
        x->bytes = 0;
        if (c->io->finish == NULL || c->io->finish(c) != NGX_AGAIN) {
            (void) ql_loop_sys(c->loop)->shutdown(c->fd, SHUT_WR);
        }
        conn->wbroken = 1;
    }
    while (n > 0 && x->bytes < LINGER_BYTES) {
        ql_buffer_consume(&conn->in, ql_buffer_unread(&conn->in));
        ql_buffer_settle(&conn->core->buffers, &conn->in);
        n = ql__http_recv(conn);
        x->bytes += n > 0 ? (uint64_t) n : 0;
    }
    if (n == NGX_AGAIN && !ql_stopping(conn->rop.lua)) {
        return ql__http_park(conn, &c->read, QL_HTTP_END);
    }
    return ended(conn);
}
