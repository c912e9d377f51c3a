/*
 * report.c: the failure of a task for which nobody waits: one log line with
 * the traceback of its coroutine and the places of its spawners.
 */
#include "state.h"

/* Under lua_cpcall: allocates, and runs the script's __tostring. */
static int
report(lua_State *L)
{
    ql_task_t *t = lua_touserdata(L, 1);

    ql__task_push(L, t);
    ql__task_push_title(L, 2);
    ql__failure_push(L, 2);
    ql_log_error(t->lua->loop, QL_LOG_ERR, 0, "%s failed: %s",
                 lua_tostring(L, 3), lua_tostring(L, 4));
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
