/*
 * module.c: the module quoll.core.http.
 */
#include "../quoll_lua.h"

static const char module_key = 0; /* registry: address -> the table */

QL_API int luaopen_quoll_core_http(lua_State *L);

/* Idempotent: a module loaded anew gets the same table. */
int
luaopen_quoll_core_http(lua_State *L)
{
    lua_pushlightuserdata(L, (void *) (uintptr_t) &module_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (lua_istable(L, -1)) {
        return 1;
    }
    lua_createtable(L, 0, 16);
    lua_pushlightuserdata(L, (void *) (uintptr_t) &module_key);
    lua_pushvalue(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return 1;
}
