#include "core.h"

static const char core_key = 0; /* registry: address -> the module's table */

void
ql_core_register(lua_State *L, ql_core_t *core, const luaL_Reg *fns)
{
    lua_pushlightuserdata(L, core);
    luaL_setfuncs(L, fns, 1);
}

void
ql__open_methods(lua_State *L, ql_core_t *core, const ql_handle_type_t *type)
{
    lua_getfield(L, -1, "methods");
    ql_handle_methods(L, core->lua, type);
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

static int
core_gc(lua_State *L)
{
    ql_core_t *core = lua_touserdata(L, 1);

    ql_buffers_done(&core->buffers);
    return 0;
}

/* The context is anchored by the module's table, the table by the registry. */
static ql_core_t *
core_new(lua_State *L)
{
    ql_lua_t *lua = ql_lua(L);
    ql_core_t *core = lua_newuserdata(L, sizeof(*core));

    core->lua = lua;
    ql_buffers_init(&core->buffers);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, core_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    return core;
}

QL_API int luaopen_quoll_core(lua_State *L);

/* Idempotent: a module loaded anew gets the same table. */
int
luaopen_quoll_core(lua_State *L)
{
    ql_core_t *core;

    lua_pushlightuserdata(L, (void *) (uintptr_t) &core_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (lua_istable(L, -1)) {
        return 1;
    }
    lua_createtable(L, 0, 32);
    core = core_new(L);
    lua_setfield(L, -2, "context");
    lua_pushliteral(L, QL_VERSION);
    lua_setfield(L, -2, "version");
    lua_createtable(L, 0, 4);
    lua_setfield(L, -2, "methods");
    ql_task_register(L, core->lua);
    ql__open_settings(L, core);
    ql__open_clock(L, core);
    ql__open_waitfd(L, core);
    ql__open_connection(L, core);
    ql__open_connect(L, core);
    ql__open_listener(L, core);
    ql__open_file(L, core);
    lua_pushlightuserdata(L, (void *) (uintptr_t) &core_key);
    lua_pushvalue(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return 1;
}
