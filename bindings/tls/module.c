/*
 * module.c: the module quoll.core.tls.
 */
#include "core_tls.h"

static const char module_key = 0; /* registry: address -> the table */

static const ql_error_words_t words = {"quoll.core.tls", ql_tls_error_text,
                                       ql_tls_error_code};

QL_API int luaopen_quoll_core_tls(lua_State *L);

/* Idempotent: a module loaded anew gets the same table. */
int
luaopen_quoll_core_tls(lua_State *L)
{
    ql_lua_t *lua = ql_lua_open(L);

    lua_pushlightuserdata(L, (void *) (uintptr_t) &module_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (lua_istable(L, -1)) {
        return 1;
    }
    lua_createtable(L, 0, 16);
    ql_error_range(L, QL_TLS_RANGE, &words);
    ql__open_context(L, lua);
    ql__open_starttls(L, lua);
    ql__open_info(L, lua);
    lua_pushlightuserdata(L, (void *) (uintptr_t) &module_key);
    lua_pushvalue(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return 1;
}
