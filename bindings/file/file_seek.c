/*
 * file_seek.c: the file's position, which read and write share.
 */
#include "file.h"

#include <errno.h>
#include <string.h>

int64_t
ql__file_position(const ql_lua_file_t *f)
{
    const ql_file_reader_t *r = &f->reader;

    return r->next - ql_buffer_unread(&r->in);
}

void
ql__file_set_position(ql_lua_file_t *f, int64_t position)
{
    ql_buffer_release(&f->core->buffers, &f->reader.in);
    f->reader.next = position;
    f->reader.stale = false;
}

int
ql__file_busy(lua_State *L, ql_lua_file_t *f)
{
    ql_op_t *read = &f->reader.op;

    if (ql_op_waiting(read) || ql_op_pushing(L, read, &f->handle)) {
        return QL_E_BUSY_READING;
    }
    return ql_op_waiting(&f->writer.op) ? QL_E_BUSY_WRITING : 0;
}

/* ---- of a file that is not local: a thread asks for its size ---- */

static int
size_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_call_t *call = ql_queue_data(op, ql_lua_file_call_t, op)->call;

    if (rc == NGX_ERROR) {
        return ql__file_call_push(L, op, rc);
    }
    lua_pushnumber(L,
                   (lua_Number) ((ql_info_call_t *) (void *) call)->info.size);
    return 1;
}

/* A read or write may have begun meanwhile. */
static int
end_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_lua_file_call_t *c = ql_queue_data(op, ql_lua_file_call_t, op);
    int64_t position;
    int busy;

    if (rc == NGX_ERROR) {
        return ql__file_call_push(L, op, rc);
    }
    position = (int64_t) ((ql_info_call_t *) (void *) c->call)->info.size
             + c->offset;
    busy = ql__file_busy(L, c->file);
    if (busy) {
        return ql_push_error(L, busy);
    }
    if (position < 0) {
        return ql__file_error(L, c->file, EINVAL);
    }
    ql__file_set_position(c->file, position);
    lua_pushnumber(L, (lua_Number) position);
    return 1;
}

static const ql_op_type_t size_type = {"size",
                                       ql__file_call_attempt,
                                       size_push,
                                       ql__file_call_let_go,
                                       ql__file_call_let_go,
                                       ql__file_call_describe};
static const ql_op_type_t end_type = {"seek",
                                      ql__file_call_attempt,
                                      end_push,
                                      ql__file_call_let_go,
                                      ql__file_call_let_go,
                                      ql__file_call_describe};

static int
await_size(lua_State *L, ql_lua_file_t *f, const ql_op_type_t *type,
           int64_t offset)
{
    ql_info_call_t *info;
    ql_lua_file_call_t *c;

    lua_settop(L, 1);
    c = ql__file_call_new(L, f, type);
    if (c == NULL) {
        return 3;
    }
    c->offset = offset;
    info = ql_open_file_info(f->file);
    return ql__file_call_await(L, c, info != NULL ? &info->p.call : NULL);
}

int
ql__file_await_size(lua_State *L, ql_lua_file_t *f)
{
    return await_size(L, f, &size_type, 0);
}

/* ---- method ---- */

/* seek(self, whence, offset) -> position | nil, err, CODE */
static int
file_seek(lua_State *L)
{
    ql_lua_file_t *f = ql__file_self(L, "seek");
    const char *whence = luaL_checkstring(L, 2);
    int64_t base = 0;
    int64_t offset;
    int busy;

    if (f == NULL) {
        return 3;
    }
    offset = ql_check_whole(L, 3, "offset", "seek", -(INT64_C(1) << 52),
                            INT64_C(1) << 52);
    busy = ql__file_busy(L, f);
    if (!busy && ql__file_writer_settle(f, NULL) == NGX_AGAIN) {
        busy = QL_E_BUSY_WRITING;
    }
    if (busy) {
        return ql_push_error(L, busy);
    }
    if (strcmp(whence, "cur") == 0) {
        base = ql__file_position(f);
    } else if (strcmp(whence, "end") == 0) {
        if (!f->file->local) {
            return await_size(L, f, &end_type, offset);
        }
        base = ql_file_size(f->file);
    }
    if (base == -1 || base + offset < 0) {
        return ql__file_error(L, f, base == -1 ? errno : EINVAL);
    }
    ql__file_set_position(f, base + offset);
    lua_pushnumber(L, (lua_Number) (base + offset));
    return 1;
}

const luaL_Reg ql__file_seek_functions[] = {{"seek", file_seek}, {NULL, NULL}};
