/*
 * file_open.c: opening a file, which waits where the kernel might.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>

static int
open_push(lua_State *L, ql_call_t *call, int err)
{
    ql_open_t *o = (ql_open_t *) (void *) call;
    ql_lua_file_t *f;

    if (err != 0) {
        return ql__path_error(L, call->err == err ? o->at : o->path, o->why,
                              err);
    }
    f = ql__file_new(L, o->data, o->path);
    f->file = ql_open_take(o);
    ql_handle_open(&f->handle);
    return 1;
}

/* One of io's modes without "b", which the caller has checked. */
static int
open_flags(const char *mode)
{
    bool both = mode[1] == '+';

    switch (mode[0]) {
    case 'r':
        return both ? O_RDWR : O_RDONLY;
    case 'w':
        return (both ? O_RDWR : O_WRONLY) | O_CREAT | O_TRUNC;
    default:
        return (both ? O_RDWR : O_WRONLY) | O_CREAT | O_APPEND;
    }
}

/* open(path, mode, direct, root, directio, permissions, miss_direct) -> file |
 * nil, "path: err", CODE; waits. From root on, each may be nil. */
static int
file_open(lua_State *L)
{
    ql_core_t *core = ql_core(L);
    const char *path = ql__path(L, 1, "path", "open");
    ql_open_opts_t opts = {.flags = open_flags(luaL_checkstring(L, 2)),
                           .direct = lua_toboolean(L, 3) != 0,
                           .miss_direct = lua_toboolean(L, 7) != 0};
    ql_loop_t *loop = ql_check_loop(L, core->lua);
    ql_lua_call_t *w;
    ql_open_t *o;

    if (path == NULL) {
        return ql__path_zero(L, 1);
    }
    if (!lua_isnoneornil(L, 4)) {
        opts.root = ql__path(L, 4, "root", "open");
        if (opts.root == NULL) {
            return ql__path_zero(L, 4);
        }
    }
    opts.directio = (uint64_t) luaL_optnumber(L, 5, 0);
    opts.permissions = (unsigned) luaL_optinteger(L, 6, 0666);
    w = ql_lua_call_new(L, core->lua, open_push);
    o = ql_open_create(loop, path, &opts);
    if (o == NULL) {
        return ql__path_error(L, path, NULL, errno);
    }
    o->data = core;
    w->call = &o->call;
    w->about = o->path;
    return ql_lua_call_await(L, w);
}

const luaL_Reg ql__file_open_functions[] = {{"open", file_open}, {NULL, NULL}};
