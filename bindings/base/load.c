/*
 * load.c: modules that wait while require loads them. Lua marks a module while
 * it is loaded, and the mark of a load that was cut or has failed would refuse
 * the module for ever. What is loading is noted where the loop begins to run
 * inside it, and looked at when its require may have been left: before another
 * task goes on, at the end of a scope, at the next such wait.
 */
#include "state.h"

enum {
    LOAD_LEVELS = 200 /* of a stack that are looked at before a wait: each level
                         is counted from the top again */
};

void
ql__loads_init(lua_State *L, ql_lua_t *lua)
{
    lua_createtable(L, 0, 0);
    lua->loads = luaL_ref(L, LUA_REGISTRYINDEX);
    lua->load_mark = LUA_NOREF;
}

/* Is ar, a frame of co, that of require? Then pushes the module's name onto L,
 * which may be co. */
static bool
load_name(lua_State *L, const ql_lua_t *lua, lua_State *co, lua_Debug *ar)
{
    const void *fn;

    lua_getinfo(co, "f", ar);
    fn = lua_topointer(co, -1);
    lua_pop(co, 1);
    if (fn != lua->loaders[0] || lua_getlocal(co, ar, 1) == NULL) {
        return false;
    }
    lua_xmove(co, L, 1);
    return true;
}

/* The first module that is noted tells what Lua's mark is: a light userdata, or
 * (LuaJIT since 2021) a number that is none else's. */
static bool
load_is_mark(lua_State *L, ql_lua_t *lua)
{
    int type = lua_type(L, -1);
    bool same;

    if (type != LUA_TLIGHTUSERDATA && type != LUA_TNUMBER) {
        return false;
    }
    if (lua->load_mark == LUA_NOREF) {
        lua_pushvalue(L, -1);
        lua->load_mark = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, lua->load_mark);
    same = lua_rawequal(L, -1, -2);
    lua_pop(L, 1);
    return same;
}

/* Pushes package.loaded, and its value of the name on top. */
static void
load_push_value(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
    lua_pushvalue(L, -2);
    lua_rawget(L, -2);
}

/* The name on top, which co loads. */
static void
load_keep(lua_State *L, ql_lua_t *lua, lua_State *co)
{
    load_push_value(L);
    if (load_is_mark(L, lua)) {
        lua->loading = true;
        lua_rawgeti(L, LUA_REGISTRYINDEX, lua->loads);
        lua_pushvalue(L, -4);
        lua_pushthread(co);
        lua_xmove(co, L, 1);
        lua_rawset(L, -3);
    }
}

/* Is the running task, in L, in a require? With keep, notes what it loads,
 * which may raise. */
static bool
loads_walk(lua_State *L, ql_lua_t *lua, bool keep)
{
    lua_State *co = L;
    int top = lua_gettop(L);
    bool found = false;
    lua_Debug ar;

    for (lua_pushthread(L); co != NULL && lua_checkstack(co, 2);
         co = ql__waiter_outward(L, lua))
    {
        int own = lua_gettop(L);

        for (int level = 0; level < LOAD_LEVELS && lua_getstack(co, level, &ar);
             level++)
        {
            if (load_name(L, lua, co, &ar)) {
                found = true;
                if (keep) {
                    load_keep(L, lua, co);
                }
            }
            lua_settop(L, own);
        }
        if (co == lua->current->L) {
            break;
        }
    }
    lua_settop(L, top);
    return found;
}

/* Under lua_cpcall. */
static int
loads_keep(lua_State *L)
{
    ql_lua_t *lua = lua_touserdata(L, 1);

    luaL_checkstack(L, LUA_MINSTACK, "a load");
    (void) loads_walk(L, lua, true);
    return 0;
}

void
ql__loads_note(lua_State *L, ql_lua_t *lua)
{
    if (lua->load_left) {
        ql__loads_settle(L, lua);
    }
    if (lua_checkstack(L, LUA_MINSTACK) && loads_walk(L, lua, false)
        && lua_cpcall(L, loads_keep, lua) != 0)
    {
        lua_pop(L, 1); /* no memory: what loads here keeps Lua's mark */
    }
}

/* Does the coroutine on top still load the module whose name is below it? */
static bool
load_goes_on(lua_State *L, const ql_lua_t *lua)
{
    lua_State *co = lua_tothread(L, -1);
    bool same = false;
    lua_Debug ar;

    if (lua_status(co) > LUA_YIELD || !lua_checkstack(co, 2)) {
        return false;
    }
    for (int level = 0; !same && lua_getstack(co, level, &ar); level++) {
        if (load_name(L, lua, co, &ar)) {
            same = lua_rawequal(L, -1, -3);
            lua_pop(L, 1);
        }
    }
    return same;
}

/* The name on top is loaded no more: takes the mark back. */
static void
load_drop(lua_State *L, ql_lua_t *lua)
{
    load_push_value(L);
    if (load_is_mark(L, lua)) {
        lua_pushvalue(L, -3);
        lua_pushnil(L);
        lua_rawset(L, -4);
    }
    lua_pop(L, 2);
}

void
ql__loads_settle(lua_State *L, ql_lua_t *lua)
{
    int top = lua_gettop(L);

    if (!lua_checkstack(L, LUA_MINSTACK)) {
        return;
    }
    lua->load_left = false;
    lua->loading = false;
    lua_rawgeti(L, LUA_REGISTRYINDEX, lua->loads);
    for (lua_pushnil(L); lua_next(L, top + 1);) {
        if (load_goes_on(L, lua)) {
            lua->loading = true;
            lua_pop(L, 1);
            continue;
        }
        lua_pop(L, 1);
        load_drop(L, lua);
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, top + 1);
    }
    lua_settop(L, top);
}
