/*
 * leave.c: how blocks end: once their tasks have ended, with the results of
 * their function, the first failure, or what cancelled them.
 */
#include "../base/state.h"

/* Out of the tree. */
static void
block_end(ql_block_t *b)
{
    ql_scope_t *s = &b->scope;
    ql_task_t *t = s->task;

    if (b->event.timer_set) {
        ql_del_timer(b->lua->loop, &b->event);
    }
    ql_queue_remove(&s->sibling);
    t->innermost = s->parent;
    s->task = NULL;
    s->parent = NULL;
    ql__scope_refresh(t);
    ql__anchor_drop(b->lua, s->ref);
}

/* Runs between coroutines: the slot is there, nothing is allocated. */
bool
ql__block_failed(ql_task_t *t)
{
    lua_State *L = t->lua->driver;
    ql_scope_t *parent = t->scope.parent;

    if (!parent->block || ql__block(parent)->failure != QL_BLOCK_SOUND
        || ql__scope_left(parent))
    {
        return false;
    }
    ql__block(parent)->failure = QL_BLOCK_TASK;
    ql__scope_push(L, parent);
    lua_getfenv(L, -1);
    ql__task_push(L, t);
    lua_rawseti(L, -2, QL_BLOCK_FAILED);
    lua_pop(L, 2);
    ql__scope_cancel(parent, "another task of the scope failed");
    return true;
}

/* Pushes that of the block at idx. */
static ql_outcome_t *
block_push_failed(lua_State *L, int idx)
{
    lua_getfenv(L, idx);
    lua_rawgeti(L, -1, QL_BLOCK_FAILED);
    lua_replace(L, -2);
    return lua_touserdata(L, -1);
}

void
ql__block_abandon(ql_block_t *b)
{
    if (b->failure == QL_BLOCK_TASK) {
        ql__report_block(b);
    }
    block_end(b);
}

/* The function raised the value at 3. A cancellation that has reached the
 * scope is no failure of it. */
static void
block_raised(lua_State *L, ql_block_t *b)
{
    if (b->scope.cause != NULL && ql__is_cancellation(L, 3)) {
        return;
    }
    if (b->failure == QL_BLOCK_SOUND) {
        b->failure = QL_BLOCK_FN;
        ql__scope_cancel(&b->scope, "the scope's function failed");
    } else if (!ql__join_same(L, block_push_failed(L, 1), 3)) {
        ql_log_error(b->lua->loop, QL_LOG_ERR, 0,
                     "the function of a failed scope failed too: %s",
                     lua_isstring(L, 3) ? lua_tostring(L, 3)
                                        : luaL_typename(L, 3));
    }
}

/* [s, ok, results or error]: what leaving it returns or raises. */
int
ql__block_results(lua_State *L, ql_op_t *op, int rc)
{
    ql_block_t *b = lua_touserdata(L, 1);
    ql_task_t *t = b->scope.task;
    bool ok = lua_toboolean(L, 2);

    if (rc == NGX_ERROR) {
        ql__scope_unwind(t, b->scope.parent);
        return ql_push_error(L, op->err);
    }
    block_end(b);
    if (!t->cancelled) {
        t->swallowed = b->swallowed;
    }
    if (b->failure == QL_BLOCK_TASK) {
        block_push_failed(L, 1);
        return ql__failure_raise(L, lua_gettop(L));
    }
    if (b->failure == QL_BLOCK_SOUND && b->scope.cut) {
        if (t->cancelled && (ok || b->err != 0)) {
            return ql__cancel_raise(L, t);
        }
        if (!t->cancelled && b->err != 0) {
            return ql_push_error(L, b->err);
        }
    }
    if (!ok) {
        lua_settop(L, 3);
        return lua_error(L);
    }
    return lua_gettop(L) - 2;
}

/* scope_leave(s, ok, results... or error): waits for its tasks. */
static int
scope_leave(lua_State *L)
{
    ql_block_t *b = ql__block_check(L, 1, "leave");
    ql_task_t *t = b->scope.task;
    bool ok = lua_toboolean(L, 2);

    if (t == NULL || t != b->lua->current) {
        if (!ok) {
            lua_settop(L, 3);
            return lua_error(L);
        }
        return ql_raise(L, "the scope has ended: a coroutine yielded inside "
                           "it, or left it inside another one");
    }
    ql__scope_unwind(t, &b->scope);
    if (b->lua->load_left) {
        ql__loads_settle(L, b->lua);
    }
    if (!ok) {
        lua_settop(L, 3);
        block_raised(L, b);
        lua_settop(L, 3);
    }
    return ql__join_leave(L, b);
}

void
ql__leave_register(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {{"scope_leave", scope_leave}, {NULL, NULL}};

    ql__register(L, lua, fns);
}
