/*
 * sendfile.c: a part of a file over a connection: what the page cache has goes
 * from there, the rest is read, two blocks at a time, and sent from memory.
 */
#include "../file/file.h"
#include "cork.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

enum {
    /* A transfer's share of a turn: nothing of it is copied. */
    TURN_BYTES = 2 * QL__TURN_BYTES,
    /* What the page cache did not have, read before it is asked again: two
     * blocks of a stream, which is all a slow peer keeps in memory. */
    READ_PART = 512 * 1024,
    READ_PIECE = 256 * 1024
};

struct ql_transfer_s {
    ql_file_user_t user;  /* of file, while under way */
    ql_conn_t *conn;      /* anchored beside it */
    ql_lua_file_t *file;  /* anchored beside it */
    ql_info_call_t *info; /* first: its size; NULL: known */
    ql_stream_t *stream;  /* NULL: the page cache is asked */
    const char *data;     /* of stream, to be sent */
    size_t ready;         /* bytes at data */
    int64_t offset; /* of the next byte to be read or sent from the cache */
    int64_t left;   /* bytes from there on */
    int64_t part;   /* of them, in the stream */
    int64_t sent;
    bool of_file;             /* the failure is the file's */
    ql_transfer_done_pt done; /* pushes the results; NULL: as sendfile's are */
};

static ql_transfer_t *
transfer_of(ql_op_t *op)
{
    return ql__writer(op)->transfer;
}

static void
drop_stream(ql_transfer_t *t)
{
    if (t->stream != NULL) {
        ql_stream_free(t->stream);
        t->stream = NULL;
        t->ready = 0;
    }
}

static void
drop_info(ql_transfer_t *t)
{
    if (t->info != NULL) {
        ql_call_free(&t->info->p.call);
        t->info = NULL;
    }
}

/* Nothing of the transfer is under way any more. */
static void
release(ql_transfer_t *t)
{
    drop_info(t);
    drop_stream(t);
    ql_queue_remove(&t->user.link);
}

static int
fail_file(ql_transfer_t *t, int err)
{
    t->of_file = true;
    t->conn->wop.err = err;
    return NGX_ERROR;
}

/* How much there is: a thread asks where a server may have to answer. */
static int
await_size(ql_transfer_t *t)
{
    ql_call_t *call = &t->info->p.call;
    int rc = ql_call_attempt(call);
    int64_t rest;

    if (rc == NGX_AGAIN) {
        call->event.handler = ql__file_event;
        return NGX_AGAIN;
    }
    if (rc == NGX_ERROR) {
        return fail_file(t, call->err);
    }
    rest = (int64_t) t->info->info.size - t->offset;
    rest = rest > 0 ? rest : 0;
    t->left = t->left < rest ? t->left : rest;
    drop_info(t);
    return NGX_OK;
}

/* What a call of the connection's said: n bytes have gone, or why not. */
static int
advance(ql_transfer_t *t, ssize_t n)
{
    ql_conn_t *conn = t->conn;

    if (n == NGX_ERROR) {
        conn->wop.err = conn->c->err;
        return NGX_ERROR;
    }
    if (n <= 0) {
        return ql_park(&conn->c->write, ql__on_writable, &conn->wop);
    }
    t->sent += n;
    conn->wop.progress = 1;
    return NGX_OK;
}

static int
begin_reads(ql_transfer_t *t)
{
    t->part = t->left < READ_PART ? t->left : READ_PART;
    t->stream = ql_stream_create(t->file->file, READ_PIECE, t->offset,
                                 t->offset + t->part);
    if (t->stream == NULL) {
        return fail_file(t, errno);
    }
    t->stream->event.data = &t->conn->wop;
    return NGX_OK;
}

static int
send_cached(ql_transfer_t *t)
{
    ql_connection_t *c = t->conn->c;
    ssize_t n = c->io->sendfile(c, t->file->file, t->offset, (size_t) t->left);

    if (n == NGX_DECLINED) {
        return begin_reads(t);
    }
    if (n == 0) {
        return fail_file(t, ENODATA);
    }
    if (n > 0) {
        t->offset += n;
        t->left -= n;
    }
    return advance(t, n);
}

static int
read_piece(ql_transfer_t *t)
{
    int rc = ql_stream_attempt(t->stream);

    if (rc == NGX_AGAIN) {
        t->stream->event.handler = ql__file_event;
        return NGX_AGAIN;
    }
    if (rc == NGX_ERROR) {
        return fail_file(t, t->stream->err);
    }
    if (t->stream->nbytes == 0) {
        return fail_file(t, ENODATA);
    }
    t->data = t->stream->data;
    t->ready = t->stream->nbytes;
    t->part -= (int64_t) t->ready;
    t->offset += (int64_t) t->ready;
    t->left -= (int64_t) t->ready;
    return NGX_OK;
}

static int
send_read(ql_transfer_t *t)
{
    ql_connection_t *c = t->conn->c;
    ssize_t n;
    int rc;

    if (t->ready == 0) {
        rc = read_piece(t);
        if (rc != NGX_OK) {
            return rc;
        }
    }
    n = c->io->send(c, t->data, t->ready);
    if (n > 0) {
        t->data += n;
        t->ready -= (size_t) n;
    }
    if (t->ready == 0 && t->part == 0) {
        drop_stream(t);
    }
    return advance(t, n);
}

/* Nobody is called for the transfer any more. */
static void
unpark(ql_transfer_t *t)
{
    ql_connection_t *c = t->conn->c;

    ql__unpark_event(c->loop, &c->write);
    if (t->info != NULL) {
        t->info->p.call.event.handler = NULL;
    }
    if (t->stream != NULL) {
        t->stream->event.handler = NULL;
    }
}

static int
transfer_attempt(ql_op_t *op)
{
    ql_transfer_t *t = transfer_of(op);
    int64_t share = t->sent + TURN_BYTES;
    int rc;

    ql_queue_remove(&t->user.link);
    ql_queue_insert_tail(&t->file->users, &t->user.link);
    unpark(t);
    rc = t->info != NULL ? await_size(t) : NGX_OK;
    if (rc == NGX_OK) {
        t->conn->c->more = t->left > 0;
        rc = ql__cork_drain(t->conn, ql__on_writable);
        t->conn->c->more = 0;
    }
    while (rc == NGX_OK && (t->left > 0 || t->ready > 0)) {
        if (t->sent >= share) {
            return ql__park_next(&t->conn->c->write, ql__on_writable);
        }
        rc = t->stream != NULL ? send_read(t) : send_cached(t);
    }
    if (rc != NGX_AGAIN) {
        release(t);
    }
    if (rc == NGX_ERROR) {
        t->conn->wbroken = t->sent > 0 || !t->of_file;
        ql__cork_resume(t->conn);
    }
    return rc;
}

static void
transfer_cancel(ql_op_t *op)
{
    ql_transfer_t *t = transfer_of(op);

    unpark(t);
    release(t);
    t->conn->wbroken = t->sent > 0 || t->conn->c->held > ql__gathered(t->conn);
    ql__cork_resume(t->conn);
}

static void
transfer_free(ql_op_t *op)
{
    release(transfer_of(op));
}

static int
push_file_error(lua_State *L, const ql_lua_file_t *f, int err, int64_t sent)
{
    ql__file_error(L, f, err);
    lua_pushnumber(L, (lua_Number) sent);
    lua_insert(L, -2);
    return 4;
}

static int
transfer_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_transfer_t *t = transfer_of(op);

    if (t->done != NULL) {
        return t->done(L, t->conn, rc == NGX_OK ? 0 : op->err);
    }
    if (rc == NGX_OK) {
        lua_pushnumber(L, (lua_Number) t->sent);
        return 1;
    }
    if (!t->of_file) {
        lua_pushnumber(L, (lua_Number) t->sent);
        return ql_push_error_partial(L, op->err);
    }
    return push_file_error(L, t->file, op->err, t->sent);
}

static void
transfer_describe(ql_op_t *op, char *text, size_t size)
{
    ql_transfer_t *t = transfer_of(op);
    char verb[PATH_MAX + 64];

    (void) snprintf(verb, sizeof(verb), "sendfile of %s at %lld to",
                    t->file->path, (long long) t->offset);
    ql__describe_peer(t->conn, verb, text, size);
}

static const ql_op_type_t transfer_op = {"sendfile",    transfer_attempt,
                                         transfer_push, transfer_cancel,
                                         transfer_free, transfer_describe};

/* The file is being closed. */
static void
transfer_end(ql_file_user_t *user, int err)
{
    ql_transfer_t *t = ql_queue_data(user, ql_transfer_t, user);

    t->of_file = true;
    ql_op_end(&t->conn->wop, err);
}

static int64_t
check_bytes(lua_State *L, int arg, const char *name, int64_t otherwise)
{
    return lua_isnoneornil(L, arg)
             ? otherwise
             : ql_check_whole(L, arg, name, "sendfile", 0, INT64_C(1) << 52);
}

/* A transfer on top of the stack, above connection and file. */
static int
transfer_await(lua_State *L, ql_transfer_t *t)
{
    t->user.end = transfer_end;
    t->conn->transfer = t;
    t->conn->wop.type = &transfer_op;
    return ql_await(L, &t->conn->wop, 3);
}

int
ql__sendfile_start(lua_State *L, ql_conn_t *conn, int64_t offset, int64_t n,
                   ql_transfer_done_pt done)
{
    ql_lua_file_t *f = ql_queue_data(ql_handle_test(L, 2), ql_lua_file_t,
                                     handle);
    ql_transfer_t *t;
    int err;

    ql_check_wait(L, conn->wop.lua);
    t = lua_newuserdata(L, sizeof(*t));
    *t = (ql_transfer_t){
        .conn = conn, .file = f, .offset = offset, .left = n, .done = done};
    ql_queue_init(&t->user.link);
    err = ql__writer_error(conn);
    err = err != 0 ? err : f->handle.closed;
    return err != 0 ? done(L, conn, err) : transfer_await(L, t);
}

/* One whose size is not known yet. */
static int
transfer_start(lua_State *L, ql_conn_t *conn, ql_lua_file_t *f,
               ql_transfer_t *t)
{
    int err = ql__writer_error(conn);

    if (err != 0) {
        lua_pushinteger(L, 0);
        return ql_push_error_partial(L, err);
    }
    if (f->handle.closed) {
        return push_file_error(L, f, f->handle.closed, 0);
    }
    t->conn = conn;
    t->file = f;
    t->info = ql_open_file_info(f->file);
    if (t->info == NULL) {
        return push_file_error(L, f, errno, 0);
    }
    t->info->p.call.event.data = &conn->wop;
    return transfer_await(L, t);
}

/* sendfile(self, file, [offset, [n]]) -> bytes | nil, err, sent, CODE */
static int
connection_sendfile(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "sendfile");
    ql_handle_t *h = ql_handle_test(L, 2);
    int64_t offset, left;
    ql_transfer_t *t;

    if (h == NULL || h->type != &ql__file_type) {
        return ql_bad_argument(L, 2, "file", "sendfile", "a file");
    }
    offset = check_bytes(L, 3, "offset", 0);
    left = check_bytes(L, 4, "n", INT64_MAX);
    ql_check_wait(L, conn->wop.lua);
    lua_settop(L, 2);
    t = lua_newuserdata(L, sizeof(*t));
    *t = (ql_transfer_t){.offset = offset, .left = left};
    ql_queue_init(&t->user.link);
    return transfer_start(L, conn, ql_queue_data(h, ql_lua_file_t, handle), t);
}

const luaL_Reg ql__sendfile_functions[] = {{"sendfile", connection_sendfile},
                                           {NULL, NULL}};
