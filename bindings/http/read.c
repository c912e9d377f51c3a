/*
 * read.c: reads the body of the message that is out, piece by piece or whole.
 */
#include "http.h"

#include <errno.h>

enum {
    PATIENCE = 5 /* s before a body's rate is looked at */
};

/* ------------------------------------------------------------- attempt ---- */

/* The client may send the body. */
static int
go_ahead(ql_http_exchange_t *x)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";

    x->expect = 0;
    if (ql_buffer_unread(&x->conn->in) > 0) {
        return NGX_OK;
    }
    return ql__http_put(x, line, sizeof(line) - 1) == NGX_OK
             ? NGX_OK
             : ql__http_body_fail(x, ENOMEM);
}

static bool
too_slow(const ql_http_exchange_t *x)
{
    uint64_t s = (ql_nsec(x->conn->c->loop) - x->began) / 1000000000;

    return x->server && s >= PATIENCE && x->bytes / s < x->config->rate;
}

/* NGX_OK: more bytes, or the end, have come. */
static int
receive(ql_http_exchange_t *x)
{
    ql_conn_t *conn = x->conn;
    ssize_t n = conn->eof ? 0 : ql__http_recv(conn);

    if (n == 0) {
        conn->eof = 1;
        return ql_http_eof(x->m) == NGX_OK ? NGX_OK
                                           : ql__http_body_fail(x, QL_E_CLOSED);
    }
    if (n == NGX_AGAIN) {
        return ql_park(&conn->c->read, ql__http(conn)->stream->on_readable,
                       &conn->rop);
    }
    if (n > 0 && too_slow(x)) {
        return ql__http_body_fail(x, QL_E_TIMEOUT);
    }
    return n > 0 ? NGX_OK : NGX_ERROR;
}

static int
read_on(ql_http_exchange_t *x)
{
    size_t share = QL__TURN_BYTES;
    int rc;

    for (;;) {
        rc = x->whole ? ql__http_next_whole(x) : ql__http_next_piece(x);
        if (rc != NGX_AGAIN) {
            return rc == NGX_DONE ? NGX_OK : rc;
        }
        rc = x->expect ? go_ahead(x) : NGX_OK;
        if (rc == NGX_OK && x->server) {
            rc = ql__http_flush(x);
        }
        if (rc != NGX_OK) {
            return rc;
        }
        if (share == 0) {
            return ql__http(x->conn)->stream->park_next(
                &x->conn->c->read, ql__http(x->conn)->stream->on_readable);
        }
        rc = receive(x);
        if (rc != NGX_OK) {
            return rc;
        }
        share -= share < QL_BUFFER_SIZE ? share : QL_BUFFER_SIZE;
    }
}

static int
read_attempt(ql_op_t *op)
{
    ql_conn_t *conn = ql__reader(op);
    int rc = read_on(ql__http_exchange(conn));

    if (rc != NGX_AGAIN) {
        ql__http_unpark(conn);
    }
    return rc;
}

static void
read_cancel(ql_op_t *op)
{
    ql__http_unpark(ql__reader(op));
}

/* ---------------------------------------------------------------- push ---- */

static int
read_fail(lua_State *L, ql_conn_t *conn, int err)
{
    ql_http_exchange_t *x = ql__http_exchange(conn);

    if (err == QL_E_TIMEOUT && x != NULL) {
        x->keep = 0;
        x->config->http->stats.timeouts++;
    }
    if (err == EMSGSIZE) {
        lua_pushnil(L);
        lua_pushliteral(L, "body too large");
        lua_pushliteral(L, "EMSGSIZE");
        return 3;
    }
    return ql_push_error(L, err);
}

/* A finaliser may close the connection while a string is made: the exchange
 * is another's then. */
static int
push_piece(lua_State *L, ql_conn_t *conn, ql_http_exchange_t *x)
{
    uint32_t n = x->piece.size < x->max ? x->piece.size : x->max;

    if (n == 0) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushlstring(L, ql_buffer_bytes(&conn->in) + x->piece.at, n);
    if (!conn->handle.closed) {
        ql__http_piece_used(x, n);
    }
    return 1;
}

static int
push_whole(lua_State *L, ql_conn_t *conn, ql_http_exchange_t *x)
{
    ql_buffer_t body = x->body;

    if (body.data == NULL) {
        x->max = UINT32_MAX;
        if (x->piece.size > 0) {
            return push_piece(L, conn, x);
        }
        lua_pushliteral(L, "");
        return 1;
    }
    x->body = (ql_buffer_t){.data = NULL};
    lua_pushlstring(L, ql_buffer_bytes(&body), ql_buffer_unread(&body));
    ql_buffer_release(&conn->core->buffers, &body);
    return 1;
}

static int
read_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_conn_t *conn = ql__reader(op);
    ql_http_exchange_t *x = ql__http_exchange(conn);
    int n;

    if (conn->handle.closed || x == NULL) {
        return ql_push_error(L, conn->handle.closed ? conn->handle.closed
                                                    : QL_E_CLOSED);
    }
    if (rc != NGX_OK) {
        n = read_fail(L, conn, op->err);
    } else {
        n = x->whole ? push_whole(L, conn, x) : push_piece(L, conn, x);
    }
    if (conn->handle.closed) {
        ql_buffer_release(&conn->core->buffers, &conn->in);
    } else if (ql_buffer_settle(&conn->core->buffers, &conn->in), x->server) {
        ql__http_watch(x);
    }
    return n;
}

static void
read_describe(ql_op_t *op, char *text, size_t size)
{
    ql_conn_t *conn = ql__reader(op);

    ql__http(conn)->stream->describe_peer(conn, "HTTP body, from", text, size);
}

static const ql_op_type_t read_op = {"read",      read_attempt, read_push,
                                     read_cancel, NULL,         read_describe};

/* --------------------------------------------------------- functions ---- */

static int
read_start(lua_State *L, ql_conn_t *conn, ql_http_exchange_t *x)
{
    if (x->server) {
        ql__http_unwatch(x);
        conn->rop.timeout = x->config->body_timeout;
    }
    if (x->bytes == 0) {
        x->began = ql_nsec(conn->c->loop);
    }
    conn->rop.type = &read_op;
    return ql_await(L, &conn->rop, lua_gettop(L));
}

/* The exchange whose body may be read now; NULL: err says why not. */
static ql_http_exchange_t *
check_reading(lua_State *L, const char *method, int *err)
{
    ql_http_t *http = ql_http(L);
    ql_conn_t *conn = ql__http_connection(L, http, method);
    ql_http_exchange_t *x = ql__http_exchange(conn);

    *err = http->stream->reader_error(L, conn);
    if (*err == 0 && (x == NULL || x->state != QL_HTTP_OUT)) {
        *err = QL_E_CLOSED;
    }
    return *err == 0 ? x : NULL;
}

/* Does the head say that more than n bytes are still to come? */
static bool
too_long(const ql_http_exchange_t *x, uint64_t n)
{
    return x->m != NULL && !x->m->chunked && x->m->left > n;
}

/* read(conn, [max]) -> the next bytes of the body | nil: it has ended | nil,
 * err, CODE */
static int
http_read(lua_State *L)
{
    int err;
    ql_http_exchange_t *x = check_reading(L, "read", &err);

    if (x == NULL) {
        return ql_return(L, ql_http(L)->lua, ql_push_error(L, err));
    }
    if (too_long(x, x->config->body_max - x->bytes)) {
        return ql_return(L, ql_http(L)->lua, read_fail(L, x->conn, EMSGSIZE));
    }
    x->whole = 0;
    x->max = lua_isnoneornil(L, 2)
               ? UINT32_MAX
               : (uint32_t) ql_check_whole(L, 2, "n", "read", 1, QL_BUFFER_MAX);
    lua_settop(L, 1);
    return read_start(L, x->conn, x);
}

/* body(conn, max|nil) -> what is left of the body, at most max bytes, by default
 * what the server allows | nil, err, CODE */
static int
http_body(lua_State *L)
{
    int err;
    ql_http_exchange_t *x = check_reading(L, "body", &err);
    lua_Number max;

    if (x == NULL) {
        return ql_return(L, ql_http(L)->lua, ql_push_error(L, err));
    }
    x->whole = 1;
    max = lua_isnoneornil(L, 2) ? (lua_Number) x->config->body
                                : lua_tonumber(L, 2);
    x->limit = max < QL_BUFFER_MAX ? (uint64_t) max : QL_BUFFER_MAX;
    if (too_long(x, x->limit)) {
        return ql_return(L, ql_http(L)->lua, read_fail(L, x->conn, EMSGSIZE));
    }
    lua_settop(L, 1);
    return read_start(L, x->conn, x);
}

/* trailers(conn) -> table of those that came behind the body */
static int
http_trailers(lua_State *L)
{
    const ql_conn_t *conn = ql__http_connection(L, ql_http(L), "trailers");
    const ql_http_exchange_t *x = ql__http_exchange(conn);

    lua_newtable(L);
    if (x != NULL && x->trailer != NULL) {
        ql__http_join_fields(L, x->trailer, x->m->fields + x->m->count,
                             x->m->trailers);
    }
    return 1;
}

const luaL_Reg ql__http_read_functions[] = {{"read", http_read},
                                            {"body", http_body},
                                            {"trailers", http_trailers},
                                            {NULL, NULL}};
