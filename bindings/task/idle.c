/*
 * idle.c: a coroutine whose function has returned serves the next task, with
 * the fenv that holds it: the dearest of what a task is made of. One that
 * failed, or was ended inside its function, does not: nothing can unwind it.
 */
#include "../base/state.h"

void
ql__idle_init(lua_State *L, ql_lua_t *lua)
{
    lua_createtable(L, QL__IDLE_MAX, 0);
    lua->berths = luaL_ref(L, LUA_REGISTRYINDEX);
    for (uint8_t berth = QL__IDLE_MAX; berth > 0; berth--) {
        lua->berth[berth].next = lua->free_berth;
        lua->free_berth = berth;
    }
}

/* Pushes a new fenv with a new coroutine, kept at the berth. */
static lua_State *
idle_new(lua_State *L, ql_lua_t *lua, uint8_t berth)
{
    lua_State *co;

    lua_createtable(L, QL_TASK_SLOTS, 0);
    co = lua_newthread(L);
    lua_rawseti(L, -2, QL_TASK_THREAD);
    if (berth != 0) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, lua->berths);
        lua_pushvalue(L, -2);
        lua_rawseti(L, -2, berth);
        lua_pop(L, 1);
        lua->berth[berth].co = co;
        lua->berth[berth].chain = 0;
    }
    return co;
}

void
ql__idle_push(lua_State *L, const ql_lua_t *lua, uint8_t berth)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, lua->berths);
    lua_rawgeti(L, -1, berth);
    lua_replace(L, -2);
}

lua_State *
ql__idle_take(lua_State *L, ql_lua_t *lua, uint8_t *berth)
{
    lua_State *co;

    *berth = lua->free_berth;
    co = lua->berth[*berth].co;
    lua->free_berth = lua->berth[*berth].next;
    if (co == NULL) {
        co = idle_new(L, lua, *berth);
    } else {
        ql__idle_push(L, lua, *berth);
    }
    /* Its maker's globals, as lua_newthread() gives them. */
    if (lua_topointer(co, LUA_GLOBALSINDEX)
        != lua_topointer(L, LUA_GLOBALSINDEX)) {
        lua_pushvalue(L, LUA_GLOBALSINDEX);
        lua_xmove(L, co, 1);
        lua_replace(co, LUA_GLOBALSINDEX);
    }
    return co;
}

lua_State *
ql__idle_take_bare(lua_State *L, ql_lua_t *lua, uint8_t *berth)
{
    lua_State *co;

    *berth = 0;
    if (lua->free_berth == 0) {
        return lua_newthread(L);
    }
    co = ql__idle_take(L, lua, berth);
    lua_rawgeti(L, -1, QL_TASK_THREAD);
    lua_replace(L, -2);
    return co;
}

void
ql__task_push_fenv(lua_State *L, int idx)
{
    ql_outcome_t *o = lua_touserdata(L, idx);

    if (o->given) {
        lua_createtable(L, 0, 0);
        lua_setfenv(L, idx);
        o->given = 0;
    }
    lua_getfenv(L, idx);
}

void
ql__idle_give(ql_lua_t *lua, uint8_t berth)
{
    lua_settop(lua->berth[berth].co, 0);
    lua->berth[berth].next = lua->free_berth;
    lua->free_berth = berth;
}

void
ql__idle_lose(ql_lua_t *lua, uint8_t berth)
{
    lua_State *L = lua->driver;

    lua_rawgeti(L, LUA_REGISTRYINDEX, lua->berths);
    lua_pushnil(L);
    lua_rawseti(L, -2, berth);
    lua_pop(L, 1);
    lua->berth[berth].co = NULL;
    lua->berth[berth].next = lua->free_berth;
    lua->free_berth = berth;
}
