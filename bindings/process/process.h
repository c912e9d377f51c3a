/*
 * process.h: a process as a script holds it.
 */
#ifndef QUOLL_LUA_PROCESS_H
#define QUOLL_LUA_PROCESS_H

#include "../core/core.h"

typedef struct {
    ql_handle_t handle;
    ql_process_t *process; /* NULL: closed */
    ql_queue_t waiters;    /* of proc_wait_t.link */
    bool left;             /* disowned: runs on when the handle is closed */
} ql_lua_process_t;

extern const ql_handle_type_t ql__process_type;
extern const luaL_Reg ql__process_functions[];
extern const luaL_Reg ql__exec_functions[];

/* Pushes a new handle, still closed. */
ql_lua_process_t *ql__process_new(lua_State *L, ql_core_t *core);
/* The process is in: owned by the running task. */
void ql__process_open(ql_lua_process_t *proc, ql_process_t *p);

extern const luaL_Reg ql__signame_functions[];

/* "SIGTERM" or "TERM" -> 15; 0: no such signal. */
int ql__signal_by_name(const char *name);
/* The signal at index arg, by name ("SIGTERM", "TERM") or number; raises. */
int ql__check_signal(lua_State *L, int arg, const char *name,
                     const char *method);

#endif
