/*
 * waiter.c: who may wait: the task with one operation at a time, and which
 * coroutine of it. A task's own may, and one that
 * quoll.coroutine has resumed from one that may: its wait goes outward as a
 * yield of the mark, coroutine by coroutine, and its end inward the same way.
 */
#include "misuse.h"
#include "state.h"

void
ql__waiter_init(lua_State *L, ql_lua_t *lua)
{
    lua_createtable(L, 0, 0);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "kv");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua->resumers = luaL_ref(L, LUA_REGISTRYINDEX);
}

lua_State *
ql__waiter_outward(lua_State *L, ql_lua_t *lua)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, lua->resumers);
    lua_insert(L, -2);
    lua_rawget(L, -2);
    lua_remove(L, -2);
    return lua_tothread(L, -1);
}

bool
ql__waiter_outside(lua_State *L, ql_lua_t *lua)
{
    bool outside;

    lua_rawgeti(L, LUA_REGISTRYINDEX, lua->resumers);
    lua_insert(L, -2);
    lua_rawget(L, -2);
    outside = lua_isnil(L, -1);
    lua_pop(L, 2);
    return outside;
}

void
ql__waiter_strand(lua_State *L, const ql_task_t *t)
{
    lua_State *co = L;

    lua_rawgeti(L, LUA_REGISTRYINDEX, t->lua->resumers);
    lua_pushthread(L);
    while (co != t->L) {
        lua_pushvalue(L, -1);
        co = ql__waiter_outward(L, t->lua);
        lua_insert(L, -2);
        lua_pushboolean(L, 1);
        lua_rawset(L, -4);
    }
    lua_pop(L, 2);
}

/* May L, which is not the coroutine of t or cannot yield, wait as t? true: by
 * running the loop, because some coroutine from L outward is in require. */
static bool
waiter_check(lua_State *L, ql_lua_t *lua, const ql_task_t *t)
{
    int top = lua_gettop(L);
    lua_State *co = L;
    bool drive = false;

    for (lua_pushthread(L); co != NULL; co = ql__waiter_outward(L, lua)) {
        if (!lua_isyieldable(co)) {
            ql__check_boundary(L, co, lua);
            drive = true;
        }
        if (co == t->L) {
            lua_settop(L, top);
            return drive;
        }
    }
    return ql_raise(L, "cannot wait in a plain coroutine inside a task: those "
                       "of quoll.coroutine can");
}

/* Lua runs below the loop that t, which waits, runs. */
static void
waiter_refuse(lua_State *L, const ql_task_t *t)
{
    ql_raise(L, "cannot wait here: the %s waits already",
             t->id == 0 ? "main chunk" : "task");
}

bool
ql__waiter_drives(lua_State *L, ql_lua_t *lua)
{
    ql_task_t *t = lua->current;
    bool drive = true;

    if (lua->loop == NULL) {
        ql_raise(L, "quoll is closed");
    }
    if (t->state != QL_TASK_RUNNING) {
        waiter_refuse(L, t);
    }
    if (t != &lua->root) {
        drive = waiter_check(L, lua, t);
    }
    if (drive && ql__unhooked(L, lua)) {
        ql_raise(L, "cannot wait here: a finaliser or a hook cannot yield");
    }
    ql__scope_innermost(t);
    return drive;
}

void
ql_check_wait(lua_State *L, ql_lua_t *lua)
{
    bool drive;

    QL_CHECK_LUA(lua);
    ql__waiter(L, lua, &drive);
}

ql_own_op_t *
ql__own_op(lua_State *L, ql_lua_t *lua, const ql_op_type_t *type)
{
    ql_own_op_t *own = &lua->current->own;

    if (ql_op_waiting(&own->op)) {
        waiter_refuse(L, lua->current);
    }
    ql_op_init(&own->op, type, lua);
    return own;
}

void
ql__waiter_register(lua_State *L, ql_lua_t *lua)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, lua->resumers);
    lua_setfield(L, -2, "resumers");
}
