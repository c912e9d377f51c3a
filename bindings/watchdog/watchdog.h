/*
 * watchdog.h: what the watchdog knows, and what its files share.
 */
#ifndef QUOLL_WATCHDOG_H
#define QUOLL_WATCHDOG_H

#include "../quoll_lua.h"

#include <stdbool.h>

/* Who keeps the loop for too long. What the tick, a signal handler, writes is
 * read between ticks only by code that a new tick does not mislead. */
typedef struct {
    ql_slices_t slices; /* as they were set */
    uint64_t warn;      /* ns; QL_TIMER_INFINITE: off */
    uint64_t max;       /* ns; QL_TIMER_INFINITE: off */
    uint64_t tick;      /* ns between two */
    uint64_t resumes;   /* lua->resumes at the last tick: the slice it saw */
    uint64_t ticks;     /* that have found this slice, after the first */
    uint64_t overruns;  /* slices named */
    bool named;         /* this slice, in the log */
    int raised;         /* times that this slice was to be stopped */
    bool in_hook; /* hooks are changed, or the task named: no tick counts */
    int hook_mask;
    int hook_count;
    lua_Hook hook;            /* the script's, while ours is set */
    void (*leave)(int signo); /* the profiler's SIGPROF handler: the VM leaves
                                 compiled code; NULL: not started */
    int vmstate;              /* at the tick: 'C' in a C function; 0: untold */
    const void *pc;           /* where that tick came; NULL: untold */
    const char *name;         /* of the slice's task, whose string it is; or
                                 NULL */
    const char *chain;        /* "\n\tspawned at file:line" of it and its
                                 ancestors, likewise */
} ql_watchdog_t;

/* watchdog.c: the slice of the running task begins, or it has another name:
 * what a tick, which may not look into Lua, tells of it. */
void ql__watchdog_slice(ql_lua_t *lua) QL_COLD;
static inline bool
ql__watchdog_on(const ql_watchdog_t *dog)
{
    return dog->leave != NULL;
}

/* overrun.c */
void ql__overrun_register(lua_State *L);
/* Whose slice this is: the running task's or, between coroutines, that of the
 * one whose failure is shown; the root's else. */
const ql_task_t *ql__overrun_task(const ql_lua_t *lua);
/* Is the task whose slice the watchdog counts still in it? */
bool ql__overrun_same_slice(const ql_lua_t *lua);
/* The hook that a tick sets: names the task, stops it. */
void ql__overrun_hook(lua_State *L, lua_Debug *ar);
/* The coroutine of t, which runs, has stopped after a long resume. */
void ql__overrun_stopped(ql_task_t *t) QL_COLD;
/* Puts the script's hook back. */
void ql__overrun_unhook(lua_State *L, ql_watchdog_t *dog);

#endif
