/*
 * task.c: what a script asks of a task: who it is, how it stands, whose it is.
 */
#include "../base/state.h"

#include <stdio.h>
#include <string.h>

/* Of ql_task_state_t. */
static const char *const task_states[] = {"starting", "running",  "waiting",
                                          "ready",    "closing",  "done",
                                          "failed",   "cancelled"};

const char *
ql__task_state(const ql_task_t *t)
{
    return task_states[t->unwinding ? QL_TASK_CLOSING : t->state];
}

const char *
ql__outcome_state(const ql_outcome_t *o)
{
    return o->task != NULL ? ql__task_state(o->task) : task_states[o->state];
}

/* Allocates nothing in Lua. */
void
ql__task_title(const ql_task_t *t, char *text, size_t size)
{
    lua_State *L = t->lua->driver;
    const char *name = NULL;
    int top = lua_gettop(L);

    if (!ql__task_ended(t) || t == t->lua->reported) {
        ql__task_push_slot(L, t, QL_TASK_NAME);
        name = lua_tostring(L, -1);
    }
    (void) snprintf(text, size, name != NULL ? "task %llu '%s'" : "task %llu",
                    (unsigned long long) t->id, name);
    lua_settop(L, top);
}

void
ql__outcome_title(const ql_outcome_t *o, char *text, size_t size)
{
    if (o->task != NULL) {
        ql__task_title(o->task, text, size);
    } else {
        (void) snprintf(text, size, "task %llu", (unsigned long long) o->id);
    }
}

/* task_status(task) -> "starting" ... "cancelled" */
static int
task_status(lua_State *L)
{
    lua_pushstring(L, ql__outcome_state(ql__task_check(L, 1, "status")));
    return 1;
}

/* task_id(task) -> number, counted from 1 in the order of spawning */
static int
task_id(lua_State *L)
{
    lua_pushnumber(L, (lua_Number) ql__task_check(L, 1, "id")->id);
    return 1;
}

/* task_name(task, [name]) -> name; the name shows in the log */
static int
task_name(lua_State *L)
{
    const ql_outcome_t *o = ql__task_check(L, 1, "name");

    lua_settop(L, 2);
    ql__task_push_fenv(L, 1);
    if (!lua_isnil(L, 2)) {
        if (lua_type(L, 2) != LUA_TSTRING) {
            return ql_bad_argument(L, 2, "name", "name", "a string");
        }
        lua_pushvalue(L, 2);
        lua_rawseti(L, 3, QL_TASK_NAME);
        if (o->task != NULL) {
            o->task->marked = 1;
        }
        if (o->task == o->lua->current && ql__watchdog_on(&o->lua->watchdog)) {
            ql__watchdog_slice(o->lua);
        }
    }
    lua_rawgeti(L, 3, QL_TASK_NAME);
    return 1;
}

/* task_detach(task) -> task; a child of the root from now on */
static int
task_detach(lua_State *L)
{
    ql_outcome_t *o = ql__task_check(L, 1, "detach");
    ql_scope_t *root = &o->lua->root.scope;
    ql_scope_t *parent;
    ql_task_t *closing;

    lua_settop(L, 1);
    if (o->task == NULL || o->task->scope.parent == root) {
        return 1;
    }
    parent = o->task->scope.parent;
    ql__scope_move(&o->task->scope, root);
    ql__join_child(parent);
    closing = parent->task;
    if (closing->state == QL_TASK_CLOSING && closing->scope.ntasks == 0) {
        ql__task_close(closing, closing->result);
    }
    return 1;
}

/* task_own(handle, task) -> handle; closed when task ends, or if it has */
static int
task_own(lua_State *L)
{
    ql_handle_t *h = ql_handle_test(L, 1);
    ql_task_t *t = ql__task_check(L, 2, "own")->task;

    if (h == NULL) {
        return ql_bad_argument(L, 1, "handle", "own", "a handle");
    }
    if (t == NULL) {
        ql_handle_close(h, QL_E_OWNER_ENDED);
    } else if (!h->closed) {
        ql_handle_own(h, t);
    }
    lua_settop(L, 1);
    return 1;
}

/* task_quiet(task): who spawned it raises its failure; it is not logged. */
static int
task_quiet(lua_State *L)
{
    ql_task_t *t = ql__task_check(L, 1, "quiet")->task;

    if (t != NULL) {
        t->quiet = 1;
    }
    return 0;
}

/* task_seen(task): its failure was raised in one who waited for it */
static int
task_seen(lua_State *L)
{
    lua_pushboolean(L, ql__task_check(L, 1, "seen")->seen);
    return 1;
}

/* is_root(): the main chunk runs, no task */
static int
is_root(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);

    lua_pushboolean(L, lua->current == &lua->root);
    return 1;
}

/* current() -> the running task | nil: the main chunk runs */
static int
task_current(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);

    if (lua->current == &lua->root) {
        lua_pushnil(L);
    } else {
        ql__task_push(L, lua->current);
    }
    return 1;
}

/* timer_failed(text): the error of a periodic function; the log's limit holds,
 * which core.log, for scripts, does not have. */
static int
timer_failed(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);

    ql_log_error(lua->loop, QL_LOG_ERR, 0, "timer: %s", luaL_checkstring(L, 1));
    return 0;
}

/* check_wait(): raises what a wait would raise at once */
static int
check_wait(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);
    ql_task_t *t = lua->current;

    ql_check_wait(L, lua);
    ql__scope_innermost(t);
    return t->cancelled ? ql__cancel_raise(L, t) : 0;
}

void
ql__task_methods_register(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {
        {"task_status", task_status}, {"task_id", task_id},
        {"task_name", task_name},     {"task_detach", task_detach},
        {"task_own", task_own},       {"task_quiet", task_quiet},
        {"is_root", is_root},         {"current", task_current},
        {"check_wait", check_wait},   {"timer_failed", timer_failed},
        {"task_seen", task_seen},     {NULL, NULL}};

    ql__register(L, lua, fns);
}
