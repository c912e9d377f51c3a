/*
 * call.c: a blocking call as an operation, on a userdata of its own.
 */
#include "misuse.h"

#include <errno.h>
#include <stdio.h>

static ql_lua_call_t *
wait_of(ql_op_t *op)
{
    return ql_queue_data(op, ql_lua_call_t, op);
}

static void
let_go(ql_lua_call_t *w)
{
    if (w->call != NULL) {
        ql_call_free(w->call);
        w->call = NULL;
    }
}

static int
call_attempt(ql_op_t *op)
{
    ql_call_t *call = wait_of(op)->call;
    int rc = ql_call_attempt(call);

    if (rc == NGX_ERROR) {
        op->err = call->err;
    }
    return rc;
}

static int
call_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_lua_call_t *w = wait_of(op);

    if (rc == NGX_ERROR && op->err >= QL_E_TIMEOUT) {
        return ql_push_error(L, op->err);
    }
    return w->push(L, w->call, rc == NGX_ERROR ? op->err : 0);
}

static void
call_let_go(ql_op_t *op)
{
    let_go(wait_of(op));
}

static void
call_describe(ql_op_t *op, char *text, size_t size)
{
    ql_lua_call_t *w = wait_of(op);

    (void) snprintf(text, size, w->about != NULL ? "%s of %s" : "%s",
                    w->call->type->name, w->about);
}

static const ql_op_type_t call_type = {
    "call", call_attempt, call_push, call_let_go, call_let_go, call_describe};

/* Of a userdata that a push that raised left behind, or of a task that waits as
 * the state is closed. */
static void
call_close(ql_handle_t *h, int err)
{
    ql_lua_call_t *w = ql_queue_data(h, ql_lua_call_t, handle);

    ql_op_end(&w->op, err);
    let_go(w);
}

static const ql_handle_type_t call_handle = {"call", call_close, NULL};

ql_lua_call_t *
ql_lua_call_new(lua_State *L, ql_lua_t *lua,
                int (*push)(lua_State *L, ql_call_t *call, int err))
{
    ql_lua_call_t *w;

    QL_CHECK_LUA(lua);
    ql_check_wait(L, lua);
    w = ql_handle_new(L, lua, &call_handle, sizeof(*w));
    ql_handle_open(&w->handle);
    ql_handle_own(&w->handle, NULL);
    ql_op_init(&w->op, &call_type, lua);
    w->push = push;
    return w;
}

static void
call_event(ql_event_t *ev)
{
    ql_op_ready(ev->data);
}

int
ql_lua_call_await(lua_State *L, ql_lua_call_t *w)
{
    QL_CHECK_OP(&w->op);
    if (w->call == NULL) {
        return ql_push_error(L, errno);
    }
    w->call->event.data = &w->op;
    w->call->event.handler = call_event;
    return ql_await(L, &w->op, lua_gettop(L));
}
