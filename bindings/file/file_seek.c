/*
 * file_seek.c: the file's position, which read and write share.
 */
#include "file.h"

#include <errno.h>
#include <string.h>

int64_t
ql__file_position(const file_t *f)
{
    const file_reader_t *r = &f->reader;

    return r->next - ql_buffer_unread(&r->in);
}

void
ql__file_set_position(file_t *f, int64_t position)
{
    ql_buffer_release(&f->core->buffers, &f->reader.in);
    f->reader.next = position;
    f->reader.stale = false;
}

int
ql__file_busy(lua_State *L, file_t *f)
{
    ql_op_t *read = &f->reader.op;

    if (ql_op_waiting(read) || ql_op_pushing(L, read, &f->handle)) {
        return QL_E_BUSY_READING;
    }
    return ql_op_waiting(&f->writer.op) ? QL_E_BUSY_WRITING : 0;
}

/* seek(self, whence, offset) -> position */
static int
file_seek(lua_State *L)
{
    file_t *f = ql__file_self(L, "seek");
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
