/*
 * load.c: modules that wait while require loads them. Lua marks a module while
 * it is loaded; the mark of a load that was cut or has failed would refuse the
 * module for ever. Who is loading what is noted at the waits, and looked at
 * when the frame of that require may be gone: before another task goes on, and
 * at the end of a scope.
 */
#include "state.h"

static const char load_probe[] = "quoll.core.probe";

/* Keeps what Lua marks a module with: the value of this one while it loads. */
static int
load_probed(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, "_PRELOAD");
    lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
    lua_getfield(L, -1, load_probe);
    lua_setfield(L, -3, load_probe);
    return 0;
}

static int
load_learn(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, "_PRELOAD");
    lua_pushcfunction(L, load_probed);
    lua_setfield(L, 1, load_probe);
    lua_getglobal(L, "require");
    lua_pushstring(L, load_probe);
    lua_call(L, 1, 0);
    lua_getfield(L, 1, load_probe);
    lua_pushnil(L);
    lua_setfield(L, 1, load_probe);
    lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
    lua_pushnil(L);
    lua_setfield(L, -2, load_probe);
    lua_pop(L, 1);
    return 1;
}

void
ql__loads_init(lua_State *L, ql_lua_t *lua)
{
    lua_pushcfunction(L, load_learn);
    if (lua_pcall(L, 0, 1, 0) != 0) { /* a require that is no more Lua's */
        lua_pop(L, 1);
        lua_pushnil(L);
    }
    lua->load_mark = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_createtable(L, 0, 0);
    lua->loads = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* Is ar, a frame of co, in require? Then pushes the module's name onto L. */
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

/* Is it on top? */
static bool
load_is_mark(lua_State *L, const ql_lua_t *lua)
{
    bool same;

    lua_rawgeti(L, LUA_REGISTRYINDEX, lua->load_mark);
    same = !lua_isnil(L, -1) && lua_rawequal(L, -1, -2);
    lua_pop(L, 1);
    return same;
}

/* The name on top, which co loads: kept while Lua's mark is there. */
static void
load_keep(lua_State *L, ql_lua_t *lua, lua_State *co)
{
    lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
    lua_pushvalue(L, -2);
    lua_rawget(L, -2);
    if (load_is_mark(L, lua)) {
        lua->loading = true;
        lua_rawgeti(L, LUA_REGISTRYINDEX, lua->loads);
        lua_pushvalue(L, -4);
        lua_pushthread(co);
        lua_xmove(co, L, 1);
        lua_rawset(L, -3);
    }
}

void
ql__loads_note(lua_State *L, ql_lua_t *lua, lua_State *co)
{
    int top = lua_gettop(L);
    lua_Debug ar;

    luaL_checkstack(L, LUA_MINSTACK, "a load");
    luaL_checkstack(co, 1, "a load");
    for (int level = 0; lua_getstack(co, level, &ar); level++) {
        if (load_name(L, lua, co, &ar)) {
            load_keep(L, lua, co);
        }
        lua_settop(L, top);
    }
}

/* Does the coroutine on top still load the module whose name is below it? */
static bool
load_goes_on(lua_State *L, const ql_lua_t *lua)
{
    lua_State *co = lua_tothread(L, -1);
    bool same = false;
    lua_Debug ar;

    if (lua_status(co) > LUA_YIELD || !lua_checkstack(co, 1)) {
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
load_drop(lua_State *L, const ql_lua_t *lua)
{
    lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
    lua_pushvalue(L, -2);
    lua_rawget(L, -2);
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
