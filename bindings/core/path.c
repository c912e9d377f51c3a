#include "path.h"

#include "../quoll_lua.h"

#include <errno.h>
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

int
ql__path_zero(lua_State *L, int arg)
{
    size_t length;
    const char *path = lua_tolstring(L, arg, &length);
    const char *end = path + length;
    luaL_Buffer text;

    lua_pushnil(L);
    luaL_buffinit(L, &text);
    for (; path + strlen(path) < end; path += strlen(path) + 1) {
        luaL_addstring(&text, path);
        luaL_addstring(&text, "\\0");
    }
    luaL_addstring(&text, path);
    luaL_addstring(&text, ": contains a zero byte");
    luaL_pushresult(&text);
    ql_push_error_code(L, EINVAL);
    return 3;
}
