/*
 * file_read.c: reads at the file's own position: lines, bytes, numbers. The
 * end of the file is not sticky: what was appended since is read next time.
 */
#include "file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_FILL = 64 * 1024,   /* bytes read ahead at a time */
    FILE_WAIT = 1 << 20,     /* waited for at a time: copied at once, 0.1 ms */
    FILE_TURN = 256 * 1024,  /* of one attempt, then others have their turn */
    FILE_NUMBER_LENGTH = 200 /* bytes of a numeral at most, as in stdio */
};

static ql_lua_file_t *
reader_file(ql_op_t *op)
{
    return ql_queue_data(op, ql_lua_file_t, reader.op);
}

/* -------------------------------------------------------------- match ---- */

static bool
match_line(ql_file_reader_t *r)
{
    uint32_t unread = ql_buffer_unread(&r->in);
    const char *bytes = ql_buffer_bytes(&r->in);
    const char *lf = unread > r->in.scanned ? memchr(
                         bytes + r->in.scanned, '\n', unread - r->in.scanned)
                                            : NULL;

    if (lf != NULL) {
        r->skip = r->format == FILE_LINE;
        r->take = (uint32_t) (lf - bytes) + 1 - r->skip;
        return true;
    }
    r->in.scanned = unread;
    r->take = unread;
    return r->end;
}

/* White space, then what may belong to a numeral; strtod decides. */
static bool
match_number(ql_file_reader_t *r)
{
    const char *bytes = ql_buffer_bytes(&r->in);
    uint32_t unread = ql_buffer_unread(&r->in);
    uint32_t start = 0;
    uint32_t n;

    while (start < unread && isspace((unsigned char) bytes[start])) {
        start++;
    }
    for (n = 0; start + n < unread && n < FILE_NUMBER_LENGTH; n++) {
        if (!isalnum((unsigned char) bytes[start + n])
            && strchr("+-.", bytes[start + n]) == NULL)
        {
            break;
        }
    }
    r->skip = start;
    r->take = n;
    return start + n < unread || n == FILE_NUMBER_LENGTH || r->end;
}

static bool
reader_match(ql_file_reader_t *r)
{
    uint32_t unread = ql_buffer_unread(&r->in);

    r->skip = 0;
    switch (r->format) {
    case FILE_BYTES:
        r->take = unread < r->size ? unread : r->size;
        return unread >= (r->size > 0 ? r->size : 1) || r->end;
    case FILE_ALL:
        r->take = unread;
        return r->end;
    case FILE_NUMBER:
        return match_number(r);
    default:
        return match_line(r);
    }
}

/* --------------------------------------------------------------- fill ---- */

/* Bytes wanted by the next fill. */
static uint32_t
reader_want(const ql_file_reader_t *r)
{
    uint32_t unread = ql_buffer_unread(&r->in);
    uint32_t want = FILE_FILL;

    if (r->format == FILE_BYTES && r->size - unread > FILE_FILL) {
        want = r->size - unread;
    }
    return want < FILE_WAIT ? want : FILE_WAIT;
}

/* Bytes of the buffer. Of a length that is not known: twice as many, or what
 * is there would be moved again and again. */
static uint32_t
reader_room(const ql_file_reader_t *r)
{
    uint32_t unread = ql_buffer_unread(&r->in);

    if (r->format == FILE_BYTES && r->size > unread) {
        return r->size;
    }
    return unread + (unread > FILE_FILL ? unread : FILE_FILL);
}

static int
reader_append(ql_lua_file_t *f, const char *data, size_t n)
{
    ql_file_reader_t *r = &f->reader;
    uint32_t left = (uint32_t) n;

    while (left > 0) {
        uint32_t room;

        if (ql_buffer_reserve(&f->core->buffers, &r->in,
                              ql_buffer_unread(&r->in) + left)
            != NGX_OK)
        {
            r->op.err = ENOMEM;
            return NGX_ERROR;
        }
        room = r->in.cap - r->in.end;
        room = room < left ? room : left;
        memcpy(r->in.data + r->in.end, data, room);
        r->in.end += room;
        data += room;
        left -= room;
    }
    r->next += (int64_t) n;
    r->end = n == 0;
    return NGX_OK;
}

/* Straight into the buffer from the page cache. NGX_AGAIN: it has nothing;
 * NGX_DECLINED: it was not asked. */
static int
fill_cached(ql_lua_file_t *f)
{
    ql_file_reader_t *r = &f->reader;
    uint32_t room;
    ssize_t n;

    if (f->file->direct && !f->file->memory) {
        return NGX_DECLINED;
    }
    if (ql_buffer_reserve(&f->core->buffers, &r->in, reader_room(r)) != NGX_OK)
    {
        r->op.err = ENOMEM;
        return NGX_ERROR;
    }
    room = r->in.cap - r->in.end;
    n = ql_file_read_cached(f->file, r->in.data + r->in.end,
                            room < FILE_TURN ? room : FILE_TURN, r->next);
    if (n < 0) {
        r->op.err = errno;
        return (int) n;
    }
    r->in.end += (uint32_t) n;
    r->next += n;
    r->end = n == 0;
    return NGX_OK;
}

static int
fill_waiting(ql_lua_file_t *f, bool missed)
{
    ql_file_reader_t *r = &f->reader;
    int rc;

    if (r->read == NULL) {
        r->read = ql_read_create(f->file, reader_want(r), r->next);
        if (r->read == NULL) {
            r->op.err = errno;
            return NGX_ERROR;
        }
        r->read->missed = missed;
        r->read->event.data = &r->op;
        r->read->event.handler = ql__file_event;
    }
    rc = ql_read_attempt(r->read);
    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }
    r->op.err = r->read->err;
    if (rc == NGX_OK) {
        rc = reader_append(f, r->read->data, r->read->nbytes);
    }
    ql_read_free(r->read);
    r->read = NULL;
    return rc;
}

static int
reader_fill(ql_lua_file_t *f)
{
    int rc = f->reader.read == NULL ? fill_cached(f) : NGX_DECLINED;

    return rc == NGX_AGAIN || rc == NGX_DECLINED
             ? fill_waiting(f, rc == NGX_AGAIN)
             : rc;
}

/* ---------------------------------------------------------- operation ---- */

static int
reader_attempt(ql_op_t *op)
{
    ql_lua_file_t *f = reader_file(op);
    ql_file_reader_t *r = &f->reader;
    int64_t turn;

    if (ql__file_writer_settle(f, op) == NGX_AGAIN) {
        return NGX_AGAIN;
    }
    turn = r->next + FILE_TURN;
    while (!reader_match(r)) {
        int rc;

        if (r->next >= turn) {
            ql_post_next_event(f->file->loop, &r->turn);
            return NGX_AGAIN;
        }
        rc = reader_fill(f);
        if (rc != NGX_OK) {
            return rc;
        }
    }
    return NGX_OK;
}

static int
push_number(lua_State *L, ql_file_reader_t *r)
{
    char text[FILE_NUMBER_LENGTH + 1];
    char *rest;
    double value;

    memcpy(text, ql_buffer_bytes(&r->in) + r->skip, r->take);
    text[r->take] = '\0';
    value = strtod(text, &rest);
    ql_buffer_consume(&r->in, r->skip + (uint32_t) (rest - text));
    if (rest == text) {
        lua_pushnil(L);
    } else {
        lua_pushnumber(L, value);
    }
    return 1;
}

static void
push_string(lua_State *L, ql_lua_file_t *f)
{
    ql_file_reader_t *r = &f->reader;

    lua_pushlstring(L, r->in.data != NULL ? ql_buffer_bytes(&r->in) : "",
                    r->take);
    if (f->handle.closed) { /* by a finaliser just now */
        ql_buffer_release(&f->core->buffers, &r->in);
    } else {
        ql_buffer_consume(&r->in, r->take + r->skip);
    }
}

static int
reader_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_lua_file_t *f = reader_file(op);
    ql_file_reader_t *r = &f->reader;

    if (rc == NGX_ERROR) {
        return op->err >= QL_E_TIMEOUT ? ql_push_error(L, op->err)
                                       : ql__file_error(L, f, op->err);
    }
    if (r->format == FILE_NUMBER && r->in.data != NULL) {
        push_number(L, r);
    } else if (r->take == 0 && r->end && r->format != FILE_ALL) {
        lua_pushnil(L);
    } else {
        push_string(L, f);
    }
    ql_buffer_settle(&f->core->buffers, &r->in);
    return 1;
}

static void
reader_cancel(ql_op_t *op)
{
    ql_file_reader_t *r = &reader_file(op)->reader;

    ql_delete_posted_event(ql_lua_loop(op->lua), &r->turn);
    if (r->read != NULL) {
        ql_read_free(r->read);
        r->read = NULL;
    }
}

static void
reader_describe(ql_op_t *op, char *text, size_t size)
{
    const ql_lua_file_t *f = reader_file(op);

    (void) snprintf(text, size, "read of %s at %lld (%s)", f->path,
                    (long long) f->reader.next,
                    f->reader.read != NULL ? ql_read_lane(f->reader.read)
                                           : "cached");
}

static const ql_op_type_t reader_type = {
    "read", reader_attempt, reader_push, reader_cancel, NULL, reader_describe};

void
ql__file_reader_init(ql_lua_file_t *f)
{
    ql_file_reader_t *r = &f->reader;

    ql_op_init(&r->op, &reader_type, f->core->lua);
    r->turn.data = &r->op;
    r->turn.handler = ql__file_event;
}

void
ql__file_reader_close(ql_lua_file_t *f, int err)
{
    ql_op_end(&f->reader.op, err);
    reader_cancel(&f->reader.op);
    if (!f->reader.op.pushing) {
        ql_buffer_release(&f->core->buffers, &f->reader.in);
    }
}

/* ------------------------------------------------------------ methods ---- */

static ql_file_format_t
check_format(lua_State *L, uint32_t *size)
{
    static const char formats[] = "lLan";
    static const ql_file_format_t kinds[] = {FILE_LINE, FILE_LINE_KEEP,
                                             FILE_ALL, FILE_NUMBER};
    const char *text;
    const char *found;

    if (lua_type(L, 2) == LUA_TNUMBER) {
        *size = (uint32_t) ql_check_whole(L, 2, "format", "read", 0, 1 << 30);
        return FILE_BYTES;
    }
    text = lua_isnoneornil(L, 2) ? "l" : lua_tostring(L, 2);
    text = text != NULL && *text == '*' ? text + 1 : text;
    found = text != NULL && *text != '\0' ? strchr(formats, *text) : NULL;
    if (found == NULL) {
        ql_bad_argument(L, 2, "format", "read",
                        "a number of bytes, \"*l\", \"*L\", \"*a\" or \"*n\"");
        return FILE_LINE;
    }
    return kinds[found - formats];
}

/* read(self, [format]) -> value | nil at the end | nil, err, CODE */
static int
file_read(lua_State *L)
{
    ql_lua_file_t *f = ql__file_self(L, "read");
    ql_file_reader_t *r;
    ql_file_format_t format;
    uint32_t size = 0;
    int busy;

    if (f == NULL) {
        return ql_return(L, ql_core(L)->lua, 3);
    }
    r = &f->reader;
    format = check_format(L, &size);
    busy = ql__file_busy(L, f);
    if (busy) {
        return ql_push_error(L, busy);
    }
    if (r->stale) {
        ql__file_set_position(f, ql__file_position(f));
    }
    r->format = (uint8_t) format;
    r->size = size;
    r->end = false;
    r->in.scanned = 0;
    lua_settop(L, 1);
    return ql_await(L, &r->op, 1);
}

const luaL_Reg ql__file_read_functions[] = {{"read", file_read}, {NULL, NULL}};
