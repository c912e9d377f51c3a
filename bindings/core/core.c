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

ql_loop_t *
ql_core_loop(lua_State *L, const ql_core_t *core)
{
    ql_loop_t *loop = ql_lua_loop(core->lua);

    if (loop == NULL) {
        ql_raise(L, "quoll is closed");
    }
    return loop;
}
