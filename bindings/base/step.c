/*
 * step.c: the loop as a part of another one: its descriptor, and one turn of it
 * at a time. Signals stay what they are outside.
 */
#include "state.h"

#include <errno.h>
#include <math.h>

static int
step_attempt(ql_op_t *op)
{
    (void) op;
    return NGX_AGAIN;
}

/* wait: seconds until the next turn has something to do at the latest. */
static int
step_push(lua_State *L, ql_op_t *op, int rc)
{
    uint64_t wait;

    if (rc == NGX_ERROR && op->err != QL_E_TIMEOUT) {
        return ql_push_error(L, op->err);
    }
    wait = ql_loop_timeout(op->lua->loop);
    lua_pushnumber(L, wait == QL_TIMER_INFINITE ? HUGE_VAL
                                                : (lua_Number) wait / 1e9);
    return 1;
}

static void
step_cancel(ql_op_t *op)
{
    (void) op;
}

static const ql_op_type_t step_type = {"step",      step_attempt, step_push,
                                       step_cancel, NULL,         NULL};

bool
ql__stepping(const ql_task_t *t)
{
    return t->state == QL_TASK_WAITING && t->op->type == &step_type;
}

uint64_t
ql__step_wait(const ql_task_t *t)
{
    return ql__own(t->op)->posted ? 0 : QL_TIMER_INFINITE;
}

void
ql__step_end(ql_task_t *t)
{
    if (t->state == QL_TASK_WAITING) {
        ql__unpark(t);
        t->op->rc = NGX_OK;
    }
    ql__unpost(t);
}

/* step([s]) -> seconds | nil, err, CODE: one turn, which waits for events for
 * at most s seconds, default 0. */
static int
step(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);
    uint64_t timeout = 0;
    ql_own_op_t *own;

    if (!lua_isnoneornil(L, 1)) {
        timeout = ql_check_timeout(L, 1, "s", "step");
    }
    if (lua->current != &lua->root) {
        return ql_raise(L, "quoll.step inside a task: the loop runs already");
    }
    own = ql__own_op(L, lua, &step_type);
    own->posted = timeout == 0;
    own->op.timeout = timeout != 0 ? timeout : QL_TIMER_INFINITE;
    lua_settop(L, 0);
    return ql_await(L, &own->op, 0);
}

/* fd() -> number | nil, err, CODE */
static int
step_fd(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);
    ql_loop_t *loop = ql_lua_ready(lua, L);

    if (loop == NULL || ql_loop_watch(loop) != NGX_OK) {
        return ql_push_error(L, errno);
    }
    lua->watched = true;
    lua_pushinteger(L, ql_loop_fd(loop));
    return 1;
}

void
ql__step_register(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {
        {"step", step}, {"fd", step_fd}, {NULL, NULL}};

    ql__register(L, lua, fns);
}
