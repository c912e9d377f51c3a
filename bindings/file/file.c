/*
 * file.c: an open file: what it is called, its size, its end.
 */
#include "file.h"

#include <errno.h>
#include <string.h>

ql_lua_file_t *
ql__file_self(lua_State *L, const char *method)
{
    ql_lua_file_t *f = ql_handle_check(L, 1, &ql__file_type, method);

    if (f->handle.closed) {
        ql_push_error(L, f->handle.closed);
        return NULL;
    }
    return f;
}

int
ql__file_error(lua_State *L, const ql_lua_file_t *f, int err)
{
    return ql__path_error(L, f->path, NULL, err);
}

void
ql__file_event(ql_event_t *ev)
{
    ql_op_ready(ev->data);
}

static void
file_close(ql_handle_t *h, int err)
{
    ql_lua_file_t *f = ql_queue_data(h, ql_lua_file_t, handle);

    ql__file_preads_close(f, err);
    while (!ql_queue_empty(&f->users)) {
        ql_file_user_t *user = ql_queue_data(f->users.next, ql_file_user_t,
                                             link);

        user->end(user, err);
    }
    ql__file_reader_close(f, err);
    ql__file_writer_close(f, err);
    if (f->file != NULL) { /* close() has taken it otherwise */
        ql_file_close(f->file);
        f->file = NULL;
    }
}

static void
file_collect(ql_handle_t *h)
{
    ql_lua_file_t *f = ql_queue_data(h, ql_lua_file_t, handle);

    ql__file_preads_collect(f);
    ql_buffer_release(&f->core->buffers, &f->reader.in);
}

const ql_handle_type_t ql__file_type = {"file", file_close, file_collect};

ql_lua_file_t *
ql__file_new(lua_State *L, ql_core_t *core, const char *path)
{
    size_t length = strlen(path) + 1;
    ql_lua_file_t *f = ql_handle_new(L, core->lua, &ql__file_type,
                                     sizeof(*f) + length);

    f->core = core;
    memcpy(f->path, path, length);
    ql_queue_init(&f->preads);
    ql_queue_init(&f->users);
    ql__file_reader_init(f);
    ql__file_writer_init(f);
    return f;
}

/* size(self) -> bytes | nil, err, CODE; waits where the file is not local */
static int
file_size(lua_State *L)
{
    ql_lua_file_t *f = ql__file_self(L, "size");
    int64_t size;

    if (f == NULL) {
        return 3;
    }
    if (!f->file->local) {
        return ql__file_await_size(L, f);
    }
    size = ql_file_size(f->file);
    if (size == -1) {
        return ql__file_error(L, f, errno);
    }
    lua_pushnumber(L, (lua_Number) size);
    return 1;
}

/* getfd(self) -> descriptor | nil, err, CODE */
static int
file_getfd(lua_State *L)
{
    const ql_lua_file_t *f = ql__file_self(L, "getfd");

    if (f == NULL) {
        return 3;
    }
    lua_pushinteger(L, f->file->fd);
    return 1;
}

void
ql__open_file(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg fns[] = {
        {"size", file_size}, {"getfd", file_getfd}, {NULL, NULL}};

    ql__open_methods(L, &ql__file_type);
    lua_newtable(L);
    ql_core_register(L, core, fns);
    ql_core_register(L, core, ql__file_open_functions);
    ql_core_register(L, core, ql__file_close_functions);
    ql_core_register(L, core, ql__file_share_functions);
    ql_core_register(L, core, ql__file_read_functions);
    ql_core_register(L, core, ql__file_pread_functions);
    ql_core_register(L, core, ql__file_chunks_functions);
    ql_core_register(L, core, ql__file_seek_functions);
    ql_core_register(L, core, ql__file_write_functions);
    ql_core_register(L, core, ql__file_pwrite_functions);
    ql_core_register(L, core, ql__file_sync_functions);
    lua_setfield(L, -2, "file");
}
