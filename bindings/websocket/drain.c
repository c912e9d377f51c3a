/*
 * drain.c: a connection that is closed with bytes unread is reset, and what was
 * sent last may be lost: so what still comes is read, and dropped, to its end.
 */
#include "websocket.h"

#include "core/sys.h"

#include <stdio.h>

enum {
    SHARE = 32 /* reads of an attempt before others get on */
};

static void
drain_cancel(ql_op_t *op)
{
    ql_websocket_t *ws = ql__websocket_reader(op);

    ql__websocket_unpark(ws, &ws->c->read);
}

/* A failure is an end, too. */
static int
drain_attempt(ql_op_t *op)
{
    ql_connection_t *c = ql__websocket_reader(op)->c;
    ssize_t n = 1;
    char bytes[4096];

    for (int i = 0; i < SHARE && n > 0; i++) {
        n = ql_event_waits(&c->read) ? NGX_AGAIN
                                     : c->io->recv(c, bytes, sizeof(bytes));
    }
    if (n == NGX_AGAIN) {
        return ql_park(&c->read, ql__websocket_on_readable, op);
    }
    if (n > 0) {
        c->read.handler = ql__websocket_on_readable;
        ql_post_next_event(c->loop, &c->read);
        return NGX_AGAIN;
    }
    drain_cancel(op);
    return NGX_OK;
}

static int
drain_push(lua_State *L, ql_op_t *op, int rc)
{
    (void) op;
    lua_pushboolean(L, rc == NGX_OK);
    return 1;
}

static void
drain_describe(ql_op_t *op, char *text, size_t size)
{
    (void) snprintf(text, size, "end of a websocket (fd %d)",
                    ql__websocket_reader(op)->c->fd);
}

static const ql_op_type_t drain_op = {
    "drain", drain_attempt, drain_push, drain_cancel, NULL, drain_describe};

/* drain(ws, s) -> true | false: it has not ended in that time */
static int
websocket_drain(lua_State *L)
{
    ql_websocket_t *ws = ql__websocket_check(L, "drain");
    uint64_t limit = ql_check_timeout(L, 2, "s", "drain");

    if (ws->handle.closed || ql_op_waiting(&ws->rop)) {
        lua_pushboolean(L, 0);
        return ql_return(L, ws->rop.lua, 1);
    }
    if (ws->c->io->finish == NULL || ws->c->io->finish(ws->c) != NGX_AGAIN) {
        (void) ql_loop_sys(ws->c->loop)->shutdown(ws->c->fd, SHUT_WR);
    }
    ws->rop.timeout = limit;
    ws->rop.type = &drain_op;
    lua_settop(L, 1);
    return ql_await(L, &ws->rop, 1);
}

const luaL_Reg ql__websocket_drain_functions[] = {{"drain", websocket_drain},
                                                  {NULL, NULL}};
