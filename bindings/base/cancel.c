/*
 * cancel.c: a cancellation is an error raised where a task waits, and at each
 * further wait.
 */
#include "state.h"

static const char cancel_key = 0; /* registry: address -> its metatable */

static void
cancel_push_metatable(lua_State *L)
{
    lua_pushlightuserdata(L, (void *) (uintptr_t) &cancel_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
}

bool
ql__is_cancellation(lua_State *L, int idx)
{
    bool same;

    if (!lua_istable(L, idx) || !lua_getmetatable(L, idx)) {
        return false;
    }
    cancel_push_metatable(L);
    same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

/* Pushes why t was cancelled: its own reason, or its nearest ancestor's. */
static void
cancel_push_why(lua_State *L, const ql_task_t *t)
{
    for (; t != NULL && t->cancelled; t = t->parent) {
        if (t->why != NULL) {
            lua_pushstring(L, t->why);
            return;
        }
        if (t->ref != LUA_NOREF) {
            ql__task_push(L, t);
            lua_getfenv(L, -1);
            lua_rawgeti(L, -1, QL_TASK_WHY);
            lua_replace(L, -3);
            lua_pop(L, 1);
            if (!lua_isnil(L, -1)) {
                return;
            }
            lua_pop(L, 1);
        }
    }
    lua_pushliteral(L, "cancelled");
}

int
ql__cancel_raise(lua_State *L, ql_task_t *t)
{
    ql_lua_t *lua = t->lua;
    bool drive = true;

    if (t != &lua->root && ++t->swallowed > QL__SWALLOWED_MAX) {
        ql__waiter(L, lua, &drive);
    }
    if (!drive) {
        t->forced = 1;
        t->fault = "swallowed 1,000 cancellations and was ended by force";
        return ql__yield(L, t, 0);
    }
    lua_createtable(L, 0, 1);
    if (t == &lua->root && lua->signals.received != 0) {
        lua_pushstring(L, ql__signal_name(lua->signals.received));
    } else {
        cancel_push_why(L, t);
    }
    lua_setfield(L, -2, "why");
    cancel_push_metatable(L);
    lua_setmetatable(L, -2);
    return lua_error(L);
}

ql_task_t *
ql__task_next(ql_task_t *t, const ql_task_t *top)
{
    if (!ql_queue_empty(&t->children)) {
        return ql_queue_data(t->children.next, ql_task_t, sibling);
    }
    while (t != top) {
        if (t->sibling.next != &t->parent->children) {
            return ql_queue_data(t->sibling.next, ql_task_t, sibling);
        }
        t = t->parent;
    }
    return NULL;
}

static void
cancel_one(ql_task_t *t, const char *why)
{
    t->cancelled = 1;
    if (t->why == NULL) {
        t->why = why;
    }
    if (t->state == QL_TASK_WAITING) {
        ql_op_end(t->op, QL_E_CANCELLED);
    } else if (t->state == QL_TASK_STARTING) {
        ql_del_timer(t->lua->loop, &t->event);
        ql__unpost(t);
        ql_post_event(t->lua->loop, &t->event);
    }
}

/* why NULL: the reason is in t's fenv. Children without a reason of their own
 * look theirs up in their parents. */
void
ql__task_cancel(ql_task_t *t, const char *why)
{
    ql_lua_t *lua = t->lua;

    if (t != &lua->root) {
        cancel_one(t, why);
    }
    for (ql_task_t *child = ql__task_next(t, t); child != NULL;
         child = ql__task_next(child, t))
    {
        cancel_one(child, t == &lua->root ? why : NULL);
    }
    if (t == &lua->root && t->state == QL_TASK_WAITING && t->nchildren == 0) {
        ql_op_end(t->op, QL_E_CANCELLED);
    }
}

/* task:cancel([why]): true, or false when it had ended. */
static int
task_cancel(lua_State *L)
{
    ql_task_t *t = ql__task_check(L, 1, "cancel");

    if (ql__task_ended(t)) {
        lua_pushboolean(L, 0);
        return 1;
    }
    if (!lua_isnoneornil(L, 2) && !t->cancelled) {
        lua_getfenv(L, 1);
        lua_pushvalue(L, 2);
        lua_rawseti(L, -2, QL_TASK_WHY);
    }
    if (t->state == QL_TASK_STARTING) {
        t->cancelled = 1;
        ql__unpost(t);
        ql__task_close(t, QL_TASK_CANCELLED);
    } else {
        ql__task_cancel(t, NULL);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* iscancelled(e) -> why | nil */
static int
iscancelled(lua_State *L)
{
    lua_settop(L, 1);
    if (!ql__is_cancellation(L, 1)) {
        return 0;
    }
    lua_getfield(L, 1, "why");
    return 1;
}

static int
cancellation_tostring(lua_State *L)
{
    lua_getfield(L, 1, "why");
    lua_pushfstring(L, "cancelled: %s",
                    lua_tostring(L, -1) != NULL ? lua_tostring(L, -1)
                                                : luaL_typename(L, -1));
    return 1;
}

void
ql__cancel_register(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {{"iscancelled", iscancelled},
                                   {"task_cancel", task_cancel},
                                   {NULL, NULL}};

    ql__register(L, lua, fns);
    lua_pushlightuserdata(L, (void *) (uintptr_t) &cancel_key);
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, cancellation_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "quoll.cancellation");
    lua_setfield(L, -2, "__name");
    lua_rawset(L, LUA_REGISTRYINDEX);
}
