/*
 * state.h: one Lua state's runtime; for libquoll-lua's own files only.
 */
#ifndef QUOLL_STATE_H
#define QUOLL_STATE_H

#include "../inspect/account.h"
#include "../inspect/inspect.h"
#include "../task/task.h"
#include "../watchdog/watchdog.h"
#include "../signal/signal.h"
#include "../signal/stop.h"
#include "wait.h"

struct ql_lua_s {
    ql_loop_t *loop;     /* NULL once the state is closing */
    lua_State *driver;   /* the thread whose C function runs the loop now; one
                          of its own while nothing does */
    ql_task_t *current;  /* that runs; the root when none does */
    ql_task_t *drive;    /* innermost task that runs the loop in require */
    ql_task_t *reported; /* whose failure is shown: the script's functions that
                            do it run in its slice; or NULL */
    uint64_t resumes;    /* of coroutines */
    uint64_t slice;      /* ns: when the current slice's clock was first read */
    int budget;          /* immediate completions left in this resume */
    ql_task_t root;
    bool watched;          /* somebody else waits for the loop's descriptor */
    ql_queue_t deferred;   /* ready tasks that a nested drive holds back */
    uint64_t held_since;   /* ns: a task was first held back, and none went on
                            since; 0: none is */
    uint64_t held_resumes; /* resumes when the last drive ended */
    bool held_told;        /* that was logged */
    bool none_held;        /* until no task drives: all go on */
    bool some_needed;      /* until then: there may be tasks marked so */
    uint64_t next_id;      /* the last task's; counts from 1 */
    int root_table;        /* registry: the root's slots */
    int traces;            /* registry: kept beside errors */
    unsigned traced;       /* errors that were no objects, kept there so far */
    int keep_failure;      /* registry: the function that keeps them */
    int unwind;            /* registry: the function that runs deferred calls */
    int anchor_table;      /* registry: what keeps live tasks reachable */
    int berths;            /* registry: fenvs of coroutines that serve on */
    uint8_t free_berth;    /* the next task's; 0: none */
    ql_berth_t berth[QL__IDLE_MAX + 1]; /* from 1 */
    int task_metatable;                 /* registry */
    int block_metatable;                /* registry */
    int resumers; /* registry: coroutine -> the one that quoll.coroutine resumed
                     it from, while it runs or waits; true: the main chunk */
    ql_task_t *spare; /* that ended last, for the next one; NULL: none */
    int anchors;      /* slots used since that table was made */
    int anchor_free;  /* its first free slot; 0: none */
    ql_chain_t chain;
    ql_account_t account;
    uint64_t spawned; /* tasks; = ended + live */
    uint64_t ended;
    uint64_t failed; /* of those that ended */
    uint32_t random; /* state of the numbers that make select fair */
    ql_signals_t signals;
    ql_stop_t stop;
    const void *transparent[2]; /* C functions a wait may cross: pcall... */
    const void *loaders[2];     /* require, dofile: a wait drives the loop */
    int loads;      /* registry: name of a module -> coroutine that loads it */
    int load_mark;  /* registry: what Lua marks it with meanwhile */
    bool loading;   /* some are noted */
    bool load_left; /* a require may have been left since */
    int nothing;    /* registry: a C function that does nothing */
    bool hooked;    /* a call hook has come through; for ql__unhooked */
    char own_chunks[256]; /* chunk name of quoll's Lua modules begins so */
    ql_watchdog_t watchdog;
#ifdef QL_CHECKS
    ql_task_t *loose; /* of the tasks whose op is in memory that no anchor of
                         theirs is: the newest */
#endif
};

/* abi.c: this library is the state's; raises when another one is. */
void ql__abi_claim(lua_State *L);

/* error.c: the script's line in L: its first frame outside quoll's own modules.
 * false: there is none. */
bool ql__where(const ql_lua_t *lua, lua_State *L, lua_Debug *ar);
/* Pushes it, "file:line", or "" without one. */
void ql__push_where(lua_State *L);
void ql__error_register(lua_State *L, ql_lua_t *lua);

/* handle.c: closes what t owns, newest first. */
void ql__handles_close(ql_task_t *t);
/* Pushes the type's metatable, made at the first call. */
void ql__handle_metatable(lua_State *L, const ql_handle_type_t *type);

/* state.c: the runtime of L's state; NULL: none has been made. */
ql_lua_t *ql__lua_find(lua_State *L);
/* Puts fns into the table on top, each with lua as upvalue 1. */
void ql__register(lua_State *L, ql_lua_t *lua, const luaL_Reg *fns);
static inline ql_lua_t *
ql__upvalue(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* The task as which L may wait now; *drive: by running the loop. Raises where
 * L cannot wait. */
static inline ql_task_t *
ql__waiter(lua_State *L, ql_lua_t *lua, bool *drive)
{
    ql_task_t *t = lua->current;

    *drive = (t->L != L || !lua_isyieldable(L)) && ql__waiter_drives(L, lua);
    return t;
}

#endif
