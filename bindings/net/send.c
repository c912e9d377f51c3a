/*
 * send.c: writes. A string goes out from Lua's own memory; the pieces of a
 * table go out in one call, and only what is left of them is copied.
 */
#include "../core/gather.h"
#include "connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static ql_conn_t *
writer(ql_op_t *op)
{
    return ql_queue_data(op, ql_conn_t, wop);
}

static void
on_writable(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    ql_conn_t *conn = c->data;

    ql_op_ready(&conn->wop);
}

/* ---------------------------------------------------------- attempt ---- */

static void
send_advance(ql_conn_t *conn, size_t n)
{
    conn->out.sent += n;
    conn->out.left -= n;
    conn->wop.progress = 1;
}

/* The pieces' memory is the caller's only now: what is left is copied. */
static int
send_gathered(ql_conn_t *conn)
{
    ql_out_t *out = &conn->out;
    const ql_gather_t *gather = out->gather;
    ssize_t n = conn->c->io->send_chain(conn->c, gather->iov, gather->pieces);

    out->gather = NULL;
    if (n == NGX_ERROR) {
        conn->wop.err = conn->c->err;
        return NGX_ERROR;
    }
    if (n > 0) {
        send_advance(conn, (size_t) n);
    }
    if (out->left == 0) {
        return NGX_OK;
    }
    out->copy = malloc(out->left);
    if (out->copy == NULL) {
        conn->wop.err = ENOMEM;
        return NGX_ERROR;
    }
    ql_gather_copy(gather, out->copy, out->sent);
    out->data = out->copy;
    return NGX_OK;
}

static int
send_rest(ql_conn_t *conn)
{
    ql_out_t *out = &conn->out;
    size_t share = QL__TURN_BYTES;

    while (out->left > 0) {
        size_t size = out->left < share ? out->left : share;
        ssize_t n;

        if (size == 0) {
            return ql__park_next(&conn->c->write, on_writable);
        }
        n = conn->c->io->send(conn->c, out->data, size);
        if (n == NGX_ERROR) {
            conn->wop.err = conn->c->err;
            return NGX_ERROR;
        }
        if (n <= 0) {
            return ql__park(&conn->c->write, on_writable, &conn->wop);
        }
        out->data += n;
        share -= (size_t) n;
        send_advance(conn, (size_t) n);
    }
    return NGX_OK;
}

static int
send_attempt(ql_op_t *op)
{
    ql_conn_t *conn = writer(op);
    int rc = NGX_OK;

    if (conn->out.gather != NULL) {
        rc = send_gathered(conn);
    }
    if (rc == NGX_OK) {
        rc = send_rest(conn);
    }
    if (rc != NGX_AGAIN) {
        ql__unpark_event(conn->c->loop, &conn->c->write);
    }
    conn->wbroken = rc == NGX_ERROR;
    return rc;
}

/* A message of which nothing has left can be sent anew. */
static void
send_cancel(ql_op_t *op)
{
    ql_conn_t *conn = writer(op);

    ql__unpark_event(conn->c->loop, &conn->c->write);
    conn->wbroken = conn->out.sent > 0 || conn->c->held;
}

static void
send_free(ql_op_t *op)
{
    ql_conn_t *conn = writer(op);

    if (conn->out.copy != NULL) {
        free(conn->out.copy);
        conn->out.copy = NULL;
    }
}

static int
send_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_conn_t *conn = writer(op);

    send_free(op); /* now: what follows may raise */
    lua_pushnumber(L, (lua_Number) conn->out.sent);
    return rc == NGX_OK ? 1 : ql_push_error_partial(L, op->err);
}

static void
send_describe(ql_op_t *op, char *text, size_t size)
{
    ql_conn_t *conn = writer(op);
    char verb[64];

    (void) snprintf(verb, sizeof(verb), "send of %zu more bytes to",
                    conn->out.left);
    ql__describe_peer(conn, verb, text, size);
}

/* ----------------------------------------------------------- method ---- */

static const ql_op_type_t send_op = {"send",      send_attempt, send_push,
                                     send_cancel, send_free,    send_describe};

static int
send_fail(lua_State *L, ql_conn_t *conn, int err)
{
    lua_pushinteger(L, 0);
    return ql_return(L, conn->wop.lua, ql_push_error_partial(L, err));
}

/* The connection and the data are on the stack, as text by now: making it may
 * have run a finaliser that closed the connection. */
static int
send_start(lua_State *L, ql_conn_t *conn, const char *data, size_t size,
           const ql_gather_t *gather)
{
    int err = ql__writer_error(conn);

    if (err != 0) {
        return send_fail(L, conn, err);
    }
    conn->wop.type = &send_op;
    conn->out = (ql_out_t){.data = data, .left = size, .gather = gather};
    return ql_await(L, &conn->wop, lua_gettop(L));
}

static int
send_table(lua_State *L, ql_conn_t *conn)
{
    ql_gather_t gather;
    const char *bytes;
    size_t size;

    ql_gather(L, 2, "send", &gather);
    if (gather.pieces <= QL_GATHER_MAX) {
        return send_start(L, conn, NULL, gather.bytes, &gather);
    }
    size = gather.bytes;
    bytes = ql_gather_join(L, 2, "send", &size);
    return send_start(L, conn, bytes, size, NULL);
}

/* send(self, string|number|table) -> bytes | nil, err, sent, CODE */
static int
connection_send(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "send");
    size_t size;
    const char *data = lua_tolstring(L, 2, &size); /* of a number, too */

    if (data != NULL) {
        return send_start(L, conn, data, size, NULL);
    }
    if (!lua_istable(L, 2)) {
        return ql_bad_argument(L, 2, "data", "send",
                               "a string, a number or a table of these");
    }
    return send_table(L, conn);
}

const luaL_Reg ql__send_functions[] = {{"send", connection_send}, {NULL, NULL}};
