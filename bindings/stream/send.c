/*
 * send.c: writes. What is sent goes out from where it is, Lua's own memory or
 * a script's, many pieces in one call; only what would not stay there while
 * the send waits is copied.
 */
#include "../core/gather.h"
#include "cork.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------- attempt ---- */

enum {
    PIECES = 64 /* in one call, when it does not take all of them */
};

/* n bytes of the pieces have gone. */
static void
pieces_sent(ql_out_t *out, size_t n)
{
    out->sent += n;
    out->left -= n;
    while (n > 0) {
        size_t size = n < out->iov->iov_len ? n : out->iov->iov_len;

        out->iov->iov_base = (char *) out->iov->iov_base + size;
        out->iov->iov_len -= size;
        n -= size;
        if (out->iov->iov_len == 0) {
            out->iov++;
            out->pieces--;
        }
    }
}

static void
send_advance(ql_conn_t *conn, size_t n)
{
    size_t gathered = ql__gathered(conn);

    conn->wop.progress = 1;
    if (gathered > 0) {
        gathered = n < gathered ? n : gathered;
        ql__cork_sent(conn, gathered);
        n -= gathered;
    }
    pieces_sent(&conn->out, n);
}

/* At most share bytes, what is gathered first, as pieces to send. */
static int
send_clip(const ql_conn_t *conn, struct iovec *iov, size_t share)
{
    const ql_out_t *out = &conn->out;
    int n = 0;

    if (ql__gathered(conn) > 0) {
        const ql_buffer_t *b = &conn->cork->out;

        iov[n].iov_base = b->data + b->start;
        iov[n++].iov_len = ql_buffer_unread(b);
    }
    for (int i = 0; i < out->pieces && n < PIECES; i++) {
        iov[n++] = out->iov[i];
    }
    for (int i = 0; i < n; i++) {
        if (iov[i].iov_len >= share) {
            iov[i].iov_len = share;
            return i + 1;
        }
        share -= iov[i].iov_len;
    }
    return n;
}

static ssize_t
send_clipped(const ql_conn_t *conn, size_t share)
{
    ql_connection_t *c = conn->c;
    struct iovec iov[PIECES];
    int n = send_clip(conn, iov, share);

    return n == 1 ? c->io->send(c, iov->iov_base, iov->iov_len)
                  : c->io->send_chain(c, iov, n);
}

/* One call. */
static ssize_t
send_some(ql_conn_t *conn, size_t share)
{
    ql_connection_t *c = conn->c;
    ql_out_t *out = &conn->out;

    if (out->left > share || ql__gathered(conn) > 0) {
        return send_clipped(conn, share);
    }
    return out->pieces == 1
             ? c->io->send(c, out->iov->iov_base, out->iov->iov_len)
             : c->io->send_chain(c, out->iov, out->pieces);
}

/* Waiting begins. */
static int
send_keep(ql_out_t *out)
{
    char *to;

    if (!out->passing || out->left == 0) {
        return NGX_OK;
    }
    to = malloc(out->left);
    if (to == NULL) {
        return NGX_ERROR;
    }
    out->copy = to;
    for (int i = 0; i < out->pieces; i++) {
        memcpy(to, out->iov[i].iov_base, out->iov[i].iov_len);
        to += out->iov[i].iov_len;
    }
    out->whole = (struct iovec){out->copy, out->left};
    out->iov = &out->whole;
    out->pieces = 1;
    out->passing = 0;
    return NGX_OK;
}

static int
send_wait(ql_conn_t *conn, bool next)
{
    ql_event_t *wev = &conn->c->write;

    if (send_keep(&conn->out) != NGX_OK) {
        conn->wop.err = ENOMEM;
        return NGX_ERROR;
    }
    return next ? ql__park_next(wev, ql__on_writable)
                : ql_park(wev, ql__on_writable, &conn->wop);
}

static int
send_all(ql_conn_t *conn)
{
    size_t share = QL__TURN_BYTES;
    ssize_t n;

    while (conn->out.left > 0 || ql__gathered(conn) > 0) {
        if (share == 0) {
            return send_wait(conn, true);
        }
        n = send_some(conn, share);
        if (n == NGX_ERROR) {
            conn->wop.err = conn->c->err;
            return NGX_ERROR;
        }
        if (n <= 0) {
            return send_wait(conn, false);
        }
        send_advance(conn, (size_t) n);
        share -= (size_t) n < share ? (size_t) n : share;
    }
    return NGX_OK;
}

static int
send_attempt(ql_op_t *op)
{
    ql_conn_t *conn = ql__writer(op);
    ql_out_t *out = &conn->out;
    int rc;

    if (out->fresh) {
        out->fresh = 0;
        if (ql__cork_gather(conn, out->iov, out->pieces, out->left)) {
            out->sent = out->left;
            out->left = 0;
            return NGX_OK;
        }
    }
    rc = send_all(conn);
    if (rc != NGX_AGAIN) {
        ql__unpark_event(conn->c->loop, &conn->c->write);
    }
    if (rc == NGX_ERROR) {
        conn->wbroken = 1;
        ql__cork_resume(conn);
    }
    return rc;
}

/* A message of which nothing has left can be sent anew. */
static void
send_cancel(ql_op_t *op)
{
    ql_conn_t *conn = ql__writer(op);

    ql__unpark_event(conn->c->loop, &conn->c->write);
    /* What is held of what is gathered stays so, and goes out later. */
    conn->wbroken = conn->out.sent > 0 || conn->c->held > ql__gathered(conn);
    ql__cork_resume(conn);
}

static void
send_free(ql_op_t *op)
{
    ql_conn_t *conn = ql__writer(op);

    if (conn->out.copy != NULL) {
        free(conn->out.copy);
        conn->out.copy = NULL;
    }
}

static int
send_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_conn_t *conn = ql__writer(op);

    send_free(op); /* now: what follows may raise */
    lua_pushnumber(L, (lua_Number) conn->out.sent);
    return rc == NGX_OK ? 1 : ql_push_error_partial(L, op->err);
}

static int
uncork_push(lua_State *L, ql_op_t *op, int rc)
{
    lua_pushboolean(L, 1);
    return rc == NGX_OK ? 1 : ql_push_error(L, op->err);
}

static void
send_describe(ql_op_t *op, char *text, size_t size)
{
    ql_conn_t *conn = ql__writer(op);
    char verb[64];

    (void) snprintf(verb, sizeof(verb), "%s of %zu more bytes to",
                    op->type->name, conn->out.left + ql__gathered(conn));
    ql__describe_peer(conn, verb, text, size);
}

/* ---------------------------------------------------------- methods ---- */

static const ql_op_type_t send_op = {"send",      send_attempt, send_push,
                                     send_cancel, send_free,    send_describe};
static const ql_op_type_t uncork_op = {
    "uncork", send_attempt, uncork_push, send_cancel, NULL, send_describe};

static int
send_fail(lua_State *L, ql_conn_t *conn, int err)
{
    lua_pushinteger(L, 0);
    return ql_return(L, conn->wop.lua, ql_push_error_partial(L, err));
}

/* The connection and the data are on the stack, as text by now: making it may
 * have run a finaliser that closed the connection. */
int
ql__send_start(lua_State *L, ql_conn_t *conn, const ql_out_t *out)
{
    int err = ql__writer_error(conn);

    if (err != 0) {
        return send_fail(L, conn, err);
    }
    conn->wop.type = &send_op;
    conn->out = *out;
    conn->out.fresh = 1;
    if (out->iov == NULL) {
        conn->out.iov = &conn->out.whole;
    }
    return ql_await(L, &conn->wop, lua_gettop(L));
}

static int
send_bytes(lua_State *L, ql_conn_t *conn, const char *data, size_t size,
           bool passing)
{
    ql_out_t out = {.left = size,
                    .whole = {(void *) (uintptr_t) data, size},
                    .pieces = size > 0,
                    .passing = passing};

    return ql__send_start(L, conn, &out);
}

static int
send_table(lua_State *L, ql_conn_t *conn)
{
    ql_gather_t gather;
    ql_out_t out = {.passing = 1};
    const char *bytes;
    size_t size;

    ql_gather(L, 2, "send", &gather);
    size = gather.bytes;
    if (ql_gather_large(&gather)) {
        out.iov = ql_gather_pin(L, 2, "send", &gather);
        out.passing = 0;
    } else if (ql_gather_whole(&gather)) {
        out.iov = gather.iov;
    }
    if (out.iov != NULL) {
        out.pieces = gather.pieces;
        out.left = gather.bytes;
        return ql__send_start(L, conn, &out);
    }
    bytes = ql_gather_join(L, 2, "send", &size);
    return send_bytes(L, conn, bytes, size, false);
}

/* send(self, string|number|table|cdata|buffer, [n]) -> bytes
 * | nil, err, sent, CODE */
static int
connection_send(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "send");
    size_t size;
    const char *data = lua_tolstring(L, 2, &size); /* of a number, too */
    ql_block_t block;

    if (data != NULL) {
        return send_bytes(L, conn, data, size, false);
    }
    if (lua_istable(L, 2)) {
        return send_table(L, conn);
    }
    lua_settop(L, 3);
    if (!ql_block(L, 2, 3, "send", &block)) {
        return ql_bad_argument(L, 2, "data", "send",
                               "a string, a number, a table of these, a cdata "
                               "or a string.buffer");
    }
    return send_bytes(L, conn, block.data, block.size, !block.fixed);
}

/* uncork(self) -> true | nil, err, CODE */
static int
connection_uncork(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "uncork");
    int err = conn->handle.closed;

    if (err == 0 && conn->cork != NULL) {
        err = ql__writer_error(conn);
        conn->cork->on = 0;
    }
    if (err != 0) {
        return ql_return(L, conn->wop.lua, ql_push_error(L, err));
    }
    if (ql__gathered(conn) == 0) {
        lua_pushboolean(L, 1);
        return ql_return(L, conn->wop.lua, 1);
    }
    conn->wop.type = &uncork_op;
    conn->out = (ql_out_t){.left = 0};
    return ql_await(L, &conn->wop, lua_gettop(L));
}

const luaL_Reg ql__send_functions[] = {
    {"send", connection_send}, {"uncork", connection_uncork}, {NULL, NULL}};
