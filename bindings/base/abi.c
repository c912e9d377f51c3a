/*
 * abi.c: a module meets the quoll that it was compiled for, and a Lua state one
 * quoll only: two of different sonames could be loaded beside each other.
 */
#include "misuse.h"
#include "state.h"

#include <string.h>

/* What another version's library reads in the registry: it never changes. */
typedef struct {
    int abi;
    const char *version;
} library_t;

static const library_t library = {QL_ABI, QL_VERSION};

void
ql__abi_claim(lua_State *L)
{
    const library_t *other;

    lua_getfield(L, LUA_REGISTRYINDEX, "quoll.library");
    other = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (other == NULL) {
        lua_pushlightuserdata(L, (void *) (uintptr_t) &library);
        lua_setfield(L, LUA_REGISTRYINDEX, "quoll.library");
    } else if (other != &library) {
        luaL_error(L,
                   "two libraries of quoll meet in one Lua state: %s (ABI %d) "
                   "is there, %s (ABI %d) was loaded beside it",
                   other->version, other->abi, library.version, library.abi);
    }
}

void
ql_lua_check_abi(lua_State *L, int abi, const char *version)
{
    const char *name = "this module";

    QL_CHECK_STATE(L);
    ql__abi_claim(L);
    if (abi == QL_ABI) {
        return;
    }
    if (lua_type(L, 1) == LUA_TSTRING) { /* the argument of luaopen_* */
        name = lua_tostring(L, 1);
    }
    luaL_error(L,
               "%s was compiled for quoll %s (ABI %d), and quoll %s (ABI %d) "
               "is loaded: compile it again",
               name, version, abi, library.version, library.abi);
}
