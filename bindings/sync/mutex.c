/*
 * mutex.c: a lock that a task holds. The holder is the handle's owner, so that
 * its end, by whatever path, lets go of the lock.
 */
#include "sync.h"

#include <stdio.h>

typedef struct {
    ql_sync_t sync;     /* owner: who holds the lock; NULL: nobody */
    ql_queue_t waiters; /* of ql_own_op_t.link */
    uint64_t holder;    /* id of the task that has or had it last */
    bool abandoned;     /* the last holder ended with it; told by lock */
} mutex_t;

static mutex_t *
mutex_of(const ql_own_op_t *own)
{
    return ql_queue_data(own->handle, mutex_t, sync.handle);
}

static void
mutex_give(mutex_t *m, ql_task_t *t)
{
    ql_handle_own(&m->sync.handle, t);
    if (t != NULL) {
        m->holder = t->id;
    }
}

/* The lock is free: the first waiter has it. */
static void
mutex_pass(mutex_t *m)
{
    ql_task_t *next = NULL;

    if (!ql_queue_empty(&m->waiters)) {
        next = ql__first_waiter(&m->waiters)->op.task;
        ql__sync_wake(&m->waiters);
    }
    mutex_give(m, next);
}

static int
lock_attempt(ql_op_t *op)
{
    ql_own_op_t *own = ql__own(op);
    mutex_t *m = mutex_of(own);

    if (m->sync.handle.owner != NULL) {
        return ql__sync_park(own, &m->waiters);
    }
    mutex_give(m, op->lua->current);
    own->granted = 1;
    return NGX_OK;
}

static int
lock_push(lua_State *L, ql_op_t *op, int rc)
{
    mutex_t *m = mutex_of(ql__own(op));
    int n = ql__sync_push(L, op, rc);

    if (rc == NGX_OK && m->abandoned) {
        m->abandoned = false;
        lua_pushliteral(L, "abandoned");
        return n + 1;
    }
    return n;
}

/* Of a wait that the loop's failure has ended after all. */
static void
lock_free(ql_op_t *op)
{
    ql_own_op_t *own = ql__own(op);

    if (own->granted) {
        own->granted = 0;
        mutex_pass(mutex_of(own));
    }
}

/* Of a locked one: "task 5 'writer'". */
static void
mutex_holder(const mutex_t *m, char *text, size_t size)
{
    const ql_task_t *holder = m->sync.handle.owner;

    if (holder->id != 0) {
        ql__task_title(holder, text, size);
    } else {
        (void) snprintf(text, size, "the main chunk");
    }
}

/* "mutex: 'db', held by task 5 'writer'" */
static void
lock_describe(ql_op_t *op, char *text, size_t size)
{
    char title[128];

    mutex_holder(mutex_of(ql__own(op)), title, sizeof(title));
    ql__sync_describe(op, text, size);
    ql__sync_add(text, size, ", held by %s", title);
}

static const ql_op_type_t lock_op = {.name = "mutex",
                                     .attempt = lock_attempt,
                                     .push = lock_push,
                                     .cancel = ql__sync_leave,
                                     .free = lock_free,
                                     .describe = lock_describe};

ql_task_t *
ql__mutex_needs(ql_op_t *op)
{
    return op->type == &lock_op ? mutex_of(ql__own(op))->sync.handle.owner
                                : NULL;
}

/* A mutex is never closed: its holder has ended, or the collector has it, and
 * then nobody waits. */
static void
mutex_close(ql_handle_t *h, int err)
{
    mutex_t *m = ql_queue_data(h, mutex_t, sync.handle);
    char title[64];

    if (err == QL_E_OWNER_ENDED) {
        ql__sync_title(&m->sync, "mutex", title, sizeof(title));
        ql_log_error(h->lua->loop, QL_LOG_WARN, 0,
                     "task %llu ended while it held a %s",
                     (unsigned long long) m->holder, title);
    }
    h->closed = 0;
    m->abandoned = true;
    mutex_pass(m);
}

static const ql_handle_type_t mutex_type = {.name = "mutex",
                                            .close = mutex_close};

static mutex_t *
mutex_check(lua_State *L, const char *method)
{
    return ql_handle_check(L, 1, &mutex_type, method);
}

/* new([kind]) -> mutex */
static int
mutex_new(lua_State *L)
{
    const char *kind = ql__sync_kind(L, 1);
    mutex_t *m = ql__sync_new(L, ql__upvalue(L), &mutex_type, sizeof(*m));

    m->sync.kind = kind;
    ql_queue_init(&m->waiters);
    return 1;
}

/* lock(self, [s]) -> true, ["abandoned"] | nil, err, CODE */
static int
mutex_lock(lua_State *L)
{
    mutex_t *m = mutex_check(L, "lock");
    uint64_t timeout = ql_check_timeout(L, 2, "s", "lock");
    ql_own_op_t *own;

    if (m->sync.handle.owner == m->sync.handle.lua->current) {
        return ql_raise(L, "the mutex is locked by this task already");
    }
    own = ql__sync_op(L, &m->sync.handle, &lock_op);
    own->op.timeout = timeout;
    lua_settop(L, 1);
    return ql_await(L, &own->op, 1);
}

/* unlock(self) */
static int
mutex_unlock(lua_State *L)
{
    mutex_t *m = mutex_check(L, "unlock");

    if (m->sync.handle.owner == NULL) {
        return ql_raise(L, "the mutex is not locked");
    }
    if (m->sync.handle.owner != m->sync.handle.lua->current) {
        char title[128];

        mutex_holder(m, title, sizeof(title));
        return ql_raise(L, "the mutex is locked by %s", title);
    }
    mutex_pass(m);
    return 0;
}

/* holds(self): does the running task hold it? */
static int
mutex_holds(lua_State *L)
{
    mutex_t *m = mutex_check(L, "holds");

    lua_pushboolean(L, m->sync.handle.owner == m->sync.handle.lua->current);
    return 1;
}

void
ql__mutex_open(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {{"new", mutex_new},
                                   {"lock", mutex_lock},
                                   {"unlock", mutex_unlock},
                                   {"holds", mutex_holds},
                                   {NULL, NULL}};
    static const char *const none[] = {"close", "own", "disown"};

    ql__sync_open(L, lua, &mutex_type, fns);
    ql_handle_methods(L, &mutex_type);
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        lua_pushnil(L);
        lua_setfield(L, -2, none[i]);
    }
    lua_pop(L, 1);
}
