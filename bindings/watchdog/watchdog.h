/*
 * watchdog.h: what the watchdog's own files share.
 */
#ifndef QUOLL_WATCHDOG_H
#define QUOLL_WATCHDOG_H

#include "../base/state.h"

/* Is the task whose slice the watchdog counts still in it? */
static inline bool
ql__overrun_same_slice(const ql_lua_t *lua)
{
    return lua->current != &lua->root && lua->current->state == QL_TASK_RUNNING
        && lua->watchdog.resumes == lua->resumes;
}

/* overrun.c: the hook that a tick sets: names the task, stops it. */
void ql__overrun_hook(lua_State *L, lua_Debug *ar);
/* Puts the script's hook back. */
void ql__overrun_unhook(lua_State *L, ql_watchdog_t *dog);

#endif
