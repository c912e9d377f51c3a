/*
 * module.c: the module quoll.core.http: its context, and every file's
 * functions.
 */
#include "http.h"

static const char module_key = 0; /* registry: address -> the table */

static int
module_gc(lua_State *L)
{
    ql__http_exchanges_free(lua_touserdata(L, 1));
    return 0;
}

/* A field of quoll.core. */
static void *
core_field(lua_State *L, const char *name)
{
    void *p;

    lua_getglobal(L, "require");
    lua_pushliteral(L, "quoll.core");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, name);
    p = lua_touserdata(L, -1);
    lua_pop(L, 2);
    return p;
}

static ql_http_t *
module_new_context(lua_State *L)
{
    ql_http_t *http = lua_newuserdata(L, sizeof(*http));

    *http = (ql_http_t){.lua = ql_lua_open(L),
                        .core = core_field(L, "context"),
                        .stream = core_field(L, "stream"),
                        .parts = LUA_NOREF};
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, module_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    return http;
}

static void
set(lua_State *L, const char *name, uint64_t n)
{
    lua_pushnumber(L, (lua_Number) n);
    lua_setfield(L, -2, name);
}

/* stats() -> table */
static int
http_stats(lua_State *L)
{
    const ql_http_stats_t *stats = &ql_http(L)->stats;

    lua_createtable(L, 0, 5);
    set(L, "requests", stats->requests);
    set(L, "responses", stats->responses);
    set(L, "refused", stats->refused);
    set(L, "timeouts", stats->timeouts);
    set(L, "left", stats->left);
    return 1;
}

static void
module_register(lua_State *L, ql_http_t *http, const luaL_Reg *fns)
{
    lua_pushlightuserdata(L, http);
    luaL_setfuncs(L, fns, 1);
}

QL_API int luaopen_quoll_core_http(lua_State *L);

/* Idempotent: a module loaded anew gets the same table. */
int
luaopen_quoll_core_http(lua_State *L)
{
    static const luaL_Reg fns[] = {{"stats", http_stats}, {NULL, NULL}};
    ql_http_t *http;

    lua_pushlightuserdata(L, (void *) (uintptr_t) &module_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (lua_istable(L, -1)) {
        return 1;
    }
    lua_createtable(L, 0, 32);
    http = module_new_context(L);
    lua_setfield(L, -2, "context");
    module_register(L, http, fns);
    module_register(L, http, ql__http_config_functions);
    module_register(L, http, ql__http_held_functions);
    module_register(L, http, ql__http_field_functions);
    module_register(L, http, ql__http_reply_functions);
    module_register(L, http, ql__http_part_functions);
    module_register(L, http, ql__http_step_functions);
    module_register(L, http, ql__http_turn_functions);
    module_register(L, http, ql__http_read_functions);
    module_register(L, http, ql__http_response_functions);
    module_register(L, http, ql__http_hijack_functions);
    ql__open_message(L, http);
    lua_pushlightuserdata(L, (void *) (uintptr_t) &module_key);
    lua_pushvalue(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return 1;
}
