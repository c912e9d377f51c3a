#include "path.h"

#include "../quoll_lua.h"

#include <string.h>

const char *
ql__path(lua_State *L, int arg, const char *name, const char *method)
{
    size_t length;
    const char *path;

    if (lua_type(L, arg) != LUA_TSTRING) {
        ql_bad_argument(L, arg, name, method, "a string");
    }
    path = lua_tolstring(L, arg, &length);
    return strlen(path) == length ? path : NULL;
}

int
ql__path_error(lua_State *L, const char *path, const char *why, int err)
{
    lua_pushnil(L);
    lua_pushfstring(L, "%s: ", path);
    if (why != NULL) {
        lua_pushstring(L, why);
    } else {
        ql_push_error_text(L, err);
    }
    lua_concat(L, 2);
    ql_push_error_code(L, err);
    return 3;
}
