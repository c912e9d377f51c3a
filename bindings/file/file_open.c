/*
 * file_open.c: opening a file, which waits where the kernel might.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* nil, "path: text", CODE */
static int
open_error(lua_State *L, const char *path, const char *why, int err)
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

static int
open_push(lua_State *L, ql_call_t *call, int err)
{
    ql_open_t *o = (ql_open_t *) (void *) call;
    file_t *f;

    if (err != 0) {
        return open_error(L, call->err == err ? o->at : o->path, o->why, err);
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

/* A path at idx; NULL: it has a NUL inside. */
static const char *
open_path(lua_State *L, int idx)
{
    size_t length;
    const char *path = luaL_checklstring(L, idx, &length);

    return strlen(path) == length ? path : NULL;
}

/* open(path, mode, direct, root, directio, permissions, miss_direct) -> file | nil, "path:
 * err", CODE; waits. From root on, each may be nil. */
static int
file_open(lua_State *L)
{
    ql_core_t *core = ql_core(L);
    const char *path = open_path(L, 1);
    ql_open_opts_t opts = {.flags = open_flags(luaL_checkstring(L, 2)),
                           .direct = lua_toboolean(L, 3) != 0,
                           .miss_direct = lua_toboolean(L, 7) != 0};
    ql_loop_t *loop = ql_lua_ready(core->lua, L);
    ql_lua_call_t *w;
    ql_open_t *o;

    if (path == NULL) {
        return open_error(L, lua_tostring(L, 1), NULL, EINVAL);
    }
    if (!lua_isnoneornil(L, 4)) {
        opts.root = open_path(L, 4);
        if (opts.root == NULL) {
            return open_error(L, lua_tostring(L, 4), NULL, EINVAL);
        }
    }
    opts.directio = (uint64_t) luaL_optnumber(L, 5, 0);
    opts.permissions = (unsigned) luaL_optinteger(L, 6, 0666);
    w = ql_lua_call_new(L, core->lua, open_push);
    o = ql_open_create(loop, path, &opts);
    if (o == NULL) {
        return open_error(L, path, NULL, errno);
    }
    o->data = core;
    w->call = &o->call;
    return ql_lua_call_await(L, w);
}

const luaL_Reg ql__file_open_functions[] = {{"open", file_open}, {NULL, NULL}};
