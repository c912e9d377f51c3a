/*
 * task.h: what a task is, from its spawn to its end.
 */
#ifndef QUOLL_TASK_H
#define QUOLL_TASK_H

#include "../scope/scope.h"

enum {
    QL__IDLE_MAX = 64 /* coroutines kept for tasks to come */
};

/* Ends of a task, or of its deferred calls, that have no error value. */
#define QL_FAULT_RESUMED "its coroutine was resumed by a script"
#define QL_FAULT_YIELDED                                                       \
    "coroutine.yield in a task yields to nobody: use quoll.yield"
#define QL_FAULT_SWALLOWED                                                     \
    "swallowed 1,000 cancellations and was ended by force"

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

/*
 * What a script holds of a task: its userdata. It outlives the task, which is
 * no memory of the collector's: few bytes, so that it comes by more rarely.
 */
typedef struct {
    const void *kind; /* tells a task from other userdata */
    ql_lua_t *lua;
    ql_task_t *task;   /* NULL: it has ended, and this is how: */
    lua_State *L;      /* with its results or its error; NULL: there is none */
    const char *fault; /* of a failure without an error value */
    double value;      /* kept: the number; 1 for true */
    uint64_t id;       /* from the beginning: from 1 in the order of spawning */
    uint8_t state;     /* ql_task_state_t */
    int8_t value_type; /* kept: LUA_TNUMBER, LUA_TBOOLEAN or LUA_TNIL */
    unsigned kept : 1; /* its only result is in `value` */
    unsigned given : 1;   /* its fenv is another task's */
    unsigned forced : 1;  /* cancelled, which it swallowed */
    unsigned seen : 1;    /* failed, and raised in one who waited for it */
    ql_queue_t waiters;   /* of ql_own_op_t.link: who waits for its end */
    ql_queue_t selectors; /* of ql_select_t.link: who selects for it */
} ql_outcome_t;

/* The operation of waits for what has room for several waiters, or for nothing
 * at all: sleep, task:wait, room, leave, quoll.sync. */
typedef struct {
    ql_op_t op;
    ql_queue_t link; /* in the waiters of target or handle */
    union {
        ql_outcome_t *target; /* task:wait */
        ql_scope_t *scope;    /* room, leave: whose tasks */
        ql_handle_t *handle;  /* quoll.sync: anchored by the wait */
    };
    lua_State *from;      /* channel: has the channel first and, of a send, the
                            item last on its stack */
    uint32_t room;        /* room: fewer tasks than this; ql_return: results */
    uint32_t count;       /* semaphore: permits wanted */
    unsigned posted : 1;  /* sleep: the turn or the time has come next */
    unsigned granted : 1; /* quoll.sync: has what it waits for, until its push
                             or its free */
} ql_own_op_t;

static inline ql_own_op_t *
ql__own(ql_op_t *op)
{
    return ql_queue_data(op, ql_own_op_t, op);
}

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
    unsigned deferred : 1;  /* has deferred calls to run at its end */
    unsigned unwinding : 1; /* its function has ended and L is another
                               coroutine, which runs them; result holds */
    unsigned needed : 1;    /* with what it has started it goes on although
                               another task drives */
    uint8_t berth;          /* that its coroutine has; 0: none */
    ql_scope_t *innermost;  /* of its scopes; what it spawns goes there */
    ql_scope_t scope;       /* its own */
    ql_queue_t handles;     /* it owns, newest first */
    ql_own_op_t own;
    uint64_t ticks;        /* of the account: its coroutine ran */
    uint64_t born;         /* ns of the loop's clock: spawned */
    uint64_t parked;       /* the same: its last wait began */
    const char *fault;     /* of a failure without an error value */
    uint64_t id;           /* from 1 in the order of spawning; root: 0 */
    ql_outcome_t *outcome; /* its userdata; NULL: the root, or a handler's task,
                              which nobody has asked for yet */
#ifdef QL_CHECKS
    ql_handle_t *within;      /* whose memory holds op, while parked; or NULL */
    const ql_op_type_t *type; /* that op has had since its wait began; NULL:
                                 none is noted */
    ql_task_t *next_loose;    /* in ql_lua_t.loose */
#endif
};

/* The place of the last spawn: spawning in a loop finds its words here. */
typedef struct {
    const void *function; /* that called */
    int line;
    uint64_t parent; /* id */
    uint64_t number; /* how many there have been; 0: none */
    int ref;         /* registry: the string */
} ql_chain_t;

/* Where a coroutine serves one task after the other, or could. */
typedef struct {
    lua_State *co;  /* kept by the fenv of this berth; NULL: none yet */
    uint64_t chain; /* number of the one in that fenv */
    uint8_t next;   /* free berth; 0: none */
} ql_berth_t;

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

/* outcome.c */
void ql__outcome_register(lua_State *L, ql_lua_t *lua);
/* Argument idx as a task, live or ended; raises. */
ql_outcome_t *ql__task_check(lua_State *L, int idx, const char *method);
/* Pushes one that is no task's yet: cancelled. */
ql_outcome_t *ql__outcome_new(lua_State *L, ql_lua_t *lua);
/* It is that of t from now on. */
void ql__outcome_open(ql_outcome_t *o, ql_task_t *t);
/* Pushes a new one of t, which has none. May raise. t may be gone afterwards,
 * unless it runs or something below it does; the userdata says so. */
void ql__outcome_push(lua_State *L, ql_task_t *t);

/* Of a live task; as ql__outcome_push() where it has none. */
static inline void
ql__task_push(lua_State *L, const ql_task_t *t)
{
    ql__scope_push(L, &t->scope);
}
/* Pushes the table with the slots of a live task or of the root; the same. */
void ql__task_push_slots(lua_State *L, const ql_task_t *t);
/* Pushes what one of them has; nil where there is no table yet, but for the
 * chain, which is the parent's then. Never allocates. */
void ql__task_push_slot(lua_State *L, const ql_task_t *t, int slot);
static inline void
ql__task_cancel(ql_task_t *t, const char *why)
{
    ql__scope_cancel(&t->scope, why);
}

/* idle.c */
void ql__idle_init(lua_State *L, ql_lua_t *lua);
/* Pushes the fenv of a new task, with a coroutine in it. May raise. */
lua_State *ql__idle_take(lua_State *L, ql_lua_t *lua, uint8_t *berth);
/* Pushes only the coroutine; away from the berths it has no fenv. May raise. */
lua_State *ql__idle_take_bare(lua_State *L, ql_lua_t *lua, uint8_t *berth);
/* Pushes the fenv of the berth's coroutine. */
void ql__idle_push(lua_State *L, const ql_lua_t *lua, uint8_t berth);
/* The function of its coroutine has returned: that and its fenv serve on. */
void ql__idle_give(ql_lua_t *lua, uint8_t berth);
/* Pushes the fenv of the task at idx, which may have ended. May raise. */
void ql__task_push_fenv(lua_State *L, int idx);
/* The coroutine of this berth serves no more. */
void ql__idle_lose(ql_lua_t *lua, uint8_t berth);

/* end.c */
/* The state is closing, its loop has gone: what is left of the tree is freed
 * through sys. */
void ql__tasks_free(ql_lua_t *lua, const ql_sys_t *sys);
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
/* Nobody has asked for its userdata yet. */
static inline bool
ql__task_unheld(const ql_task_t *t)
{
    return t->outcome == NULL && t->scope.parent != NULL;
}
static inline bool
ql__task_ended(const ql_task_t *t)
{
    return t->state >= QL_TASK_DONE;
}

/* defer.c */
void ql__defer_register(lua_State *L, ql_lua_t *lua);
/* t, which has closed, runs its deferred calls. false: no memory. */
bool ql__defer_start(ql_task_t *t);
/* The coroutine that runs them has ended: with lua_resume's status. */
void ql__defer_returned(ql_task_t *t, int status);

/* join.c: waits for a task's end, for room among the children, for all. */
void ql__join_register(lua_State *L, ql_lua_t *lua);
/* Does anybody wait for its end? */
bool ql__join_awaited(const ql_task_t *t);
/* t has ended. */
void ql__join_ended(ql_task_t *t);
/* A task of s has ended. */
void ql__join_child(ql_scope_t *s);
/* The live task for whose end op waits; NULL: it waits for something else. */
ql_task_t *ql__join_needs(ql_op_t *op);
/* Is the wait of t for its children only? A signal does not cut it. */
bool ql__join_children(const ql_task_t *t);
/* Waits for all tasks of b; the stack, kept so, goes to ql__block_results. */
int ql__join_leave(lua_State *L, ql_block_t *b);
/* Has the failed task raised the value at idx? */
bool ql__join_same(lua_State *L, const ql_outcome_t *o, int idx);

/* join_cycle.c: raises, and names the cycle, when target cannot end before t:
 * t is about to wait for it. */
void ql__cycle_check(lua_State *L, ql_task_t *t, const ql_task_t *target,
                     uint64_t timeout);

/* sync/mutex.c: who holds the mutex for which op waits; NULL: nobody, or op
 * waits for something else. */
ql_task_t *ql__mutex_needs(ql_op_t *op);

/* sync/select.c */
/* Is op one of quoll.select? */
bool ql__selects(const ql_op_t *op);
/* Their object has ended: whose they are attempt again, soon,
 * and stay in its queue no more. */
void ql__selectors_leave(ql_queue_t *selectors);
/* Of ql_select_t.link: the operation that selects this alone; NULL: it has
 * other objects. */
const ql_op_t *ql__select_sole(ql_queue_t *link);

/* sleep.c */
/* Does op wait for the time, or for the next turn? */
bool ql__sleeps(const ql_op_t *op);
void ql__sleep_register(lua_State *L, ql_lua_t *lua);

/* locals.c */
void ql__locals_register(lua_State *L, ql_lua_t *lua);
/* Gives those of t to the table of slots on top. */
void ql__locals_inherit(lua_State *L, const ql_task_t *t);

/* task.c */
const char *ql__task_state(const ql_task_t *t);
const char *ql__outcome_state(const ql_outcome_t *o);
/* "task 12 'reader'" into text. */
void ql__task_title(const ql_task_t *t, char *text, size_t size);
/* The same of a task that may have ended, and has no name then. */
void ql__outcome_title(const ql_outcome_t *o, char *text, size_t size);
void ql__task_methods_register(lua_State *L, ql_lua_t *lua);

/* stack.c: pushes the traceback of co, behind head (may be NULL). error: the
 * words of what has ended co, or NULL. */
void ql__stack_push(lua_State *L, lua_State *co, const char *head,
                    const char *error);

/* traceback.c: idx is that of a task's userdata, from the bottom. */
void ql__trace_register(lua_State *L, ql_lua_t *lua);
/* Pushes "task 5 'name'". */
void ql__task_push_title(lua_State *L, int idx);
/* Pushes the error of a failed task with its tracebacks. May raise. */
void ql__failure_push(lua_State *L, int idx);
/* Raises the error of a failed task unchanged, in the running task; keeps its
 * tracebacks for quoll.traceback. */
int ql__failure_raise(lua_State *L, int idx) QL_COLD;

/* report.c */
void ql__report_register(lua_State *L, ql_lua_t *lua);
/* A failed task's error, traceback and spawners, once, logged. */
void ql__report_failure(ql_task_t *t);
/* The same for the task that b would have raised. */
void ql__report_block(ql_block_t *b);

#endif
