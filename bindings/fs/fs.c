/*
 * fs.c: waits for operations on paths and their failures, and the table `fs`
 * of quoll.core, which each file here adds to.
 */
#include "fs.h"

int
ql__fs_call_error(lua_State *L, const ql_call_t *call, int err)
{
    const ql_path_call_t *p = (const ql_path_call_t *) (const void *) call;

    return ql__path_error(L, p->at, p->why, err);
}

bool
ql__fs_root(lua_State *L, int arg, const char *method, const char **root)
{
    *root = NULL;
    if (lua_isnoneornil(L, arg)) {
        return true;
    }
    *root = ql__path(L, arg, "root", method);
    return *root != NULL;
}

int
ql__fs_await(lua_State *L, ql_lua_call_t *w, void *call)
{
    w->call = call;
    w->about = call != NULL ? ((ql_path_call_t *) call)->path : NULL;
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
