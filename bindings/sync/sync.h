/*
 * sync.h: what the files of quoll.sync share. Each object is a handle with
 * queues of waiters, oldest first. A waiter is the own operation of its task:
 * a wait allocates nothing. Who gives something to a waiter ends its wait there
 * and then (ql_op_done), so that nothing can come between grant and use, and
 * nobody overtakes.
 */
#ifndef QUOLL_SYNC_H
#define QUOLL_SYNC_H

#include "../base/state.h"

enum {
    QL_SYNC_NAME = 24 /* bytes of a name, the last is 0 */
};

/* What the objects begin with. */
typedef struct {
    ql_handle_t handle;
    const char *kind; /* of what it is part of, "waitgroup"; NULL: of none */
    bool named;       /* the script has given it a name */
    char name[QL_SYNC_NAME]; /* that; else "jobs.lua:12", where it was made, or
                                "": not in a script. For who asks what a task
                                waits for */
} ql_sync_t;

static inline ql_own_op_t *
ql__first_waiter(const ql_queue_t *waiters)
{
    return ql_queue_data(waiters->next, ql_own_op_t, link);
}

/* Pushes a new object of `size` bytes, a ql_sync_t in front, open; no task owns
 * it. */
void *ql__sync_new(lua_State *L, ql_lua_t *lua, const ql_handle_type_t *type,
                   size_t size);
/* The running task's own operation, about to wait for h. */
ql_own_op_t *ql__sync_op(lua_State *L, ql_handle_t *h,
                         const ql_op_type_t *type);

/* The halves of an operation that most have in common. */
/* true | nil, err, CODE */
int ql__sync_push(lua_State *L, ql_op_t *op, int rc);
/* "mutex: 'jobs'", "waitgroup: 0x... of jobs.lua:12"; kind: what the object is
 * when it is part of none. */
void ql__sync_title(const ql_sync_t *o, const char *kind, char *text,
                    size_t size);
/* The same of what op waits for, "channel send: 'jobs'". */
void ql__sync_describe(ql_op_t *op, char *text, size_t size);
/* Adds to the text what has room in its size bytes. */
void ql__sync_add(char *text, size_t size, const char *fmt, ...)
    QL_PRINTF(3, 4);
/* Leaves the queue of waiters. */
void ql__sync_leave(ql_op_t *op);

/* NGX_ERROR when h is closed, else NGX_AGAIN at the end of the queue. */
int ql__sync_park(ql_own_op_t *own, ql_queue_t *waiters);
/* Has it a place in the queue? Then this attempt is no first one. */
static inline bool
ql__sync_parked(const ql_own_op_t *own)
{
    return !ql_queue_empty(&own->link);
}
/* The first waiter goes on with NGX_OK. */
ql_own_op_t *ql__sync_wake(ql_queue_t *waiters);
/* Each waiter goes on with err. */
void ql__sync_end(ql_queue_t *waiters, int err);

/* The kind at index arg, of what the object is part of; NULL: nil. */
const char *ql__sync_kind(lua_State *L, int arg);
/* Puts fns into the module's table (on top of the stack) under the type's name,
 * and the type's methods into its table `methods`. */
void ql__sync_open(lua_State *L, ql_lua_t *lua, const ql_handle_type_t *type,
                   const luaL_Reg *fns);

/* Every object's functions, into the module's table. */
void ql__sync_register(lua_State *L, ql_lua_t *lua);
void ql__channel_open(lua_State *L, ql_lua_t *lua);
void ql__event_open(lua_State *L, ql_lua_t *lua);
void ql__select_open(lua_State *L, ql_lua_t *lua);
void ql__mutex_open(lua_State *L, ql_lua_t *lua);
void ql__semaphore_open(lua_State *L, ql_lua_t *lua);

#endif
