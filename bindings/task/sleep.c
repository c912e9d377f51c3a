/*
 * sleep.c: waits for the clock, or for the other tasks' turn.
 */
#include "../base/misuse.h"
#include "../base/state.h"

static int
sleep_attempt(ql_op_t *op)
{
    ql_own_op_t *own = ql__own(op);

    if (own->posted) {
        return NGX_OK;
    }
    own->posted = 1;
    return NGX_AGAIN;
}

/* The turn after this one wakes it. */
static int
yield_attempt(ql_op_t *op)
{
    ql_own_op_t *own = ql__own(op);
    ql_task_t *t = ql_queue_data(own, ql_task_t, own);

    if (sleep_attempt(op) == NGX_OK) {
        return NGX_OK;
    }
    ql_post_next_event(op->lua->loop, &t->event);
    return NGX_AGAIN;
}

static int
sleep_push(lua_State *L, ql_op_t *op, int rc)
{
    return rc == NGX_OK ? 0 : ql_push_error(L, op->err);
}

static void
sleep_cancel(ql_op_t *op)
{
    ql_own_op_t *own = ql__own(op);

    ql_delete_posted_event(op->lua->loop,
                           &ql_queue_data(own, ql_task_t, own)->event);
}

static const ql_op_type_t sleep_type = {"sleep",      sleep_attempt, sleep_push,
                                        sleep_cancel, NULL,          NULL};
static const ql_op_type_t yield_type = {"yield",      yield_attempt, sleep_push,
                                        sleep_cancel, NULL,          NULL};

bool
ql__sleeps(const ql_op_t *op)
{
    return op->type == &sleep_type || op->type == &yield_type;
}

static int
sleep_await(lua_State *L, ql_lua_t *lua, uint64_t nsec)
{
    ql_own_op_t *own = ql__own_op(L, lua,
                                  nsec == 0 ? &yield_type : &sleep_type);

    own->posted = 0;
    if (nsec != 0) {
        own->op.timeout = nsec;
    }
    lua_settop(L, 0);
    return ql_await(L, &own->op, 0);
}

/* sleep(s): at least s seconds; 0 lets the others go first. */
static int
task_sleep(lua_State *L)
{
    if (lua_isnoneornil(L, 1)) {
        return ql_bad_argument(L, 1, "s", "sleep", "seconds");
    }
    return sleep_await(L, ql__upvalue(L), ql_check_timeout(L, 1, "s", "sleep"));
}

/* yield() */
static int
task_yield(lua_State *L)
{
    return sleep_await(L, ql__upvalue(L), 0);
}

/* The table of results is the only anchor. */
static int
return_push(lua_State *L, ql_op_t *op, int rc)
{
    int n = (int) ql__own(op)->room;

    (void) rc;
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, 1, i);
    }
    return n;
}

static const ql_op_type_t return_type = {
    "return", yield_attempt, return_push, sleep_cancel, NULL, NULL};

int
ql_return(lua_State *L, ql_lua_t *lua, int n)
{
    ql_task_t *t = lua->current;
    ql_own_op_t *own;

    QL_CHECK_LUA(lua);
    if (t->L != L || !lua_isyieldable(L) || lua->loop == NULL
        || !ql__slice_spend(lua))
    {
        return n;
    }
    own = ql__own_op(L, lua, &return_type);
    own->room = (uint32_t) n;
    own->posted = 0;
    lua_createtable(L, n, 0);
    lua_insert(L, -n - 1);
    for (int i = n; i > 0; i--) {
        lua_rawseti(L, -i - 1, i);
    }
    return ql_await(L, &own->op, 1);
}

void
ql__sleep_register(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {
        {"sleep", task_sleep}, {"yield", task_yield}, {NULL, NULL}};

    ql__register(L, lua, fns);
}
