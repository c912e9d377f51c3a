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

static void
block_cancel(ql_block_t *b, int err, const char *why)
{
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

static ql_block_t *
block_check(lua_State *L, int idx, const char *method)
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
    ql_block_t *b = block_check(L, 1, "enter");
    ql_lua_t *lua = b->lua;
    ql_task_t *t = lua->current;
    ql_scope_t *parent;
    int ref;

    if (b->opened) {
        return ql_raise(L, "the scope is entered twice");
    }
    ql_check_wait(L, lua);
    parent = ql__scope_innermost(L, t);
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

/* ------------------------------------------------------------ leaving ---- */

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

    if (!parent->block || ql__block(parent)->failure != QL_BLOCK_SOUND) {
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
static ql_task_t *
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
    ql_block_t *b = block_check(L, 1, "leave");
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
    if (!ok) {
        lua_settop(L, 3);
        block_raised(L, b);
        lua_settop(L, 3);
    }
    return ql__join_leave(L, b);
}

/* ---------------------------------------------------------- its tasks ---- */

static ql_block_t *
block_open(lua_State *L, const char *method)
{
    ql_block_t *b = block_check(L, 1, method);

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
    ql_block_t *b = block_check(L, 1, "cancel");
    bool open = b->scope.task != NULL;

    if (open && !lua_isnoneornil(L, 2) && b->scope.cause == NULL) {
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
    ql_block_t *b = block_check(L, 1, "tostring");

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
        {"scope_leave", scope_leave},
        {"scope_spawn", scope_spawn},
        {"scope_background", scope_background},
        {"scope_cancel", scope_cancel},
        {"scope_decide", scope_decide},
        {NULL, NULL},
    };

    ql__register(L, lua, fns);
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
