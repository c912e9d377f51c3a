/*
 * step.c: the wait for the next request of a connection: what is gathered
 * leaves, then a head is waited for. One operation, attempted again until there
 * is a request or the connection has ended.
 */
#include "http.h"

#include <errno.h>
#include <llhttp.h>
#include <string.h>

/* ------------------------------------------------------ what has come ---- */

static int
take_head(ql_http_exchange_t *x)
{
    ql_buffer_t *in = &x->conn->in;
    int rc;

    if (ql_buffer_unread(in) == 0) {
        return NGX_AGAIN;
    }
    if (x->m == NULL || x->m->size != 0) {
        if (ql__http_receive(x) != NGX_OK) {
            x->conn->rop.err = ENOMEM;
            return NGX_ERROR;
        }
    }
    rc = ql_http_head(x->m, ql_buffer_bytes(in), ql_buffer_unread(in));
    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }
    x->method = x->m->method;
    x->minor = x->m->minor;
    if (rc == NGX_ERROR && ql__http_is_http2(x)) {
        x->conn->rop.err = EPROTONOSUPPORT;
        return NGX_ERROR;
    }
    if (rc == NGX_ERROR) {
        ql__http_turn_away(x, x->m->error);
        return NGX_OK;
    }
    x->keep = x->m->keep_alive && x->conn->messages + 1 < x->config->requests;
    x->expect = x->m->expect;
    x->begun = 0;
    x->bytes = 0;
    x->state = QL_HTTP_READY;
    return NGX_OK;
}

static void
drop_failed(ql_http_exchange_t *x)
{
    x->keep = 0;
    x->linger = 1;
    x->state = QL_HTTP_CLOSING;
}

/* The rest of a body that its handler has not read. */
static int
drop_rest(ql_http_exchange_t *x)
{
    ql_buffer_t *in = &x->conn->in;
    ql_http_span_t piece;
    uint32_t used;
    int rc;

    for (;;) {
        rc = ql_http_body(x->m, ql_buffer_bytes(in), ql_buffer_unread(in),
                          &used, &piece);
        ql_buffer_consume(in, used);
        x->bytes += used;
        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }
        if (rc == NGX_ERROR || x->bytes > QL_HTTP_DROPPED) {
            drop_failed(x);
            return NGX_OK;
        }
        if (rc == NGX_DONE) {
            ql__http_over(x);
            x->state = QL_HTTP_RECEIVING;
            return NGX_OK;
        }
    }
}

int
ql__http_advance(ql_http_exchange_t *x)
{
    int rc = NGX_OK;

    while (rc == NGX_OK) {
        if (x->state == QL_HTTP_RECEIVING) {
            rc = take_head(x);
        } else if (x->state == QL_HTTP_DROPPING) {
            rc = drop_rest(x);
        } else {
            return NGX_OK;
        }
    }
    return rc;
}

/* ------------------------------------------------------------- receive ---- */

static int
ended(ql_conn_t *conn, int err)
{
    conn->rop.err = err;
    return NGX_ERROR;
}

/* No byte of a message is there. */
static int
wait_idle(ql_conn_t *conn)
{
    if (ql_stopping(conn->rop.lua)) {
        return ended(conn, QL_E_STOPPING);
    }
    return ql__http_park(conn, &conn->c->read, QL_HTTP_NOTHING);
}

/* NGX_OK: more bytes have come. */
static int
receive(ql_conn_t *conn)
{
    ql_http_exchange_t *x = ql__http_exchange(conn);
    ssize_t n;

    if (x != NULL && x->state == QL_HTTP_RECEIVING
        && ql_buffer_unread(&conn->in) == 0)
    {
        ql__http_end(x, x->config);
        x = NULL;
    }
    n = conn->eof ? 0 : ql__http_recv(conn);
    if (n == 0) {
        conn->eof = 1;
        return ended(conn, QL_E_CLOSED);
    }
    if (n == NGX_AGAIN && x == NULL) {
        return wait_idle(conn);
    }
    if (n == NGX_AGAIN) {
        return ql__http_park(conn, &conn->c->read,
                             x->state == QL_HTTP_DROPPING ? QL_HTTP_REST
                                                          : QL_HTTP_HEAD);
    }
    conn->rop.progress = 0;
    return n > 0 ? NGX_OK : NGX_ERROR;
}

/* -------------------------------------------------------------- attempt ---- */

/* Pipelined answers leave together, unless there are many of them by now. */
bool
ql__http_may_go_on(const ql_http_exchange_t *x)
{
    return x->state == QL_HTTP_READY
        && ql_buffer_unread(&x->cork.out) < QL_HTTP_GATHERED;
}

/* A long body leaves before the next head is looked at: what that may be
 * answered is gathered, and what is gathered leaves first. */
static int
serve(ql_conn_t *conn)
{
    int rc, sent;

    for (;;) {
        ql_http_exchange_t *x = ql__http_exchange(conn);

        rc = NGX_AGAIN;
        if (x == NULL && ql_buffer_unread(&conn->in) > 0) {
            x = ql__http_begin(conn, ql__http_config(conn), true);
            if (x == NULL) {
                return ended(conn, ENOMEM);
            }
        }
        if (x != NULL) {
            sent = x->tail_size > 0 ? ql__http_flush(x) : NGX_OK;
            if (sent != NGX_OK) {
                return sent;
            }
            rc = ql__http_advance(x);
            if (rc == NGX_ERROR || (rc == NGX_OK && ql__http_may_go_on(x))) {
                return rc;
            }
            sent = ql__http_flush(x);
            if (sent != NGX_OK) {
                return sent;
            }
        }
        if (rc == NGX_OK) {
            return x->state == QL_HTTP_READY ? NGX_OK : ql__http_linger(x);
        }
        rc = receive(conn);
        if (rc != NGX_OK) {
            return rc;
        }
    }
}

static int
step_attempt(ql_op_t *op)
{
    ql_conn_t *conn = ql__reader(op);
    int rc = serve(conn);

    if (rc != NGX_AGAIN) {
        ql__http_unpark(conn);
    }
    return rc;
}

void
ql__http_step_cancel(ql_op_t *op)
{
    ql__http_unpark(ql__reader(op));
}

/* ----------------------------------------------------------------- push ---- */

/* The head did not come in time: the close sends that, as far as it can. Behind
 * an answer that did not leave in time it would be taken for its body. */
static void
tell_timeout(ql_conn_t *conn)
{
    ql_http_exchange_t *x = ql__http_exchange(conn);

    if (x == NULL) {
        return;
    }
    x->config->http->stats.timeouts++;
    if (x->state == QL_HTTP_RECEIVING && x->phase == QL_HTTP_HEAD
        && ql_buffer_unread(&conn->in) > 0)
    {
        x->method = HTTP_GET;
        x->minor = 1;
        ql__http_turn_away(x, 408);
    }
}

int
ql__http_step_fail(lua_State *L, ql_conn_t *conn, int err)
{
    if (err == QL_E_TIMEOUT) {
        tell_timeout(conn);
    }
    return ql_push_error(L, err);
}

/* Data wins: a request that has come by now, though epoll has not said so yet,
 * is to be answered. */
static int
step_look_again(ql_conn_t *conn)
{
    int rc;

    conn->c->read.ready = 1; /* so that the kernel is asked */
    conn->c->read.available = -1;
    rc = serve(conn);
    ql__http_unpark(conn);
    if (rc == NGX_AGAIN) {
        conn->rop.err = QL_E_STOPPING;
    }
    return rc == NGX_OK ? NGX_OK : NGX_ERROR;
}

static int
step_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_conn_t *conn = ql__reader(op);
    int n;

    if (conn->handle.closed) {
        return ql_push_error(L, conn->handle.closed);
    }
    if (rc != NGX_OK && op->err == QL_E_STOPPING) {
        rc = step_look_again(conn);
    }
    if (rc != NGX_OK) {
        return ql__http_step_fail(L, conn, op->err);
    }
    n = ql__http_hand_out(L, ql__http_exchange(conn));
    return n > 0 ? n : ql_push_error(L, conn->handle.closed);
}

void
ql__http_step_describe(ql_op_t *op, char *text, size_t size)
{
    ql_conn_t *conn = ql__reader(op);

    ql__http(conn)->stream->describe_peer(
        conn, op->idle ? "HTTP request, from" : "HTTP, with", text, size);
}

static const ql_op_type_t step_op = {"step",    step_attempt,
                                     step_push, ql__http_step_cancel,
                                     NULL,      ql__http_step_describe};

/* The usual case, looked at here. */
static bool
reads(const ql_conn_t *conn)
{
    return conn->handle.closed == 0 && conn->protocol != NULL
        && !ql__reader_busy(conn) && !conn->rop.pushing && !conn->rbroken;
}

int
ql__http_reader_error(lua_State *L, ql_conn_t *conn)
{
    if (reads(conn)) {
        return 0;
    }
    if (conn->handle.closed == 0 && conn->protocol == NULL) {
        return QL_E_CLOSED; /* hijacked */
    }
    return ql_http(L)->stream->reader_error(L, conn);
}

/* step(conn) -> serial, method's number, head, path, [query] of the next request;
 *    or true, when nobody looks at it
 *  | nil, err, CODE: the connection has ended, or speaks HTTP/2
 *    (EPROTONOSUPPORT) */
static int
http_step(lua_State *L)
{
    ql_http_t *http = ql_http(L);
    ql_conn_t *conn = ql__http_connection(L, http, "step");
    int err = ql__http_reader_error(L, conn);

    if (err != 0) {
        return ql_return(L, http->lua, ql_push_error(L, err));
    }
    lua_settop(L, 1);
    conn->rop.type = &step_op;
    return ql_await(L, &conn->rop, 1);
}

const luaL_Reg ql__http_step_functions[] = {{"step", http_step}, {NULL, NULL}};
