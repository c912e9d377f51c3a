/*
 * spawn.c: how tasks begin.
 */
#include "../base/misuse.h"
#include "../base/state.h"
#include "core/sys.h"

#include <string.h>

enum {
    SPAWN_CHAIN_MAX = 512 /* bytes of a parent's chain that go on */
};

void
ql__task_init(ql_task_t *t, ql_lua_t *lua, ql_scope_t *parent)
{
    memset(t, 0, sizeof(*t));
    t->event.data = t;
    t->event.handler = ql__task_event;
    ql_queue_init(&t->event.queue);
    ql_queue_init(&t->event.timer);
    t->lua = lua;
    t->innermost = &t->scope;
    ql__scope_init(&t->scope, t, parent);
    ql_queue_init(&t->handles);
    ql_queue_init(&t->own.link);
    if (parent != NULL) {
        t->id = ++lua->next_id;
        t->born = ql_nsec(lua->loop);
        lua->spawned++;
    }
    if (t->scope.cause != NULL) {
        t->cancelled = 1;
        ql__scope_cut(&t->scope);
    }
}

uint64_t
ql_task_count(ql_lua_t *lua)
{
    QL_CHECK_LUA(lua);
    return lua->spawned - lua->ended;
}

ql_task_t *
ql_task_current(ql_lua_t *lua)
{
    QL_CHECK_LUA(lua);
    return lua->current;
}

/* "\n\tspawned at file:line" of this spawn, and its parent's chain. */
static void
spawn_new_chain(lua_State *L, const ql_task_t *parent)
{
    lua_pushliteral(L, "\n\tspawned at ");
    ql__push_where(L);
    if (lua_objlen(L, -1) == 0) {
        lua_pop(L, 2);
        lua_pushliteral(L, "");
    } else {
        lua_concat(L, 2);
    }
    ql__task_push_slot(L, parent, QL_TASK_CHAIN);
    if (lua_objlen(L, -1) < SPAWN_CHAIN_MAX && !lua_isnil(L, -1)) {
        lua_concat(L, 2);
    } else {
        lua_pop(L, 1);
    }
}

/* The chain of the running function's spawns here. */
static const ql_chain_t *
spawn_find_chain(lua_State *L, ql_lua_t *lua)
{
    ql_chain_t place = {.parent = lua->current->id};
    ql_chain_t *last = &lua->chain;
    lua_Debug ar;

    if (lua_getstack(L, 1, &ar)) {
        lua_getinfo(L, "fl", &ar);
        place.function = lua_topointer(L, -1);
        place.line = ar.currentline;
        lua_pop(L, 1);
    }
    if (last->ref == LUA_NOREF || last->function != place.function
        || last->line != place.line || last->parent != place.parent)
    {
        int old = last->ref;

        spawn_new_chain(L, lua->current);
        /* Both may raise: last never names a slot that is given back. */
        place.ref = LUA_NOREF;
        place.number = last->number + 1;
        *last = place;
        luaL_unref(L, LUA_REGISTRYINDEX, old);
        last->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    return last;
}

/* Puts the task's chain into the fenv on top; the one before it at its berth
 * may have left the same there. */
static void
spawn_set_chain(lua_State *L, ql_lua_t *lua, uint8_t berth)
{
    const ql_chain_t *chain = spawn_find_chain(L, lua);

    if (berth != 0) {
        if (lua->berth[berth].chain == chain->number) {
            return;
        }
        lua->berth[berth].chain = chain->number;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, chain->ref);
    lua_rawseti(L, -2, QL_TASK_CHAIN);
}

/*
 * Turns [fn, args...] into [task, fn, args...]; *co: its coroutine, when one is
 * asked for. The task is in no list yet, so that a failing allocation leaves
 * nothing behind but an unused berth.
 */
static ql_outcome_t *
spawn_new(lua_State *L, ql_lua_t *lua, lua_State **co, uint8_t *berth)
{
    ql_outcome_t *o = ql__outcome_new(L, lua);

    *berth = 0;
    if (co != NULL) {
        *co = ql__idle_take(L, lua, berth);
    } else {
        lua_createtable(L, QL_TASK_SLOTS, 0);
    }
    spawn_set_chain(L, lua, *berth);
    if (*berth != 0) {
        lua_pushvalue(L, -2);
        lua_rawseti(L, -2, QL_TASK_SELF);
    }
    if (lua->current->locals) {
        ql__locals_inherit(L, lua->current);
    }
    lua_setfenv(L, -2);
    lua_insert(L, 1);
    return o;
}

static void __attribute__((noreturn))
spawn_lose(lua_State *L, ql_lua_t *lua, int ref, uint8_t berth)
{
    ql__anchor_drop(lua, ref);
    if (berth != 0) {
        ql__idle_lose(lua, berth);
    }
    luaL_error(L, "not enough memory");
    __builtin_unreachable();
}

/* Anchors what is at 1, the task's userdata or its coroutine, and makes the
 * task, the last steps that can fail; then into the tree. */
static ql_task_t *
spawn_enter(lua_State *L, ql_scope_t *parent, lua_State *co, uint8_t berth)
{
    ql_lua_t *lua = parent->task->lua;
    int ref = berth != 0 ? QL_ANCHOR_BERTH : ql__anchor(L, lua, 1);
    ql_task_t *t = lua->spare;

    if (t == NULL) {
        t = ql_loop_sys(lua->loop)->malloc(sizeof(*t));
    }
    if (t == NULL) {
        spawn_lose(L, lua, ref, berth);
    }
    lua->spare = NULL;
    ql__task_init(t, lua, parent);
    t->scope.ref = ref;
    t->berth = berth;
    t->L = co;
    return t;
}

static ql_task_t *
spawn_enter_held(lua_State *L, ql_outcome_t *o, ql_scope_t *parent,
                 lua_State *co, uint8_t berth)
{
    ql_task_t *t = spawn_enter(L, parent, co, berth);

    ql__outcome_open(o, t);
    t->locals = t->lua->current->locals;
    return t;
}

void
ql__check_function(lua_State *L, int arg, const char *method)
{
    if (lua_type(L, arg) != LUA_TFUNCTION
        && !luaL_getmetafield(L, arg, "__call")) {
        ql_bad_argument(L, arg, "fn", method, "a function");
    }
}

static void
spawn_check(lua_State *L, ql_lua_t *lua, int arg, const char *method)
{
    if (lua->loop == NULL) {
        ql_raise(L, "quoll is closed");
    }
    if (lua_type(L, arg) != LUA_TFUNCTION) {
        int n = lua_gettop(L);

        ql__check_function(L, arg, method);
        lua_settop(L, n);
    }
}

/* The function and its arguments, the topmost n values, to where they run. */
static void
spawn_move(lua_State *L, ql_lua_t *lua, lua_State *co, int n, uint8_t berth,
           const char *method)
{
    /* It has LUA_MINSTACK slots in any case. */
    if (n > LUA_MINSTACK / 2 && !lua_checkstack(co, n + LUA_MINSTACK)) {
        if (berth != 0) {
            ql__idle_lose(lua, berth);
        }
        ql_raise(L, "too many arguments to '%s'", method);
    }
    lua_xmove(L, co, n);
}

ql_task_t *
ql__task_spawn(lua_State *L, ql_scope_t *parent, const char *method)
{
    ql_lua_t *lua = parent->task->lua;
    int n = lua_gettop(L);
    uint8_t berth;
    ql_outcome_t *o;
    ql_task_t *t;
    lua_State *co;

    spawn_check(L, lua, 1, method);
    o = spawn_new(L, lua, &co, &berth);
    spawn_move(L, lua, co, n, berth, method);
    t = spawn_enter_held(L, o, parent, co, berth);
    ql_post_event(lua->loop, &t->event);
    return t;
}

/* spawn(fn, ...) -> task */
static int
task_spawn(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);

    ql__task_spawn(L, ql__scope_innermost(lua->current), "spawn");
    return 1;
}

/* Turns [fn, args...] into [coroutine]: nobody holds the task, so that its
 * userdata is made when somebody asks for it. */
static ql_task_t *
spawn_unheld(lua_State *L, ql_lua_t *lua)
{
    ql_scope_t *parent = ql__scope_innermost(lua->current);
    int n = lua_gettop(L);
    uint8_t berth;
    lua_State *co = ql__idle_take_bare(L, lua, &berth);
    ql_task_t *t;

    lua_insert(L, 1);
    spawn_move(L, lua, co, n, berth, "serve");
    t = spawn_enter(L, parent, co, berth);
    ql_post_event(lua->loop, &t->event);
    return t;
}

/* serve_one(fn, conn, ...): in a task that owns the handle */
static int
task_serve_one(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);
    ql_handle_t *h = ql_handle_test(L, 2);
    ql_task_t *t;

    spawn_check(L, lua, 1, "serve");
    if (h == NULL) {
        return ql_bad_argument(L, 2, "conn", "serve", "a handle");
    }
    t = lua->current->locals
          ? ql__task_spawn(L, ql__scope_innermost(lua->current), "serve")
          : spawn_unheld(L, lua);
    if (!h->closed) {
        ql_handle_own(h, t);
    }
    return 0;
}

/* after(s, fn, ...) -> task that starts in s seconds; its coroutine is made
 * only then, so that a million of them are cheap. */
static int
task_after(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);
    uint64_t nsec = ql_check_timeout(L, 1, "s", "after");
    int n = lua_gettop(L) - 1;
    uint8_t berth;
    ql_outcome_t *o;
    ql_task_t *t;

    if (lua_isnoneornil(L, 1)) {
        return ql_bad_argument(L, 1, "s", "after", "seconds");
    }
    spawn_check(L, lua, 2, "after");
    lua_remove(L, 1);
    o = spawn_new(L, lua, NULL, &berth);
    lua_getfenv(L, 1);
    lua_insert(L, 2);
    if (n == 1) {
        lua_rawseti(L, 2, QL_TASK_THREAD);
    } else {
        lua_createtable(L, n, 0);
        lua_insert(L, 3);
        for (int i = n; i > 0; i--) {
            lua_rawseti(L, 3, i);
        }
        lua_pushinteger(L, n);
        lua_setfield(L, 3, "n");
        lua_rawseti(L, 2, QL_TASK_START);
    }
    lua_settop(L, 1);
    t = spawn_enter_held(L, o, ql__scope_innermost(lua->current), NULL, berth);
    if (nsec != QL_TIMER_INFINITE) {
        ql_add_timer_nsec(lua->loop, &t->event, nsec);
    }
    return 1;
}

/* Under lua_cpcall: makes the coroutine of a delayed start. */
static int
start_coroutine(lua_State *L)
{
    ql_task_t *t = lua_touserdata(L, 1);
    lua_State *co;
    int n = 1;

    ql__task_push(L, t);
    lua_getfenv(L, -1);
    co = lua_newthread(L);
    lua_rawgeti(L, 3, QL_TASK_START);
    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "n");
        n = (int) lua_tointeger(L, -1);
        lua_pop(L, 1);
        luaL_checkstack(L, n, "too many arguments");
        for (int i = 1; i <= n; i++) {
            lua_rawgeti(L, 5, i);
        }
    } else {
        lua_rawgeti(L, 3, QL_TASK_THREAD);
    }
    if (!lua_checkstack(co, n + LUA_MINSTACK)) {
        return luaL_error(L, "too many arguments");
    }
    lua_xmove(L, co, n);
    lua_pushvalue(L, 4);
    lua_rawseti(L, 3, QL_TASK_THREAD);
    lua_pushnil(L);
    lua_rawseti(L, 3, QL_TASK_START);
    t->L = co;
    return 0;
}

bool
ql__task_start(ql_task_t *t, int *nargs)
{
    lua_State *L = t->lua->driver;

    if (t->L == NULL && lua_cpcall(L, start_coroutine, t) != 0) {
        lua_pop(L, 1);
        t->fault = "not enough memory to start the task";
        return false;
    }
    *nargs = lua_gettop(t->L) - 1;
    return true;
}

void
ql__spawn_register(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {{"spawn", task_spawn},
                                   {"serve_one", task_serve_one},
                                   {"after", task_after},
                                   {NULL, NULL}};

    ql__register(L, lua, fns);
}
