/*
 * file_sync.c: what is done to a file without moving bytes.
 */
#include "../fs/fs.h"
#include "file.h"

#include <errno.h>

static const ql_op_type_t sync_type = {"sync",
                                       ql__file_call_attempt,
                                       ql__file_call_push,
                                       ql__file_call_let_go,
                                       ql__file_call_let_go,
                                       ql__file_call_describe};

/* sync(self, data) -> true | nil, err, CODE */
static int
file_sync(lua_State *L)
{
    ql_lua_file_t *f = ql__file_self(L, "sync");
    bool data = lua_toboolean(L, 2);
    ql_lua_file_call_t *c;

    if (f == NULL) {
        return 3;
    }
    lua_settop(L, 1);
    c = ql__file_call_new(L, f, &sync_type);
    if (c == NULL) {
        return 3;
    }
    return ql__file_call_await(L, c, ql_sync_create(f->file, data));
}

static int
truncate_attempt(ql_op_t *op)
{
    ql_queue_data(op, ql_lua_file_call_t, op)->file->reader.stale = true;
    return ql__file_call_attempt(op);
}

static const ql_op_type_t truncate_type = {
    "truncate",           truncate_attempt,     ql__file_call_push,
    ql__file_call_let_go, ql__file_call_let_go, ql__file_call_describe};

/* truncate(self, size) -> true | nil, err, CODE */
static int
file_truncate(lua_State *L)
{
    ql_lua_file_t *f = ql__file_self(L, "truncate");
    int64_t size;
    ql_lua_file_call_t *c;

    if (f == NULL) {
        return 3;
    }
    size = ql_check_whole(L, 2, "size", "truncate", 0, INT64_C(1) << 52);
    if (!f->file->writable) { /* the kernel would call it EINVAL */
        return ql__file_error(L, f, EBADF);
    }
    lua_settop(L, 1);
    c = ql__file_call_new(L, f, &truncate_type);
    if (c == NULL) {
        return 3;
    }
    return ql__file_call_await(L, c, ql_truncate_create(f->file, size));
}

static int
stat_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_call_t *call = ql_queue_data(op, ql_lua_file_call_t, op)->call;

    if (rc == NGX_ERROR) {
        return ql__file_call_push(L, op, rc);
    }
    ql__fs_push_info(L, &((ql_info_call_t *) (void *) call)->info);
    return 1;
}

static const ql_op_type_t stat_type = {"stat",
                                       ql__file_call_attempt,
                                       stat_push,
                                       ql__file_call_let_go,
                                       ql__file_call_let_go,
                                       ql__file_call_describe};

/* stat(self) -> table | nil, err, CODE */
static int
file_stat(lua_State *L)
{
    ql_lua_file_t *f = ql__file_self(L, "stat");
    ql_info_call_t *info;
    ql_lua_file_call_t *c;

    if (f == NULL) {
        return 3;
    }
    lua_settop(L, 1);
    c = ql__file_call_new(L, f, &stat_type);
    if (c == NULL) {
        return 3;
    }
    info = ql_open_file_info(f->file);
    return ql__file_call_await(L, c, info != NULL ? &info->p.call : NULL);
}

const luaL_Reg ql__file_sync_functions[] = {{"stat", file_stat},
                                            {"sync", file_sync},
                                            {"truncate", file_truncate},
                                            {NULL, NULL}};
