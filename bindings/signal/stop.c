/*
 * stop.c: the graceful stop: idle tasks are told, the others have some time,
 * then the root is cancelled, as by a signal. What else a stop begins with
 * (listeners, pools) is lua/quoll/stop.lua's.
 */
#include "../base/misuse.h"
#include "../base/state.h"

static void
on_expired(ql_event_t *ev)
{
    ql_lua_t *lua = ev->data;

    ev->timedout = 0;
    lua->stop.expired = true;
    ql__task_cancel(&lua->root, "stop");
}

void
ql__stop_init(ql_lua_t *lua)
{
    lua->stop.timer.data = lua;
    lua->stop.timer.handler = on_expired;
    lua->stop.deadline = QL_TIMER_INFINITE;
}

int
ql_stopping(const ql_lua_t *lua)
{
    QL_CHECK_LUA(lua);
    return lua->stop.begun;
}

double
ql_stop_grace(const ql_lua_t *lua)
{
    QL_CHECK_LUA(lua);
    return lua->stop.grace;
}

void
ql_stop_set_grace(ql_lua_t *lua, double s)
{
    QL_CHECK_LUA(lua);
    lua->stop.grace = s;
}

/* stop_begin([s]) -> true: it has begun just now. Of several the earliest end
 * counts. */
static int
stop_begin(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);
    uint64_t grace = ql_check_timeout(L, 1, "grace", "stop");
    ql_loop_t *loop = ql_check_loop(L, lua);
    bool begun = lua->stop.begun;
    uint64_t deadline;

    lua->stop.begun = true;
    if (grace != QL_TIMER_INFINITE) {
        ql_time_update(loop);
        deadline = ql_nsec(loop) + grace;
        if (deadline < lua->stop.deadline) {
            lua->stop.deadline = deadline;
            ql_add_timer_at(loop, &lua->stop.timer, deadline);
        }
    }
    lua_pushboolean(L, !begun);
    return 1;
}

/* stop_tell(): idle tasks hear of it. */
static int
stop_tell(lua_State *L)
{
    ql_task_t *root = &ql__upvalue(L)->root, *t;

    for (t = root; t != NULL; t = ql__task_next(t, root)) {
        if (t->state == QL_TASK_WAITING && t->op->idle) {
            ql_op_end(t->op, QL_E_STOPPING);
        }
    }
    return 0;
}

static void
stop_disarm(ql_lua_t *lua)
{
    if (lua->stop.timer.timer_set) {
        ql_del_timer(lua->loop, &lua->stop.timer);
    }
    lua->stop.deadline = QL_TIMER_INFINITE;
}

void
ql__stop_idle(ql_lua_t *lua)
{
    const ql_task_t *root = &lua->root;

    if (root->state != QL_TASK_WAITING || root->event.posted
        || ql__join_children(root))
    {
        stop_disarm(lua);
    }
}

/* stop_over(): the main chunk is about to run tasks: where there are none, the
 * last stop is over. */
static int
stop_over(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);

    if (lua->stop.begun && lua->loop != NULL && ql_task_count(lua) == 0) {
        stop_disarm(lua);
        lua->stop.begun = false;
    }
    return 0;
}

bool
ql__stop_signalled(ql_lua_t *lua)
{
    lua_State *L = lua->stop.starter;
    bool done;

    if (L == NULL || lua->stop.grace <= 0 || lua->stop.begun) {
        return false;
    }
    lua_pushvalue(L, 1);
    lua_pushnumber(L, lua->stop.grace);
    done = lua_pcall(L, 1, 0, 0) == 0;
    if (!done) {
        ql_log_error(lua->loop, QL_LOG_ERR, 0, "no graceful stop: %s",
                     lua_isstring(L, -1) ? lua_tostring(L, -1) : "?");
    }
    lua_settop(L, 1);
    return done;
}

/* on_signalled(fn): fn(grace) begins the stop that a signal asks for. */
static int
stop_on_signalled(lua_State *L)
{
    static const char key = 0;

    ql__upvalue(L)->stop.starter = ql__callback_new(L, &key);
    return 0;
}

/* -------------------------------------------------- waiting for a stop ---- */

static int
stopping_attempt(ql_op_t *op)
{
    op->idle = !op->lua->stop.begun;
    return op->idle ? NGX_AGAIN : NGX_OK;
}

static int
stopping_push(lua_State *L, ql_op_t *op, int rc)
{
    op->idle = 0;
    lua_pushboolean(L, rc == NGX_OK || op->err == QL_E_STOPPING);
    return 1;
}

static void
stopping_cancel(ql_op_t *op)
{
    op->idle = 0;
}

static const ql_op_type_t stopping_type = {
    "stopping", stopping_attempt, stopping_push, stopping_cancel, NULL, NULL};

/* stopping([s]) -> boolean; without s it does not wait. */
static int
stopping(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);
    uint64_t timeout;
    ql_own_op_t *own;

    if (lua_isnoneornil(L, 1) || lua->stop.begun) {
        lua_pushboolean(L, lua->stop.begun);
        return 1;
    }
    timeout = ql_check_timeout(L, 1, "s", "stopping");
    own = ql__own_op(L, lua, &stopping_type);
    own->op.timeout = timeout;
    lua_settop(L, 0);
    return ql_await(L, &own->op, 0);
}

void
ql__stop_register(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {{"stop_begin", stop_begin},
                                   {"stop_tell", stop_tell},
                                   {"stop_over", stop_over},
                                   {"stopping", stopping},
                                   {"on_signalled", stop_on_signalled},
                                   {NULL, NULL}};

    ql__register(L, lua, fns);
}
