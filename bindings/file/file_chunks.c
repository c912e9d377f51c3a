/*
 * file_chunks.c: an iterator over a file's bytes, with reads ahead. It is a
 * handle that is called; its stream is its own, the file's position stays.
 */
#include "file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    ql_handle_t handle;
    ql_op_t op;
    ql_file_user_t user; /* of file, until it is closed */
    ql_lua_file_t *file; /* anchored by the environment */
    ql_stream_t *stream; /* stays while a string is made of its bytes
                            (op.pushing), whoever closes the iterator */
} file_chunks_t;

static file_chunks_t *
chunks_of(ql_op_t *op)
{
    return ql_queue_data(op, file_chunks_t, op);
}

static void
chunks_release(file_chunks_t *it)
{
    if (it->stream != NULL) {
        ql_stream_free(it->stream);
        it->stream = NULL;
    }
}

/* ---------------------------------------------------------- operation ---- */

static int
chunks_attempt(ql_op_t *op)
{
    file_chunks_t *it = chunks_of(op);
    int rc = ql_stream_attempt(it->stream);

    it->stream->event.handler = rc == NGX_AGAIN ? ql__file_event : NULL;
    if (rc == NGX_ERROR) {
        op->err = it->stream->err;
    }
    return rc;
}

/* A string; nil at the end. */
static int
chunks_push(lua_State *L, ql_op_t *op, int rc)
{
    file_chunks_t *it = chunks_of(op);

    if (rc == NGX_ERROR) {
        return op->err >= QL_E_TIMEOUT ? ql_push_error(L, op->err)
                                       : ql__file_error(L, it->file, op->err);
    }
    if (it->stream->nbytes == 0) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushlstring(L, it->stream->data, it->stream->nbytes);
    if (it->handle.closed) {
        chunks_release(it);
    }
    return 1;
}

/* What was read ahead is there for the next call. */
static void
chunks_cancel(ql_op_t *op)
{
    chunks_of(op)->stream->event.handler = NULL;
}

static void
chunks_describe(ql_op_t *op, char *text, size_t size)
{
    (void) snprintf(text, size, "chunks of %s", chunks_of(op)->file->path);
}

static const ql_op_type_t chunks_op = {"chunks",    chunks_attempt,
                                       chunks_push, chunks_cancel,
                                       NULL,        chunks_describe};

/* ------------------------------------------------------------- handle ---- */

static void
chunks_close(ql_handle_t *h, int err)
{
    file_chunks_t *it = ql_queue_data(h, file_chunks_t, handle);

    ql_op_end(&it->op, err);
    ql_queue_remove(&it->user.link);
    if (!it->op.pushing) {
        chunks_release(it);
    }
}

/* A push that raised leaves the stream behind. */
static void
chunks_collect(ql_handle_t *h)
{
    chunks_release(ql_queue_data(h, file_chunks_t, handle));
}

static const ql_handle_type_t chunks_type = {"chunks", chunks_close,
                                             chunks_collect};

static void
chunks_end(ql_file_user_t *user, int err)
{
    ql_handle_close(&ql_queue_data(user, file_chunks_t, user)->handle, err);
}

/* ------------------------------------------------------------ methods ---- */

/* The iterator on top of the stack: anchors the file at index 1, is called as
 * the function at index 3. */
static void
chunks_bind(lua_State *L)
{
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    lua_setfenv(L, -2);
    lua_getmetatable(L, -1);
    lua_pushvalue(L, 3);
    lua_setfield(L, -2, "__call");
    lua_pop(L, 1);
}

/* chunks(self, n, call) -> iterator | nil, err, CODE; call is what Lua makes
 * of chunks_next */
static int
file_chunks(lua_State *L)
{
    ql_lua_file_t *f = ql__file_self(L, "chunks");
    file_chunks_t *it;
    int64_t size;

    if (f == NULL) {
        return 3;
    }
    size = ql_check_whole(L, 2, "n", "chunks", 1, 1 << 30);
    lua_settop(L, 3);
    it = ql_handle_new(L, f->core->lua, &chunks_type, sizeof(*it));
    ql_op_init(&it->op, &chunks_op, f->core->lua);
    ql_queue_init(&it->user.link);
    it->user.end = chunks_end;
    chunks_bind(L);
    if (f->handle.closed) { /* by a finaliser just now */
        return ql_push_error(L, f->handle.closed);
    }
    it->file = f;
    it->stream = ql_stream_create(f->file, (size_t) size, ql__file_position(f),
                                  INT64_MAX);
    if (it->stream == NULL) {
        return ql__file_error(L, f, errno);
    }
    it->stream->event.data = &it->op;
    ql_queue_insert_tail(&f->users, &it->user.link);
    ql_handle_open(&it->handle);
    return 1;
}

/* next(iterator) -> string | nil at the end | nil, err, CODE */
static int
chunks_next(lua_State *L)
{
    file_chunks_t *it = ql_handle_check(L, 1, &chunks_type, "chunks");

    if (it->handle.closed) {
        return ql_push_error(L, it->handle.closed);
    }
    if (ql_op_waiting(&it->op) || ql_op_pushing(L, &it->op, &it->handle)) {
        return ql_push_error(L, QL_E_BUSY_READING);
    }
    lua_settop(L, 1);
    return ql_await(L, &it->op, 1);
}

const luaL_Reg ql__file_chunks_functions[] = {
    {"chunks", file_chunks}, {"next", chunks_next}, {NULL, NULL}};
