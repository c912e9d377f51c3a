/*
 * module.c: the module quoll.core: its context, and every file's functions.
 */
#include "../file/file.h"
#include "../stream/calls.h"
#include "../udp/datagrams.h"
#include "core.h"

static const char module_key = 0; /* registry: address -> the table */

static int
module_gc(lua_State *L)
{
    ql_core_t *core = lua_touserdata(L, 1);

    ql_buffers_done(&core->buffers);
    ql__preads_done(core);
    ql__datagrams_done(core);
    return 0;
}

/* The context is anchored by the module's table, the table by the registry. */
static ql_core_t *
module_new_context(lua_State *L)
{
    ql_lua_t *lua = ql_lua_open(L);
    ql_core_t *core = lua_newuserdata(L, sizeof(*core));

    core->lua = lua;
    ql_buffers_init(&core->buffers);
    ql_queue_init(&core->spare_preads);
    core->spare_count = 0;
    core->datagrams = NULL;
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, module_gc);
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

    lua_pushlightuserdata(L, (void *) (uintptr_t) &module_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (lua_istable(L, -1)) {
        return 1;
    }
    lua_createtable(L, 0, 32);
    core = module_new_context(L);
    lua_setfield(L, -2, "context");
    lua_pushlightuserdata(L, (void *) (uintptr_t) &ql__stream_calls);
    lua_setfield(L, -2, "stream");
    lua_pushliteral(L, QL_VERSION);
    lua_setfield(L, -2, "version");
    lua_createtable(L, 0, 4);
    lua_setfield(L, -2, "methods");
    ql_task_register(L, core->lua);
    ql__open_settings(L, core);
    ql__open_log(L, core);
    ql__open_stats(L, core);
    ql__open_clock(L, core);
    ql__open_waitfd(L, core);
    ql__open_connection(L, core);
    ql__open_connect(L, core);
    ql__open_adopt(L, core);
    ql__open_lease(L, core);
    ql__open_listener(L, core);
    ql__open_udp(L, core);
    ql__open_inherited(L, core);
    ql__open_file(L, core);
    ql__open_process(L, core);
    ql__open_watch(L, core);
    ql__open_fs(L, core);
    lua_pushlightuserdata(L, (void *) (uintptr_t) &module_key);
    lua_pushvalue(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return 1;
}
