/*
 * semaphore.c: a number of permits. Strictly first come, first served: a waiter
 * that wants more than there is holds back those behind it.
 */
#include "sync.h"

typedef struct {
    ql_sync_t sync;
    ql_queue_t waiters;   /* of ql_own_op_t.link: for permits */
    ql_queue_t idlers;    /* likewise: until every permit is back */
    ql_queue_t selectors; /* of ql_select_t.link */
    uint32_t permits;     /* free */
    uint32_t total;
} semaphore_t;

static semaphore_t *
semaphore_of(const ql_own_op_t *own)
{
    return ql_queue_data(own->handle, semaphore_t, sync.handle);
}

/* Permits go to who waits for them. */
static void
semaphore_serve(semaphore_t *s)
{
    while (!ql_queue_empty(&s->waiters)
           && ql__first_waiter(&s->waiters)->count <= s->permits)
    {
        s->permits -= ql__sync_wake(&s->waiters)->count;
    }
    while (!ql_queue_empty(&s->idlers) && s->permits == s->total) {
        ql__sync_wake(&s->idlers);
    }
    if (s->permits > 0) {
        ql_selectors_ready(&s->selectors);
    }
}

static void
semaphore_give(semaphore_t *s, uint32_t count)
{
    s->permits += count;
    semaphore_serve(s);
}

/* ---------------------------------------------------------- acquire ---- */

static int
acquire_attempt(ql_op_t *op)
{
    ql_own_op_t *own = ql__own(op);
    semaphore_t *s = semaphore_of(own);

    if (!s->sync.handle.closed && ql_queue_empty(&s->waiters)
        && s->permits >= own->count)
    {
        s->permits -= own->count;
        own->granted = 1;
        return NGX_OK;
    }
    return ql__sync_park(own, &s->waiters);
}

/* It may have held others back. */
static void
acquire_cancel(ql_op_t *op)
{
    ql__sync_leave(op);
    semaphore_serve(semaphore_of(ql__own(op)));
}

/* Of a wait that the loop's failure has ended after all. */
static void
acquire_free(ql_op_t *op)
{
    ql_own_op_t *own = ql__own(op);

    if (own->granted) {
        own->granted = 0;
        semaphore_give(semaphore_of(own), own->count);
    }
}

/* "semaphore: 'db', 1 of 4 free", ", wants 2" */
static void
semaphore_describe(ql_op_t *op, char *text, size_t size)
{
    const ql_own_op_t *own = ql__own(op);
    const semaphore_t *s = semaphore_of(own);

    ql__sync_describe(op, text, size);
    ql__sync_add(text, size, ", %u of %u free", s->permits, s->total);
    if (own->count > 1) {
        ql__sync_add(text, size, ", wants %u", own->count);
    }
}

static const ql_op_type_t acquire_op = {.name = "semaphore",
                                        .attempt = acquire_attempt,
                                        .push = ql__sync_push,
                                        .cancel = acquire_cancel,
                                        .free = acquire_free,
                                        .describe = semaphore_describe};

/* ------------------------------------------------------------- idle ---- */

/* Also of a closed one: its permits still come back. */
static int
idle_attempt(ql_op_t *op)
{
    ql_own_op_t *own = ql__own(op);
    semaphore_t *s = semaphore_of(own);

    if (s->permits == s->total) {
        return NGX_OK;
    }
    if (!ql__sync_parked(own)) {
        ql_queue_insert_tail(&s->idlers, &own->link);
    }
    return NGX_AGAIN;
}

static const ql_op_type_t idle_op = {.name = "semaphore",
                                     .attempt = idle_attempt,
                                     .push = ql__sync_push,
                                     .cancel = ql__sync_leave,
                                     .describe = ql__sync_describe};

/* ----------------------------------------------------------- select ---- */

static int
select_attempt(ql_select_t *w)
{
    semaphore_t *s = w->object;

    return s->sync.handle.closed
                || (s->permits > 0 && ql_queue_empty(&s->waiters))
             ? NGX_OK
             : ql_select_park(w, &s->selectors);
}

static const ql_select_type_t semaphore_select = {select_attempt,
                                                  ql_select_leave};

/* -------------------------------------------------------- functions ---- */

static void
semaphore_close(ql_handle_t *h, int err)
{
    semaphore_t *s = ql_queue_data(h, semaphore_t, sync.handle);

    ql__sync_end(&s->waiters, err);
    ql_selectors_ready(&s->selectors);
}

static const ql_handle_type_t semaphore_type = {.name = "semaphore",
                                                .close = semaphore_close};

static semaphore_t *
semaphore_check(lua_State *L, const char *method)
{
    return ql_handle_check(L, 1, &semaphore_type, method);
}

/* The number of permits at index 2; none: one. */
static uint32_t
check_count(lua_State *L, const semaphore_t *s, const char *method)
{
    int64_t k = 1;

    if (!lua_isnoneornil(L, 2)) {
        k = ql_check_whole(L, 2, "k", method, 1, UINT32_MAX);
    }
    if (k > s->total) {
        ql_raise(L, "bad argument 'k' to '%s' (there are %d permits in all)",
                 method, (int) s->total);
    }
    return (uint32_t) k;
}

/* new(n, [kind]) -> semaphore */
static int
semaphore_new(lua_State *L)
{
    int64_t n = ql_check_whole(L, 1, "n", "semaphore", 1, INT32_MAX);
    const char *kind = ql__sync_kind(L, 2);
    semaphore_t *s = ql__sync_new(L, ql__upvalue(L), &semaphore_type,
                                  sizeof(*s));

    s->sync.kind = kind;
    ql_queue_init(&s->waiters);
    ql_queue_init(&s->idlers);
    ql_queue_init(&s->selectors);
    s->permits = s->total = (uint32_t) n;
    return 1;
}

/* acquire(self, [k], [s]) -> true | nil, err, CODE */
static int
semaphore_acquire(lua_State *L)
{
    semaphore_t *s = semaphore_check(L, "acquire");
    uint32_t count = check_count(L, s, "acquire");
    uint64_t timeout = ql_check_timeout(L, 3, "s", "acquire");
    ql_own_op_t *own = ql__sync_op(L, &s->sync.handle, &acquire_op);

    own->op.timeout = timeout;
    own->count = count;
    lua_settop(L, 1);
    return ql_await(L, &own->op, 1);
}

/* release(self, [k]) -> true */
static int
semaphore_release(lua_State *L)
{
    semaphore_t *s = semaphore_check(L, "release");
    uint32_t count = check_count(L, s, "release");

    if (count > s->total - s->permits) {
        return ql_raise(L, "release of %d permits, of which %d are taken",
                        (int) count, (int) (s->total - s->permits));
    }
    semaphore_give(s, count);
    lua_pushboolean(L, 1);
    return 1;
}

/* idle(self, [s]): waits until every permit is back; true | nil, err, CODE */
static int
semaphore_idle(lua_State *L)
{
    semaphore_t *s = semaphore_check(L, "wait");
    uint64_t timeout = ql_check_timeout(L, 2, "s", "wait");
    ql_own_op_t *own = ql__sync_op(L, &s->sync.handle, &idle_op);

    own->op.timeout = timeout;
    lua_settop(L, 1);
    return ql_await(L, &own->op, 1);
}

/* permits(self) -> number that are free */
static int
semaphore_permits(lua_State *L)
{
    lua_pushnumber(L, semaphore_check(L, "permits")->permits);
    return 1;
}

/* ----------------------------------------------------------- permit ---- */

/* A permit that comes back when its owner ends, by whatever path. */
typedef struct {
    ql_handle_t handle;
    semaphore_t *semaphore; /* anchored by the environment */
} permit_t;

static void
permit_close(ql_handle_t *h, int err)
{
    (void) err;
    semaphore_give(ql_queue_data(h, permit_t, handle)->semaphore, 1);
}

static const ql_handle_type_t permit_type = {.name = "permit",
                                             .close = permit_close};

/* permit(semaphore) -> handle of a permit that the caller has acquired; who
 * closes it or owns it at its end releases it */
static int
semaphore_permit(lua_State *L)
{
    semaphore_t *s = semaphore_check(L, "permit");
    permit_t *p = ql_handle_new(L, s->sync.handle.lua, &permit_type,
                                sizeof(*p));

    p->handle.closed = 0;
    p->semaphore = s;
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    lua_setfenv(L, -2);
    return 1;
}

void
ql__semaphore_open(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {{"new", semaphore_new},
                                   {"acquire", semaphore_acquire},
                                   {"release", semaphore_release},
                                   {"idle", semaphore_idle},
                                   {"permits", semaphore_permits},
                                   {"permit", semaphore_permit},
                                   {NULL, NULL}};

    ql__sync_open(L, lua, &semaphore_type, fns);
    ql_handle_selectable(L, &semaphore_type, &semaphore_select);
}
