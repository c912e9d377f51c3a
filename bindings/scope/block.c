/*
 * block.c: scopes that a function runs in: quoll.scope, deadline, shield. They
 * fail fast: the first failure, of a task or of the function, cancels the rest
 * and is what the scope raises once all its tasks have ended.
 *
 * A block is entered inside the pcall that guards its function and left behind
 * it, so that none stays open when an error, a full stack among them, comes in
 * between. The tree keeps it alive until it is left.
 */
#include "../base/state.h"

#include <string.h>

/* A block that its coroutine has left does not reach what goes on outside. */
static void
block_cancel(ql_block_t *b, int err, const char *why)
{
    if (ql__scope_left(&b->scope)) {
        ql__scope_unwind(b->scope.task, b->scope.parent);
        return;
    }
    if (b->err == 0) {
        b->err = err;
    }
    ql__scope_cancel(&b->scope, why);
}

static void
deadline_event(ql_event_t *ev)
{
    ev->timedout = 0;
    block_cancel(ev->data, QL_E_DEADLINE, "deadline");
}

/* What was kept from it since reaches it now. */
static void
shield_event(ql_event_t *ev)
{
    ql_scope_t *s = &((ql_block_t *) ev->data)->scope;

    ev->timedout = 0;
    s->shield = 0;
    if (s->parent->cause != NULL) {
        ql__scope_spread(s, s->parent->cause);
    }
}

ql_block_t *
ql__block_check(lua_State *L, int idx, const char *method)
{
    ql_block_t *b = lua_touserdata(L, idx);

    /* A light userdata has no length. */
    if (b == NULL || lua_objlen(L, idx) != sizeof(*b) || b->event.data != b
        || !b->scope.block)
    {
        ql_bad_argument(L, idx, "self", method, "scope");
    }
    return b;
}

/* ------------------------------------------------------------- making ---- */

/* Pushes a block that is not open yet. */
static ql_block_t *
block_new(lua_State *L, ql_event_handler_pt handler)
{
    ql_lua_t *lua = ql__upvalue(L);
    ql_block_t *b = lua_newuserdata(L, sizeof(*b));

    memset(b, 0, sizeof(*b));
    b->lua = lua;
    b->timeout = QL_TIMER_INFINITE;
    b->scope.block = 1;
    b->scope.ref = LUA_NOREF;
    b->event.data = b;
    b->event.handler = handler;
    ql_queue_init(&b->event.queue);
    ql_queue_init(&b->event.timer);
    lua_rawgeti(L, LUA_REGISTRYINDEX, lua->block_metatable);
    lua_setmetatable(L, -2);
    lua_createtable(L, QL_BLOCK_SLOTS, 0);
    lua_setfenv(L, -2);
    return b;
}

/* scope_new(fn) */
static int
scope_new(lua_State *L)
{
    ql__check_function(L, 1, "scope");
    block_new(L, deadline_event);
    return 1;
}

/* deadline_new(s, fn) */
static int
deadline_new(lua_State *L)
{
    uint64_t timeout = ql_check_timeout(L, 1, "s", "deadline");

    ql__check_function(L, 2, "deadline");
    block_new(L, deadline_event)->timeout = timeout;
    return 1;
}

/* shield_new(s, fn) */
static int
shield_new(lua_State *L)
{
    uint64_t timeout = ql_check_timeout(L, 1, "s", "shield");
    ql_block_t *b;

    ql__check_function(L, 2, "shield");
    b = block_new(L, shield_event);
    b->timeout = timeout;
    b->scope.shield = 1;
    return 1;
}

/* ----------------------------------------------------------- entering ---- */

/* scope_enter(s): raises where the running coroutine cannot wait. */
static int
scope_enter(lua_State *L)
{
    ql_block_t *b = ql__block_check(L, 1, "enter");
    ql_lua_t *lua = b->lua;
    ql_task_t *t = lua->current;
    ql_scope_t *parent;
    int ref;

    if (b->opened) {
        return ql_raise(L, "the scope is entered twice");
    }
    ql_check_wait(L, lua);
    parent = ql__scope_innermost(t);
    lua_getfenv(L, 1);
    lua_pushthread(L);
    lua_rawseti(L, -2, QL_TASK_THREAD);
    ref = ql__anchor(L, lua, 1); /* the last step that can fail */
    b->opened = 1;
    b->L = L;
    b->swallowed = t->swallowed;
    ql__scope_init(&b->scope, t, parent);
    b->scope.ref = ref;
    t->innermost = &b->scope;
    ql__scope_refresh(t);
    if (b->timeout != QL_TIMER_INFINITE) {
        ql_add_timer_nsec(lua->loop, &b->event, b->timeout);
    }
    return 0;
}

/* ---------------------------------------------------------- its tasks ---- */

static ql_block_t *
block_open(lua_State *L, const char *method)
{
    ql_block_t *b = ql__block_check(L, 1, method);

    if (b->scope.task == NULL) {
        ql_raise(L, b->opened ? "the scope has ended"
                              : "the scope is not entered");
    }
    return b;
}

/* scope_spawn(s, fn, ...) -> task */
static int
scope_spawn(lua_State *L)
{
    ql_block_t *b = block_open(L, "spawn");

    lua_remove(L, 1);
    ql__task_spawn(L, &b->scope, "spawn");
    return 1;
}

/* scope_background(s, fn, ...) -> task */
static int
scope_background(lua_State *L)
{
    ql_scope_t *parent = &block_open(L, "background")->scope;
    ql_task_t *t;

    lua_remove(L, 1);
    t = ql__task_spawn(L, parent, "background");
    t->scope.background = 1;
    parent->nbackground++;
    if (parent->alone) {
        ql__scope_alone(parent);
    }
    return 1;
}

/* scope_cancel(s, [why]): true, or false when it had ended. */
static int
scope_cancel(lua_State *L)
{
    ql_block_t *b = ql__block_check(L, 1, "cancel");
    bool open = b->scope.task != NULL;

    if (open && lua_toboolean(L, 2) && b->scope.cause == NULL) {
        lua_getfenv(L, 1);
        lua_pushvalue(L, 2);
        lua_rawseti(L, -2, QL_TASK_WHY);
    }
    if (open) {
        block_cancel(b, QL_E_CANCELLED, NULL);
    }
    lua_pushboolean(L, open);
    return 1;
}

/* scope_decide(s): what it returns is known; its tasks are cancelled, and if
 * one fails now, that is logged. */
static int
scope_decide(lua_State *L)
{
    ql_block_t *b = block_open(L, "decide");

    b->failure = QL_BLOCK_DECIDED;
    ql__scope_cancel(&b->scope, "another task was first");
    return 0;
}

static int
scope_tostring(lua_State *L)
{
    ql_block_t *b = ql__block_check(L, 1, "tostring");

    lua_pushfstring(L, "scope (%s): %p",
                    b->scope.task != NULL ? "open" : "closed", (void *) b);
    return 1;
}

void
ql__block_register(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {
        {"scope_new", scope_new},
        {"deadline_new", deadline_new},
        {"shield_new", shield_new},
        {"scope_enter", scope_enter},
        {"scope_spawn", scope_spawn},
        {"scope_background", scope_background},
        {"scope_cancel", scope_cancel},
        {"scope_decide", scope_decide},
        {NULL, NULL},
    };

    ql__register(L, lua, fns);
    ql__leave_register(L, lua);
    lua_createtable(L, 0, 4);
    lua_pushvalue(L, -1);
    lua->block_metatable = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushliteral(L, "scope");
    lua_setfield(L, -2, "__metatable");
    lua_pushcfunction(L, scope_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_createtable(L, 0, 4);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__index");
    lua_setfield(L, -3, "scope");
    lua_pop(L, 1);
}
