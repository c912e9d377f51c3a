/*
 * event.c: a flag that tasks wait for.
 */
#include "sync.h"

typedef struct {
    ql_sync_t sync;
    ql_queue_t waiters;   /* of ql_own_op_t.link */
    ql_queue_t selectors; /* of ql_select_t.link */
    bool set;
} event_t;

static event_t *
event_of(const ql_own_op_t *own)
{
    return ql_queue_data(own->handle, event_t, sync.handle);
}

static int
event_attempt(ql_op_t *op)
{
    ql_own_op_t *own = ql__own(op);
    event_t *e = event_of(own);

    if (e->set && !e->sync.handle.closed) {
        return NGX_OK;
    }
    return ql__sync_park(own, &e->waiters);
}

static const ql_op_type_t event_op = {.name = "event",
                                      .attempt = event_attempt,
                                      .push = ql__sync_push,
                                      .cancel = ql__sync_leave,
                                      .describe = ql__sync_describe};

static int
select_attempt(ql_select_t *w)
{
    event_t *e = w->object;

    return e->set || e->sync.handle.closed ? NGX_OK
                                           : ql_select_park(w, &e->selectors);
}

static const ql_select_type_t event_select = {select_attempt, ql_select_leave};

static void
event_close(ql_handle_t *h, int err)
{
    event_t *e = ql_queue_data(h, event_t, sync.handle);

    ql__sync_end(&e->waiters, err);
    ql_selectors_ready(&e->selectors);
}

static const ql_handle_type_t event_type = {.name = "event",
                                            .close = event_close};

static event_t *
event_check(lua_State *L, const char *method)
{
    return ql_handle_check(L, 1, &event_type, method);
}

/* new([kind]) -> event, not set */
static int
event_new(lua_State *L)
{
    const char *kind = ql__sync_kind(L, 1);
    event_t *e = ql__sync_new(L, ql__upvalue(L), &event_type, sizeof(*e));

    e->sync.kind = kind;
    ql_queue_init(&e->waiters);
    ql_queue_init(&e->selectors);
    return 1;
}

/* set(self): who waits now goes on, also when clear() follows at once */
static int
event_set(lua_State *L)
{
    event_t *e = event_check(L, "set");

    e->set = true;
    while (!ql_queue_empty(&e->waiters)) {
        ql__sync_wake(&e->waiters);
    }
    ql_selectors_ready(&e->selectors);
    return 0;
}

/* clear(self) */
static int
event_clear(lua_State *L)
{
    event_check(L, "clear")->set = false;
    return 0;
}

/* isset(self) -> boolean */
static int
event_isset(lua_State *L)
{
    lua_pushboolean(L, event_check(L, "isset")->set);
    return 1;
}

/* wait(self, [s]) -> true | nil, err, CODE */
static int
event_wait(lua_State *L)
{
    event_t *e = event_check(L, "wait");
    uint64_t timeout = ql_check_timeout(L, 2, "s", "wait");
    ql_own_op_t *own = ql__sync_op(L, &e->sync.handle, &event_op);

    own->op.timeout = timeout;
    lua_settop(L, 1);
    return ql_await(L, &own->op, 1);
}

void
ql__event_open(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {
        {"new", event_new},     {"set", event_set},   {"clear", event_clear},
        {"isset", event_isset}, {"wait", event_wait}, {NULL, NULL}};

    ql__sync_open(L, lua, &event_type, fns);
    ql_handle_selectable(L, &event_type, &event_select);
}
