#include "core.h"

void
ql_core_register(lua_State *L, ql_core_t *core, const luaL_Reg *fns)
{
    lua_pushlightuserdata(L, core);
    luaL_setfuncs(L, fns, 1);
}

void
ql__open_methods(lua_State *L, const ql_handle_type_t *type)
{
    lua_getfield(L, -1, "methods");
    ql_handle_methods(L, type);
    lua_setfield(L, -2, type->name);
    lua_pop(L, 1);
}
