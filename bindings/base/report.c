/*
 * report.c: the failure of a task for which nobody waits: one log line with
 * the traceback of its coroutine and the places of its spawners.
 */
#include "state.h"

/* Pushes the error's text; an error object is asked for its own. */
static void
report_push_text(lua_State *L, ql_task_t *t)
{
    if (t->fault != NULL) {
        lua_pushstring(L, t->fault);
        return;
    }
    lua_pushvalue(t->L, -1);
    lua_xmove(t->L, L, 1);
    if (luaL_callmeta(L, -1, "__tostring") && lua_isstring(L, -1)) {
        return;
    }
    if (!lua_isstring(L, -1)) {
        lua_pushfstring(L, "(error object is a %s value)",
                        luaL_typename(L, -1));
    }
}

static void
report_push_name(lua_State *L, ql_task_t *t)
{
    ql__task_push(L, t);
    lua_getfenv(L, -1);
    lua_rawgeti(L, -1, QL_TASK_NAME);
    lua_pushfstring(L, "task %d%s%s", (int) t->id,
                    lua_isstring(L, -1) ? " " : "",
                    lua_isstring(L, -1) ? lua_tostring(L, -1) : "");
}

/* Under lua_cpcall: allocates, and runs the script's __tostring. */
static int
report(lua_State *L)
{
    ql_task_t *t = lua_touserdata(L, 1);
    const char *name;
    const char *chain;

    report_push_name(L, t);
    name = lua_tostring(L, -1);
    lua_rawgeti(L, 3, QL_TASK_CHAIN);
    chain = lua_tostring(L, -1);
    report_push_text(L, t);
    if (t->L != NULL) {
        luaL_traceback(L, t->L, lua_tostring(L, -1), 0);
    }
    ql_log_error(t->lua->loop, QL_LOG_ERR, 0, "%s failed: %s%s", name,
                 lua_tostring(L, -1), chain != NULL ? chain : "");
    return 0;
}

void
ql__report_failure(ql_task_t *t)
{
    lua_State *L = t->lua->driver;

    if (lua_cpcall(L, report, t) != 0) {
        lua_pop(L, 1);
        ql_log_error(t->lua->loop, QL_LOG_ERR, 0,
                     "task %llu failed; its error cannot be shown",
                     (unsigned long long) t->id);
    }
}
