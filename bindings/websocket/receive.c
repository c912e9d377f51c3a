/*
 * receive.c: messages in. An attempt only looks; frames are taken inside the
 * task, so that a cancelled receive has taken none.
 */
#include "websocket.h"

#include <stdio.h>

enum {
    SHARE = 1 << 17, /* bytes read by an attempt before others get on */
    DEAD = 2         /* periods of silence that a ping is allowed */
};

/* ---------------------------------------------------------- attempt ---- */

void
ql__websocket_on_readable(ql_event_t *ev)
{
    const ql_connection_t *c = ev->data;
    ql_websocket_t *ws = c->data;

    ql_op_ready(&ws->rop);
}

/* One recv: bytes, 0 at the end, NGX_AGAIN, NGX_ERROR with rop.err. */
static ssize_t
read_more(ql_websocket_t *ws)
{
    ql_connection_t *c = ws->c;
    ql_buffer_t *in = &ws->in;
    ssize_t n;

    if (ql_stopping(ws->rop.lua)) {
        c->read.ready = 1; /* so that the kernel is asked: data wins */
        c->read.available = -1;
    }
    if (ql_event_waits(&c->read)) {
        return NGX_AGAIN;
    }
    if (ql_buffer_reserve(ws->pool, in, (uint32_t) ws->frames.want) != NGX_OK) {
        ws->rop.err = ENOMEM;
        return NGX_ERROR;
    }
    n = c->io->recv(c, in->data + in->end, in->cap - in->end);
    if (n > 0) {
        in->end += (uint32_t) n;
        ws->heard = 1;
    } else {
        ql_buffer_settle(ws->pool, in);
    }
    if (n == NGX_ERROR) {
        ws->rop.err = c->err;
        ws->rbroken = 1;
    }
    return n;
}

static int
park(ql_websocket_t *ws)
{
    bool between = ws->frames.message == 0 && ql_buffer_unread(&ws->in) == 0;

    if (between && !ws->said && ql_stopping(ws->rop.lua)) {
        ws->rop.err = QL_E_STOPPING;
        return NGX_ERROR;
    }
    ws->rop.idle = between && !ws->said;
    return ql_park(&ws->c->read, ql__websocket_on_readable, &ws->rop);
}

static int
park_next(ql_websocket_t *ws)
{
    ws->c->read.handler = ql__websocket_on_readable;
    ql_post_next_event(ws->c->loop, &ws->c->read);
    return NGX_AGAIN;
}

/* NGX_OK: a frame is there, or one that is refused. */
static int
await_frame(ql_websocket_t *ws)
{
    size_t share = SHARE;
    ssize_t n;

    while (ql__websocket_look(ws) == NGX_AGAIN) {
        if (ws->eof || share == 0) {
            ws->rop.err = QL_E_CLOSED;
            return ws->eof ? NGX_ERROR : park_next(ws);
        }
        n = read_more(ws);
        if (n == NGX_AGAIN) {
            return park(ws);
        }
        if (n < 0) {
            return NGX_ERROR;
        }
        ws->eof = n == 0;
        share -= (size_t) n < share ? (size_t) n : share;
    }
    return NGX_OK;
}

static void
receive_cancel(ql_op_t *op)
{
    ql_websocket_t *ws = ql__websocket_reader(op);

    op->idle = 0;
    ql__websocket_unpark(ws, &ws->c->read);
}

static int
receive_attempt(ql_op_t *op)
{
    ql_websocket_t *ws = ql__websocket_reader(op);
    int rc = await_frame(ws);

    if (rc != NGX_AGAIN) {
        receive_cancel(op);
    }
    return rc;
}

/* ------------------------------------------------------------- push ---- */

static int
receive_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_websocket_t *ws = ql__websocket_reader(op);
    int n;

    if (ws->handle.closed) {
        return ql_push_error(L, ws->handle.closed);
    }
    if (rc != NGX_OK && op->err == QL_E_STOPPING) {
        rc = receive_attempt(op);
    }
    if (rc == NGX_AGAIN) {
        receive_cancel(op);
        lua_pushboolean(L, 0);
        return 1;
    }
    if (rc != NGX_OK) {
        return ql_push_error(L, op->err);
    }
    ws->taking = 1;
    n = ql__websocket_take(L, ws);
    ws->taking = 0;
    if (ws->handle.closed) { /* by a finaliser */
        ql_buffer_release(ws->pool, &ws->in);
    } else {
        ql_buffer_settle(ws->pool, &ws->in);
    }
    return n;
}

static void
describe(ql_op_t *op, char *text, size_t size)
{
    (void) snprintf(text, size, "%s from a websocket (fd %d)", op->type->name,
                    ql__websocket_reader(op)->c->fd);
}

static const ql_op_type_t receive_op = {
    "receive", receive_attempt, receive_push, receive_cancel, NULL, describe};

/* -------------------------------------------------------- functions ---- */

static int
receive_error(lua_State *L, ql_websocket_t *ws)
{
    if (ws->handle.closed) {
        return ws->handle.closed;
    }
    if (ql_op_waiting(&ws->rop) || ql_op_pushing(L, &ws->rop, &ws->handle)) {
        return QL_E_BUSY_READING;
    }
    return ws->rbroken || ws->ended || ws->taking ? QL_E_CLOSED : 0;
}

static uint64_t
left_until(const ql_websocket_t *ws, uint64_t at)
{
    uint64_t now;

    if (at == QL_TIMER_INFINITE) {
        return at;
    }
    now = ql_nsec(ws->c->loop);
    return at > now ? at - now : 0;
}

/* How long this wait may last. */
static uint64_t
patience(const ql_websocket_t *ws)
{
    uint64_t until = left_until(ws, ws->until);
    uint64_t due = ws->until == QL_TIMER_INFINITE ? ws->ping
                                                  : left_until(ws, ws->due);

    return until < due || ws->said ? until : due;
}

/* receive(ws, [s|true]) -> message, kind, compressed | false: go on | false,
 * close code, reason | nil, why, close code | nil, err, CODE. true: the limit
 * is the last call's. */
static int
websocket_receive(lua_State *L)
{
    ql_websocket_t *ws = ql__websocket_check(L, "receive");
    uint64_t limit = 0;
    int err;

    if (lua_type(L, 2) != LUA_TBOOLEAN) {
        limit = ql_check_timeout(L, 2, "s", "receive");
    }
    err = receive_error(L, ws);
    if (err != 0) {
        return ql_return(L, ws->rop.lua, ql_push_error(L, err));
    }
    if (lua_type(L, 2) != LUA_TBOOLEAN) {
        ws->until = ql__websocket_later(ws, limit);
    }
    ws->rop.timeout = patience(ws);
    ws->rop.type = &receive_op;
    lua_settop(L, 1);
    return ql_await(L, &ws->rop, 1);
}

/* alive(ws) -> true: a receive that has timed out is to go on; a ping has been
 * sent if nothing came for long | false: its time is over | nil: nothing came
 * after two pings */
static int
websocket_alive(lua_State *L)
{
    ql_websocket_t *ws = ql__websocket_check(L, "alive");

    if (ws->handle.closed || left_until(ws, ws->until) == 0) {
        lua_pushboolean(L, 0);
        return 1;
    }
    ws->silent = ws->heard ? 0 : (uint8_t) (ws->silent + 1);
    if (!ws->heard && ws->silent > DEAD) {
        lua_pushnil(L);
        return 1;
    }
    if (!ws->heard) {
        ql__websocket_control(ws, QL_FRAME_PING, NULL, 0);
    }
    ws->heard = 0;
    ws->due = ql__websocket_later(ws, ws->ping);
    lua_pushboolean(L, 1);
    return 1;
}

const luaL_Reg ql__websocket_receive_functions[] = {
    {"receive", websocket_receive}, {"alive", websocket_alive}, {NULL, NULL}};
