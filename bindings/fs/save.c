/*
 * save.c: writefile and append: bytes into a file.
 */
#include "../core/gather.h"
#include "fs.h"

/* What is at idx lives as long as the userdata on top of the stack. */
static void
anchor(lua_State *L, int idx)
{
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, idx);
    lua_rawseti(L, -2, 1);
    lua_setfenv(L, -2);
}

static int
save(lua_State *L, const char *method, int flags)
{
    ql_core_t *core = ql_core(L);
    const char *path = ql__path(L, 1, "path", method);
    ql_loop_t *loop = ql_check_loop(L, core->lua);
    unsigned permissions = 0666;
    ql_lua_call_t *w;
    const char *data, *root;
    size_t size;

    data = ql_gather_bytes(L, 2, method, &size);
    if (lua_toboolean(L, 3)) {
        flags |= QL_SAVE_SYNC;
    }
    if (!lua_isnoneornil(L, 4)) {
        permissions = (unsigned) ql_check_whole(L, 4, "permissions", method, 0,
                                                07777);
    }
    if (path == NULL) {
        return ql__path_zero(L, 1);
    }
    if (!ql__fs_root(L, 5, method, &root)) {
        return ql__path_zero(L, 5);
    }
    w = ql_lua_call_new(L, core->lua, ql__fs_push_true);
    anchor(L, 2);
    return ql__fs_await(
        L, w, ql_save_file(loop, path, data, size, permissions, flags, root));
}

/* writefile(path, data, sync, permissions, root) -> true | nil, "path: err",
 * CODE; waits */
static int
fs_writefile(lua_State *L)
{
    return save(L, "writefile", 0);
}

/* append(path, data, sync, permissions, root) -> true | nil, "path: err", CODE;
 * waits */
static int
fs_append(lua_State *L)
{
    return save(L, "append", QL_SAVE_APPEND);
}

void
ql__open_fs_save(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg fns[] = {
        {"writefile", fs_writefile}, {"append", fs_append}, {NULL, NULL}};

    ql_core_register(L, core, fns);
}
