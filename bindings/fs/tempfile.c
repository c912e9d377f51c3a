/*
 * tempfile.c: a new file of the script's own.
 */
#include "../file/file.h"
#include "fs.h"

#include <string.h>

static int
push_file(lua_State *L, ql_call_t *call, int err)
{
    ql_tempfile_t *t = (ql_tempfile_t *) (void *) call;
    ql_lua_file_t *f;

    if (err != 0) {
        return ql__fs_call_error(L, call, err);
    }
    lua_pushstring(L, t->name); /* NULL: nil */
    f = ql__file_new(L, t->data, t->name != NULL ? t->name : t->p.path);
    f->file = ql_tempfile_take(t);
    ql_handle_open(&f->handle);
    lua_insert(L, -2);
    return 2;
}

/* Of a name: one with a slash would lead out of the directory. */
static const char *
check_prefix(lua_State *L, int arg)
{
    const char *prefix = ql__path(L, arg, "prefix", "tempfile");

    if (prefix == NULL || strchr(prefix, '/') != NULL) {
        ql_bad_argument(L, arg, "prefix", "tempfile",
                        "a string without \"/\" and zero bytes");
    }
    return prefix;
}

/* tempfile(dir, prefix, unlinked) -> file, path | nil, "dir: err", CODE;
 * waits */
static int
fs_tempfile(lua_State *L)
{
    ql_core_t *core = ql_core(L);
    const char *dir = ql__path(L, 1, "dir", "tempfile");
    const char *prefix = check_prefix(L, 2);
    int flags = lua_toboolean(L, 3) ? QL_TEMPFILE_UNLINKED : 0;
    ql_loop_t *loop = ql_check_loop(L, core->lua);
    ql_lua_call_t *w;
    ql_tempfile_t *t;

    if (dir == NULL) {
        return ql__path_zero(L, 1);
    }
    w = ql_lua_call_new(L, core->lua, push_file);
    t = ql_open_tempfile(loop, dir, prefix, flags);
    if (t != NULL) {
        t->data = core;
    }
    return ql__fs_await(L, w, t);
}

void
ql__open_fs_tempfile(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg fns[] = {{"tempfile", fs_tempfile}, {NULL, NULL}};

    ql_core_register(L, core, fns);
}
