/*
 * state.h: what libquoll-lua's own files share and nobody else sees.
 */
#ifndef QUOLL_STATE_H
#define QUOLL_STATE_H

#include "../inspect/account.h"
#include "../quoll_lua.h"

#include <signal.h>
#include <stdbool.h>

enum {
    QL__BUDGET = 64,           /* immediate completions per resume */
    QL__SLICE_NS = 500 * 1000, /* time per resume spent on such */
    QL__SLICE_CHECK = 8,       /* completions between two looks at the clock */
    QL__IDLE_MAX = 64,         /* coroutines kept for tasks to come */
    QL__SWALLOWED_MAX = 1000,  /* cancellations a task may swallow */
    QL__TITLE = 80             /* bytes for a task's title in the log */
};

typedef enum {
    QL_TASK_STARTING, /* posted, or a timer that will post: no coroutine yet
                          runs */
    QL_TASK_RUNNING,  /* on the processor, or nested below one that is */
    QL_TASK_WAITING,  /* parked in an operation */
    QL_TASK_READY,    /* its wait has ended, its event is posted */
    QL_TASK_CLOSING,  /* returned; its children have not */
    QL_TASK_DONE,     /* ended with results */
    QL_TASK_FAILED,   /* ended with an error */
    QL_TASK_CANCELLED /* ended by its cancellation */
} ql_task_state_t;

typedef struct ql_scope_s ql_scope_t;

/*
 * A node of the tree of scopes. Each task has one of its own, which isolates;
 * quoll.scope and its like open further ones, blocks, in its coroutine. What a
 * task spawns goes to its innermost scope. A block that has ended is in no
 * tree; a task's own scope is in it until the task has ended.
 */
struct ql_scope_s {
    ql_task_t *task;     /* whose coroutine runs it; NULL: a block that is not
                           open */
    ql_scope_t *parent;  /* NULL: the root's own */
    ql_scope_t *cause;   /* itself or the ancestor whose cancellation has
                           reached it; NULL: none */
    ql_queue_t children; /* of ql_scope_t.sibling, oldest first */
    ql_queue_t sibling;
    const char *why;      /* of its cancellation from C; NULL: in the fenv */
    uint32_t ntasks;      /* children that are tasks */
    uint32_t nbackground; /* of these, the ones in the background */
    int ref;              /* in the table of anchors while it is in the tree */
    unsigned block : 1;   /* part of a ql_block_t, not a task's own */
    unsigned shield : 1;  /* a parent's cancellation does not reach it;
                                cleared by its timer */
    unsigned background : 1; /* a task that does not keep its parent open */
    unsigned leaving : 1;    /* its function has returned: what its task waits
                                for now is not cut */
    unsigned alone : 1;      /* only background tasks were left: cancelled */
    unsigned cut : 1;        /* a cancellation that has reached it has
                                 ended a wait inside, or kept a task from
                                 starting */
};

/* The operation of waits for what has room for several waiters, or for nothing
 * at all: sleep, task:wait, room, leave,
 * quoll.sync. */
typedef struct {
    ql_op_t op;
    ql_queue_t link; /* in the waiters of target or handle */
    union {
        ql_task_t *target;   /* task:wait */
        ql_scope_t *scope;   /* room, leave: whose tasks */
        ql_handle_t *handle; /* quoll.sync: anchored by the wait */
    };
    lua_State *from;      /* channel: has the channel first and, of a send, the
                            item last on its stack */
    uint32_t room;        /* room: fewer tasks than this */
    uint32_t count;       /* semaphore: permits wanted */
    unsigned posted : 1;  /* sleep: the turn or the time has come next */
    unsigned granted : 1; /* quoll.sync: has what it waits for, until its push
                             or its free */
} ql_own_op_t;

/* A coroutine with what it waits for, what it owns and what it started. What
 * each wait touches comes first. */
struct ql_task_s {
    ql_event_t event; /* wakes it: posted when its wait has ended, timer of
                         the wait; data is the task */
    ql_lua_t *lua;
    lua_State *L; /* its coroutine; NULL before the start and when dropped */
    lua_State *inner;   /* the coroutine that yielded last for a wait: L, or one
                         that quoll.coroutine resumes within it */
    ql_op_t *op;        /* what it waits for, until take has pushed it */
    uint8_t state;      /* ql_task_state_t */
    uint8_t result;     /* QL_TASK_DONE.. it will have, while CLOSING */
    uint16_t swallowed; /* cancellations raised in it */
    unsigned cancelled : 1; /* every wait raises: a cancellation has reached
                               the innermost scope; ql__scope_refresh */
    unsigned driving : 1;   /* runs the loop inside a wait (main, require) */
    unsigned woken : 1;     /* the wait of a driving task has ended */
    unsigned forced : 1;    /* to be ended without being resumed */
    unsigned quiet : 1;     /* its failure is raised by run(): no log line */
    unsigned locals : 1;    /* it has some; set and cleared by a write */
    unsigned marked : 1;    /* more is in its fenv: a name, a reason, deferred
                               calls */
    unsigned kept : 1;      /* its only result is in `value` */
    unsigned given : 1;     /* has ended, and its fenv is another task's */
    unsigned deferred : 1;  /* has deferred calls to run at its end */
    unsigned unwinding : 1; /* its function has ended and L is another
                               coroutine, which runs them; result holds */
    uint8_t berth;          /* of its fenv among the berths; 0: none */
    int8_t value_type;      /* kept: LUA_TNUMBER, LUA_TBOOLEAN or LUA_TNIL */
    ql_scope_t *innermost;  /* of its scopes; what it spawns goes there */
    ql_scope_t scope;       /* its own */
    ql_queue_t handles;     /* it owns, newest first */
    ql_queue_t waiters;     /* of ql_own_op_t.link: who waits for its end */
    ql_queue_t selectors;   /* of ql_select_t.link: who selects for it */
    ql_own_op_t own;
    uint64_t ticks;    /* of the account: its coroutine ran */
    uint64_t born;     /* ns of the loop's clock: spawned */
    uint64_t parked;   /* the same: its last wait began */
    const char *fault; /* of a failure without an error value */
    double value;      /* kept: the number; 1 for true */
    uint64_t id;       /* from 1 in the order of spawning; root: 0 */
};

/* What fails a block first. */
typedef enum {
    QL_BLOCK_SOUND,  /* nothing yet */
    QL_BLOCK_TASK,   /* the task in its fenv */
    QL_BLOCK_FN,     /* its own function */
    QL_BLOCK_DECIDED /* nothing any more: failures are logged */
} ql_block_failure_t;

/* A scope that a function runs in: quoll.scope, deadline, shield. */
typedef struct {
    ql_scope_t scope;
    ql_event_t event; /* its timer: the deadline, or the shield's end */
    ql_lua_t *lua;
    lua_State *L;        /* coroutine that opened it, kept by the fenv */
    uint64_t timeout;    /* ns; QL_TIMER_INFINITE: none */
    int err;             /* QL_E_CANCELLED, QL_E_DEADLINE: how it was cancelled
                            itself; 0: it was not */
    uint16_t swallowed;  /* of its task when it was opened */
    uint8_t failure;     /* ql_block_failure_t */
    unsigned opened : 1; /* has been entered, once and for all */
} ql_block_t;

/* Slots of the fenv table of a task or a block. The root has one too. */
enum {
    QL_TASK_THREAD = 1, /* its coroutine; before a delayed start without
                           arguments its function */
    QL_TASK_CHAIN,      /* "\n\tspawned at ..." of it and its ancestors */
    QL_TASK_LOCALS,     /* shared with other tasks, never changed */
    QL_TASK_SLOTS = QL_TASK_LOCALS, /* so many are made beforehand */
    QL_TASK_NAME,
    QL_TASK_WHY,      /* of its cancellation */
    QL_TASK_START,    /* function and arguments of a delayed start */
    QL_TASK_DEFERRED, /* its newest deferred call */
    QL_TASK_UNWIND,   /* the coroutine that will run them */
    QL_BLOCK_FAILED = QL_TASK_CHAIN, /* the task that failed first */
    QL_BLOCK_SLOTS = QL_TASK_WHY     /* so many are made beforehand */
};

enum {
    QL__SIGNALS = 3 /* SIGINT, SIGTERM and SIGQUIT */
};

/* SIGINT, SIGTERM and SIGQUIT while the loop runs: signal.c */
typedef struct {
    ql_connection_t *conn;             /* of the signalfd; NULL: not made */
    struct sigaction old[QL__SIGNALS]; /* dispositions before the loop ran */
    sigset_t mask;                     /* and the mask */
    int depth;                         /* drives under way */
    int received;                      /* SIGINT or SIGTERM; 0: none */
    lua_State *dumper; /* its value 1 writes the dump; NULL: none */
    bool caught;       /* ours are in place */
} ql_signals_t;

/* The place of the last spawn: spawning in a loop finds its words here. */
typedef struct {
    const void *function; /* that called */
    int line;
    uint64_t parent; /* id */
    int ref;         /* registry: the string */
} ql_chain_t;

/* Who keeps the loop for too long: ../watchdog. What the tick, a signal handler,
 * writes is read between ticks only by code that a new tick does not mislead. */
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
} ql_watchdog_t;

/* A coroutine without a task, or a place for one. */
typedef struct {
    lua_State *co; /* NULL: none yet */
    uint8_t berth; /* where its fenv is kept */
} ql_idle_t;

struct ql_lua_s {
    ql_loop_t *loop;    /* NULL once the state is closing */
    lua_State *driver;  /* the thread whose C function runs the loop now; one
                          of its own while nothing does */
    ql_task_t *current; /* that runs; the root when none does */
    ql_task_t *drive;   /* innermost task that runs the loop in require */
    uint64_t resumes;   /* of coroutines */
    uint64_t slice;     /* ns: when the current slice's clock was first read */
    int budget;         /* immediate completions left in this resume */
    ql_task_t root;
    ql_queue_t deferred; /* ready tasks that a nested drive holds back */
    uint64_t next_id;    /* the last task's; counts from 1 */
    int root_table;      /* registry: the root's slots */
    int traces;          /* registry: kept beside errors */
    unsigned traced;     /* errors that were no objects, kept there so far */
    int keep_failure;    /* registry: the function that keeps them */
    int unwind;          /* registry: the function that runs deferred calls */
    int anchor_table;    /* registry: what keeps live tasks reachable */
    int berths;          /* registry: fenvs of coroutines that serve on */
    int nidle;           /* of these, the ones without a task */
    ql_idle_t idle[QL__IDLE_MAX];
    int task_metatable;  /* registry */
    int block_metatable; /* registry */
    int resumers; /* registry: coroutine -> the one that quoll.coroutine resumed
                     it from, while it runs or waits; true: the main chunk */
    int anchors;  /* slots used since that table was made */
    int anchor_free; /* its first free slot; 0: none */
    ql_chain_t chain;
    ql_account_t account;
    uint64_t spawned; /* tasks; = ended + live */
    uint64_t ended;
    uint64_t failed; /* of those that ended */
    uint32_t random; /* state of the numbers that make select fair */
    ql_signals_t signals;
    const void *transparent[2]; /* C functions a wait may cross: pcall... */
    const void *loaders[2];     /* require, dofile: a wait drives the loop */
    char own_chunks[256]; /* chunk name of quoll's Lua modules begins so */
    ql_watchdog_t watchdog;
};

/* co.c */
void ql__co_register(lua_State *L, ql_lua_t *lua);
/* Handler of every task's event. */
void ql__task_event(ql_event_t *ev);
/* Takes t out of the posted queues, and out of those that a nested drive holds
 * back. */
void ql__unpost(ql_task_t *t);
/* Leaves the coroutine L, in which t runs, and t with the topmost n values; for
 * co.c and cancel.c. */
int ql__yield(lua_State *L, ql_task_t *t, int n);

/* waiter.c */
void ql__waiter_init(lua_State *L, ql_lua_t *lua);
void ql__waiter_register(lua_State *L, ql_lua_t *lua);
/* The task as which L may wait now; *drive: by running the loop. Raises where
 * L cannot wait. */
ql_task_t *ql__waiter(lua_State *L, ql_lua_t *lua, bool *drive);
/* Replaces the coroutine on top of L by the one from which quoll.coroutine
 * resumed it. NULL: none did, or the main chunk. */
lua_State *ql__waiter_outward(lua_State *L, ql_lua_t *lua);
/* Pops a coroutine: is it one that nobody has resumed? Never allocates. */
bool ql__waiter_outside(lua_State *L, ql_lua_t *lua);
/* The wait of t in L never ends: the coroutines from L outward to its own, which
 * it leaves, cannot be resumed, also when those further out are collected. */
void ql__waiter_strand(lua_State *L, const ql_task_t *t);
/* The own operation of the running task, for a new wait; raises while another
 * one has it: Lua may run (a finaliser, __tostring) below the loop that a
 * waiting task runs. */
ql_own_op_t *ql__own_op(lua_State *L, ql_lua_t *lua, const ql_op_type_t *type);

/* boundary.c: co cannot yield; raises in L unless only require or dofile stand
 * in between, where a wait may run the loop. */
void ql__check_boundary(lua_State *L, lua_State *co, ql_lua_t *lua) QL_COLD;
void ql__boundary_init(lua_State *L, ql_lua_t *lua);

/* spawn.c */
void ql__spawn_register(lua_State *L, ql_lua_t *lua);
/* parent: the scope it belongs to; NULL for the root. */
void ql__task_init(ql_task_t *t, ql_lua_t *lua, ql_scope_t *parent);
/* Raises unless the value at arg can be called. */
void ql__check_function(lua_State *L, int arg, const char *method);
/* Turns [fn, args...] into [task], started in the scope at the next turn. */
ql_task_t *ql__task_spawn(lua_State *L, ql_scope_t *parent, const char *method);
/* Makes the coroutine of a task that starts now. false: no memory. */
bool ql__task_start(ql_task_t *t, int *nargs);
ql_task_t *ql__task_check(lua_State *L, int idx, const char *method);

/* anchor.c */
void ql__anchor_init(lua_State *L, ql_lua_t *lua);
/* Anchors the task at idx; its reference. May raise. */
int ql__anchor(lua_State *L, ql_lua_t *lua, int idx);
void ql__anchor_drop(ql_lua_t *lua, int ref);
/* Pushes the userdata of a scope of the tree: its task's or its block's. */
void ql__scope_push(lua_State *L, const ql_scope_t *s);
static inline void
ql__task_push(lua_State *L, const ql_task_t *t)
{
    ql__scope_push(L, &t->scope);
}
/* Pushes the table with the slots of a live task or of the root. */
void ql__task_push_slots(lua_State *L, const ql_task_t *t);

/* idle.c */
void ql__idle_init(lua_State *L, ql_lua_t *lua);
/* Pushes the fenv of a new task, with a coroutine in it. May raise. */
lua_State *ql__idle_take(lua_State *L, ql_lua_t *lua, uint8_t *berth);
/* The function of co has returned: co and its fenv serve on. */
void ql__idle_give(ql_lua_t *lua, lua_State *co, uint8_t berth);
/* Pushes the fenv of the task at idx, which may have ended. May raise. */
void ql__task_push_fenv(lua_State *L, int idx);
/* The coroutine of this berth serves no more. */
void ql__idle_lose(ql_lua_t *lua, uint8_t berth);

/* end.c */
/* The coroutine returned or raised; status is lua_resume's. */
void ql__task_returned(ql_task_t *t, int status);
/* Ends t as `result` once its children have ended. */
void ql__task_close(ql_task_t *t, ql_task_state_t result);
/* Ends t, when it is closing and its children have ended, and its parents. */
void ql__task_settle(ql_task_t *t);
/* Posted, but nothing of it has run. */
static inline bool
ql__task_starting(const ql_task_t *t)
{
    return t->state == QL_TASK_STARTING && !t->unwinding;
}
static inline bool
ql__task_ended(const ql_task_t *t)
{
    return t->state >= QL_TASK_DONE;
}

/* task/scope.c: the tree. */
void ql__scope_init(ql_scope_t *s, ql_task_t *t, ql_scope_t *parent);
/* The next scope below top, parents first; NULL after the last. down: what is
 * below s comes next, else it is left out. */
ql_scope_t *ql__scope_next(ql_scope_t *s, const ql_scope_t *top, bool down);
/* The next task below top, parents first; NULL after the last. */
ql_task_t *ql__task_next(ql_task_t *t, const ql_task_t *top);
/* Takes a task's scope out of its parent's children. */
void ql__scope_remove(ql_scope_t *s);
/* Moves a task's scope to another parent. */
void ql__scope_move(ql_scope_t *s, ql_scope_t *parent);
/* Has the coroutine of the block yielded inside it, or died? */
bool ql__scope_left(ql_scope_t *s);
/* Where the task's next scope or task goes. Blocks that are left so are ended
 * first. */
ql_scope_t *ql__scope_innermost(ql_task_t *t);
/* Ends the blocks that t has open inside s before their time: their tasks are
 * cancelled and become children of their parents. */
void ql__scope_unwind(ql_task_t *t, const ql_scope_t *s);

/* task/block.c: scopes that functions run in. */
void ql__block_register(lua_State *L, ql_lua_t *lua);
ql_block_t *ql__block_check(lua_State *L, int idx, const char *method);

/* task/leave.c */
void ql__leave_register(lua_State *L, ql_lua_t *lua);
/* The block ends before its time: what failed in it is logged. */
void ql__block_abandon(ql_block_t *b);
/* t has failed; true: its block raises that. */
bool ql__block_failed(ql_task_t *t);
/* ql_op_type_t.push of the wait with which a block is left. */
int ql__block_results(lua_State *L, ql_op_t *op, int rc);
static inline ql_block_t *
ql__block(ql_scope_t *s)
{
    return ql_queue_data(s, ql_block_t, scope);
}

/* cancel.c */
/* why NULL: the reason is in the fenv. Whose cancellation came first counts. */
void ql__scope_cancel(ql_scope_t *s, const char *why);
static inline void
ql__task_cancel(ql_task_t *t, const char *why)
{
    ql__scope_cancel(&t->scope, why);
}
/* The cancellation of cause reaches top, and what is below up to shields. */
void ql__scope_spread(ql_scope_t *top, ql_scope_t *cause);
/* A cancellation has ended a wait in s, or kept a task of it from starting. */
void ql__scope_cut(ql_scope_t *s);
/* The innermost scope of t, or its state, is another one. */
void ql__scope_refresh(ql_task_t *t);
/* Only tasks in the background are left in s: they are cancelled. */
void ql__scope_alone(ql_scope_t *s);
/* Raises the cancellation of t in L; ends t by force when it has swallowed
 * too many. */
int ql__cancel_raise(lua_State *L, ql_task_t *t) QL_COLD;
bool ql__is_cancellation(lua_State *L, int idx);
void ql__cancel_register(lua_State *L, ql_lua_t *lua);

/* report.c: a failed task's error, traceback and spawners, once, logged. */
void ql__report_failure(ql_task_t *t);
/* The same for the task that b would have raised. */
void ql__report_block(ql_block_t *b);

/* join.c: waits for a task's end, for room among the children, for all. */
void ql__join_register(lua_State *L, ql_lua_t *lua);
/* t has ended. */
void ql__join_ended(ql_task_t *t);
/* A task of s has ended. */
void ql__join_child(ql_scope_t *s);
/* Is the wait of t for its children only? A signal does not cut it. */
bool ql__join_children(const ql_task_t *t);
/* Waits for all tasks of b; the stack, kept so, goes to ql__block_results. */
int ql__join_leave(lua_State *L, ql_block_t *b);
/* Has the failed task raised the value at idx? */
bool ql__join_same(lua_State *L, ql_task_t *t, int idx);

/* sync/sync.c */
void ql__sync_register(lua_State *L, ql_lua_t *lua);

/* sleep.c */
void ql__sleep_register(lua_State *L, ql_lua_t *lua);

/* task/locals.c */
void ql__locals_register(lua_State *L, ql_lua_t *lua);
/* Gives those of t to the table of slots on top. */
void ql__locals_inherit(lua_State *L, const ql_task_t *t);

/* task/defer.c */
void ql__defer_register(lua_State *L, ql_lua_t *lua);
/* t, which has closed, runs its deferred calls. false: no memory. */
bool ql__defer_start(ql_task_t *t);
/* The coroutine that runs them has ended: with lua_resume's status. */
void ql__defer_returned(ql_task_t *t, int status);

/* task/trace.c: idx is that of a task's userdata, from the bottom. */
void ql__trace_register(lua_State *L, ql_lua_t *lua);
/* Pushes "task 5 'name'". */
void ql__task_push_title(lua_State *L, int idx);
/* Pushes the traceback of where the task is, itself and its spawners, behind
 * head (may be NULL). */
void ql__trace_push(lua_State *L, int idx, const char *head);
/* Pushes the error of a failed task with its tracebacks. May raise. */
void ql__failure_push(lua_State *L, int idx);
/* Raises the error of a failed task unchanged, in the running task; keeps its
 * tracebacks for quoll.traceback. */
int ql__failure_raise(lua_State *L, int idx) QL_COLD;

/* task/cycle.c: raises, and names the cycle, when target cannot end before t:
 * t is about to wait for it. */
void ql__cycle_check(lua_State *L, ql_task_t *t, const ql_task_t *target,
                     uint64_t timeout);

/* info.c: what tasks and the runtime tell about themselves. */
const char *ql__task_state(const ql_task_t *t);
/* "task 12 'reader'" into text. */
void ql__task_title(const ql_task_t *t, char *text, size_t size);
void ql__info_register(lua_State *L, ql_lua_t *lua);

/* inspect/account.c */
/* t, which waits, begins to run the loop. */
void ql__account_enter(ql_task_t *t);
/* The coroutine of t has just stopped. */
void ql__account_charge(ql_task_t *t);

/* inspect/tasks.c */
/* The coroutine of t, or one within it, that waits; else t's own. */
lua_State *ql__task_place(const ql_task_t *t);
void ql__tasks_register(lua_State *L, ql_lua_t *lua);
/* inspect/turns.c */
void ql__turns_register(lua_State *L, ql_lua_t *lua);

/* ../watchdog/overrun.c */
void ql__overrun_register(lua_State *L);
/* The coroutine of t, which runs, has stopped after a long resume. */
void ql__overrun_stopped(ql_task_t *t) QL_COLD;

/* signal.c */
const char *ql__signal_name(int signo);
void ql__signals_enter(ql_lua_t *lua);
void ql__signal_register(lua_State *L, ql_lua_t *lua);
void ql__signals_leave(ql_lua_t *lua);
/* The last child of the root has ended: a signalled main chunk goes on. */
void ql__signals_idle(ql_lua_t *lua);

/* error.c: the script's line in L: its first frame outside quoll's own modules.
 * false: there is none. */
bool ql__where(const ql_lua_t *lua, lua_State *L, lua_Debug *ar);
/* Pushes it, "file:line", or "" without one. */
void ql__push_where(lua_State *L);

/* handle.c: closes what t owns, newest first. */
void ql__handles_close(ql_task_t *t);
/* Pushes the type's metatable, made at the first call. */
void ql__handle_metatable(lua_State *L, const ql_handle_type_t *type);

/* state.c: puts fns into the table on top, each with lua as upvalue 1. */
void ql__register(lua_State *L, ql_lua_t *lua, const luaL_Reg *fns);
static inline ql_lua_t *
ql__upvalue(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

#endif
