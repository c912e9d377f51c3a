/*
 * cancel.c: a cancellation is an error raised where a task waits, and at each
 * further wait.
 */
#include "../base/misuse.h"
#include "../base/state.h"

enum {
    CANCEL_SWALLOWED = 1000 /* cancellations that a task may swallow, as
                               QL_FAULT_SWALLOWED says */
};

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

/* Pushes the reason of the cancellation of cause. */
static void
cancel_push_why(lua_State *L, const ql_scope_t *cause)
{
    const char *why = cause->why != NULL ? cause->why : "cancelled";

    if (cause->why == NULL && cause->parent != NULL) {
        ql__scope_push(L, cause);
        lua_getfenv(L, -1);
        lua_rawgeti(L, -1, QL_TASK_WHY);
        lua_replace(L, -3);
        lua_pop(L, 1);
        if (!lua_isnil(L, -1)) {
            return;
        }
        lua_pop(L, 1);
    }
    lua_pushstring(L, why);
}

int
ql__cancel_raise(lua_State *L, ql_task_t *t)
{
    ql_lua_t *lua = t->lua;
    ql_scope_t *cause = t->innermost->cause;
    bool drive = true;

    /* What the main chunk does is cut by a signal only. */
    if (cause == NULL) {
        cause = &lua->root.scope;
    }
    ql__scope_cut(t->innermost);
    if (t != &lua->root && ++t->swallowed > CANCEL_SWALLOWED) {
        ql__waiter(L, lua, &drive);
    }
    if (!drive) {
        t->forced = 1;
        t->fault = t->unwinding ? t->fault : QL_FAULT_SWALLOWED;
        ql__waiter_strand(L, t);
        return ql__yield(L, t, 0);
    }
    lua_createtable(L, 0, 2);
    cancel_push_why(L, cause);
    lua_setfield(L, -2, "why");
    if (cause != &lua->root.scope) {
        ql__scope_push(L, cause);
        lua_setfield(L, -2, "scope");
    }
    cancel_push_metatable(L);
    lua_setmetatable(L, -2);
    return lua_error(L);
}

/* Up to the one that was cancelled; what is marked ends the way, so that many
 * tasks far down cost no more than one. */
void
ql__scope_cut(ql_scope_t *s)
{
    const ql_scope_t *cause = s->cause;

    while (s != NULL && !s->cut) {
        s->cut = 1;
        s = s == cause ? NULL : s->parent;
    }
}

void
ql__scope_refresh(ql_task_t *t)
{
    ql_scope_t *s = t->innermost;

    t->cancelled = s->cause != NULL && !s->leaving;
    if (t->cancelled && t->state == QL_TASK_WAITING) {
        ql__scope_cut(s);
        ql_op_end(t->op, QL_E_CANCELLED);
    }
}

/* A signal cancels every task at once, but the main chunk after its present
 * wait, which may be for them. */
static void
cancel_reach(ql_scope_t *s, ql_scope_t *cause)
{
    ql_task_t *t = s->task;

    s->cause = cause;
    if (s->parent == NULL) {
        return;
    }
    if (ql__task_starting(t)) {
        ql__scope_cut(s);
        ql_del_timer(t->lua->loop, &t->event);
        ql__unpost(t);
        ql_post_event(t->lua->loop, &t->event);
    }
    if (t->innermost == s) {
        ql__scope_refresh(t);
    }
}

/* What a cancellation has reached already is left out with all below it, so
 * that however many come, each scope is reached once. */
void
ql__scope_spread(ql_scope_t *top, ql_scope_t *cause)
{
    ql_scope_t *s = top;

    while (s != NULL) {
        bool shield = s != top && s->shield && !ql__scope_left(s);
        bool down = s->cause == NULL && !shield;

        if (down) {
            cancel_reach(s, cause);
        }
        s = ql__scope_next(s, top, down);
    }
}

void
ql__scope_cancel(ql_scope_t *s, const char *why)
{
    ql_task_t *t = s->task;

    if (s->cause == NULL) {
        s->why = why;
        ql__scope_spread(s, s);
    }
    if (s->parent == NULL && t->state == QL_TASK_WAITING
        && t->innermost->cause != NULL && ql_task_count(t->lua) == 0)
    {
        ql_op_end(t->op, QL_E_CANCELLED);
    }
}

void
ql_task_cancel(ql_task_t *t, const char *why)
{
    QL_CHECK_LUA(t->lua);
    ql__task_cancel(t, why);
}

void
ql__scope_alone(ql_scope_t *s)
{
    ql_queue_t *q;

    s->alone = 1;
    for (q = s->children.next; q != &s->children; q = q->next) {
        ql__scope_cancel(ql_queue_data(q, ql_scope_t, sibling),
                         "the other tasks of the scope have ended");
    }
}

/* task:cancel([why]): true, or false when it had ended. */
static int
task_cancel(lua_State *L)
{
    ql_task_t *t = ql__task_check(L, 1, "cancel")->task;

    if (t == NULL) {
        lua_pushboolean(L, 0);
        return 1;
    }
    if (lua_toboolean(L, 2) && t->scope.cause == NULL) {
        lua_getfenv(L, 1);
        lua_pushvalue(L, 2);
        lua_rawseti(L, -2, QL_TASK_WHY);
        t->marked = 1;
    }
    if (ql__task_starting(t)) {
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
