/*
 * fs.c: arguments and failures of operations on paths, and the table `fs` of
 * quoll.core, which each file here adds to.
 */
#include "fs.h"

#include <string.h>

const char *
ql__fs_path(lua_State *L, int arg, const char *name, const char *method)
{
    size_t length;
    const char *path;

    if (lua_type(L, arg) != LUA_TSTRING) {
        ql_bad_argument(L, arg, name, method, "a string");
    }
    path = lua_tolstring(L, arg, &length);
    return strlen(path) == length ? path : NULL;
}

static int
push_failure(lua_State *L, const char *path, const char *why, int err)
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
ql__fs_error(lua_State *L, const char *path, int err)
{
    return push_failure(L, path, NULL, err);
}

int
ql__fs_call_error(lua_State *L, const ql_call_t *call, int err)
{
    const ql_path_call_t *p = (const ql_path_call_t *) (const void *) call;

    return push_failure(L, p->path, p->why, err);
}

int
ql__fs_await(lua_State *L, ql_lua_call_t *w, void *call)
{
    w->call = call;
    return ql_lua_call_await(L, w);
}

int
ql__fs_push_true(lua_State *L, ql_call_t *call, int err)
{
    if (err != 0) {
        return ql__fs_call_error(L, call, err);
    }
    lua_pushboolean(L, 1);
    return 1;
}

void
ql__open_fs(lua_State *L, ql_core_t *core)
{
    lua_createtable(L, 0, 16);
    ql__open_fs_path(L, core);
    ql__open_fs_stat(L, core);
    ql__open_fs_readdir(L, core);
    ql__open_fs_save(L, core);
    ql__open_fs_tempfile(L, core);
    lua_setfield(L, -2, "fs");
}
