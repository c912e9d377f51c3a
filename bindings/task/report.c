/*
 * report.c: the failure of a task for which nobody waits: one log entry with
 * the traceback of its coroutine and the places of its spawners, unless a
 * script's function takes it.
 */
#include "../base/state.h"

static const char report_key = 0; /* registry: address -> on_failure's fn */

/* Has fn("task 5 failed: text", task) returned true? */
static bool
report_taken(lua_State *L)
{
    lua_pushlightuserdata(L, (void *) (uintptr_t) &report_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (lua_isnil(L, -1)) {
        return false;
    }
    lua_pushfstring(L, "%s failed: %s", lua_tostring(L, 3), lua_tostring(L, 4));
    lua_pushvalue(L, 2);
    lua_call(L, 2, 1);
    return lua_toboolean(L, -1);
}

/* Of the task at 2. */
static void
report(lua_State *L)
{
    const ql_outcome_t *o = lua_touserdata(L, 2);

    ql__task_push_title(L, 2);
    ql__failure_push(L, 2);
    if (!report_taken(L)) {
        ql_log_error(o->lua->loop, QL_LOG_ERR, 0, "%s failed: %s",
                     lua_tostring(L, 3), lua_tostring(L, 4));
    }
}

/* Under lua_cpcall: allocates, and runs the script's __tostring. */
static int
report_task(lua_State *L)
{
    ql__task_push(L, lua_touserdata(L, 1));
    report(L);
    return 0;
}

/* The same. */
static int
report_block(lua_State *L)
{
    ql__scope_push(L, &((ql_block_t *) lua_touserdata(L, 1))->scope);
    lua_getfenv(L, 2);
    lua_rawgeti(L, 3, QL_BLOCK_FAILED);
    lua_replace(L, 2);
    lua_settop(L, 2);
    report(L);
    return 0;
}

/* In a slice of t, so that the watchdog counts what the script's functions
 * take; in that of the task that runs if there is one. */
static int
report_sliced(ql_task_t *t, lua_CFunction fn, void *of)
{
    ql_lua_t *lua = t->lua;
    ql_task_t *outer = lua->reported;
    int status;

    if (lua->current->state == QL_TASK_RUNNING) {
        return lua_cpcall(lua->driver, fn, of);
    }
    lua->reported = t;
    lua->resumes++;
    ql__slice_begin(lua);
    status = lua_cpcall(lua->driver, fn, of);
    ql__account_charge(t);
    lua->reported = outer;
    lua->resumes++;
    return status;
}

static void
report_protected(ql_task_t *t, lua_CFunction fn, void *of)
{
    if (report_sliced(t, fn, of) != 0) {
        lua_pop(t->lua->driver, 1);
        ql_log_error(t->lua->loop, QL_LOG_ERR, 0,
                     "task %llu failed; its error cannot be shown",
                     (unsigned long long) t->id);
    }
}

void
ql__report_failure(ql_task_t *t)
{
    report_protected(t, report_task, t);
}

void
ql__report_block(ql_block_t *b)
{
    report_protected(b->scope.task, report_block, b);
}

/* on_failure([fn]): fn(text, task) is told of failures for which nobody waits
 * yet; when it returns true they are not logged. It may not wait. */
static int
report_on_failure(lua_State *L)
{
    lua_settop(L, 1);
    lua_pushlightuserdata(L, (void *) (uintptr_t) &report_key);
    lua_insert(L, 1);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return 0;
}

void
ql__report_register(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {{"on_failure", report_on_failure},
                                   {NULL, NULL}};

    ql__register(L, lua, fns);
}
