/*
 * scope.h: the tree of scopes, and the scopes that functions run in.
 */
#ifndef QUOLL_SCOPE_H
#define QUOLL_SCOPE_H

#include "../quoll_lua.h"

#include <stdbool.h>

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
    const char *why;         /* of its cancellation from C; NULL: in the fenv */
    uint32_t ntasks;         /* children that are tasks */
    uint32_t nbackground;    /* of these, the ones in the background */
    int ref;                 /* in the table of anchors while it is in the tree;
                             QL_ANCHOR_BERTH: none */
    unsigned block : 1;      /* part of a ql_block_t, not a task's own */
    unsigned shield : 1;     /* a parent's cancellation does not reach it;
                                cleared by its timer */
    unsigned background : 1; /* a task that does not keep its parent open */
    unsigned leaving : 1;    /* its function has returned: what its task waits
                                for now is not cut */
    unsigned alone : 1;      /* only background tasks were left: cancelled */
    unsigned cut : 1;        /* a cancellation that has reached it has
                                 ended a wait inside, or kept a task from
                                 starting */
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

enum {
    QL_ANCHOR_BERTH = 0 /* ql_scope_t.ref of a task that its berth anchors */
};

/* Slots of the fenv table of a task or a block. The root has one too. */
enum {
    QL_TASK_SELF,   /* the task, if it is at a berth: that anchors it. Tables
                       with slots have one for 0, too */
    QL_TASK_THREAD, /* its coroutine; before a delayed start without
                           arguments its function */
    QL_TASK_CHAIN,  /* "\n\tspawned at ..." of it and its ancestors */
    QL_TASK_LOCALS, /* shared with other tasks, never changed */
    QL_TASK_SLOTS = QL_TASK_LOCALS, /* so many are made beforehand */
    QL_TASK_NAME,
    QL_TASK_WHY,      /* of its cancellation */
    QL_TASK_START,    /* function and arguments of a delayed start */
    QL_TASK_DEFERRED, /* its newest deferred call */
    QL_TASK_UNWIND,   /* the coroutine that will run them */
    QL_BLOCK_FAILED = QL_TASK_CHAIN, /* the task that failed first */
    QL_BLOCK_SLOTS = QL_TASK_WHY     /* so many are made beforehand */
};

/* scope.c: the tree. */
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

/* anchor.c */
void ql__anchor_init(lua_State *L, ql_lua_t *lua);
/* Anchors the value at idx; its reference. May raise. */
int ql__anchor(lua_State *L, ql_lua_t *lua, int idx);
void ql__anchor_drop(ql_lua_t *lua, int ref);
/* Replaces the value on top by the anchored one, and that by it. */
void ql__anchor_swap(lua_State *L, const ql_lua_t *lua, int ref);
/* Pushes the userdata of a scope of the tree: its task's or its block's. */
void ql__scope_push(lua_State *L, const ql_scope_t *s);

/* block.c: scopes that functions run in. */
void ql__block_register(lua_State *L, ql_lua_t *lua);
ql_block_t *ql__block_check(lua_State *L, int idx, const char *method);

/* leave.c */
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

#endif
