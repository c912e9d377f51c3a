/*
 * file.c: files: reads at an offset, closing.
 */
#include "file.h"

#include <errno.h>
#include <string.h>

file_t *
ql__file_self(lua_State *L, const char *method)
{
    file_t *f = ql_handle_check(L, 1, &ql__file_type, method);

    if (f->handle.closed) {
        ql_push_error(L, f->handle.closed);
        return NULL;
    }
    return f;
}

int
ql__file_error(lua_State *L, const file_t *f, int err)
{
    lua_pushnil(L);
    lua_pushstring(L, f->path);
    lua_pushliteral(L, ": ");
    ql_push_error_text(L, err);
    lua_concat(L, 3);
    ql_push_error_code(L, err);
    return 3;
}

/* -------------------------------------------------------------- pread ---- */

static file_pread_t *
pread_of(ql_op_t *op)
{
    return ql_queue_data(op, file_pread_t, op);
}

static void
pread_release(file_pread_t *p)
{
    if (p->read != NULL) {
        ql_read_free(p->read);
        p->read = NULL;
    }
    ql_buffer_release(&p->file->core->buffers, &p->out);
    ql_queue_remove(&p->link);
    p->used = false;
}

/* What fits a pooled buffer is looked for in the page cache first: no
 * allocation, one system call. */
static int
pread_cached(file_pread_t *p)
{
    ql_file_t *file = p->file->file;
    ssize_t n;

    if (p->size > QL_BUFFER_SIZE || (file->direct && !file->memory)) {
        return NGX_AGAIN;
    }
    if (ql_buffer_reserve(&p->file->core->buffers, &p->out, p->size) != NGX_OK)
    {
        p->op.err = ENOMEM;
        return NGX_ERROR;
    }
    while (p->out.end < p->size) {
        n = ql_file_read_cached(file, p->out.data + p->out.end,
                                p->size - p->out.end, p->offset + p->out.end);
        if (n == 0) {
            break;
        }
        if (n < 0) {
            p->op.err = errno;
            return (int) n;
        }
        p->out.end += (uint32_t) n;
    }
    return NGX_OK;
}

void
ql__file_event(ql_event_t *ev)
{
    ql_op_ready(ev->data);
}

static int
pread_create(file_pread_t *p)
{
    p->read = ql_read_create(p->file->file, p->size, p->offset);
    if (p->read == NULL) {
        p->op.err = errno;
        return NGX_ERROR;
    }
    p->read->event.data = &p->op;
    p->read->event.handler = ql__file_event;
    return NGX_OK;
}

static int
pread_attempt(ql_op_t *op)
{
    file_pread_t *p = pread_of(op);
    int rc;

    if (p->read == NULL) {
        rc = pread_cached(p);
        if (rc != NGX_AGAIN) {
            return rc;
        }
        if (pread_create(p) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    rc = ql_read_attempt(p->read);
    if (rc == NGX_ERROR) {
        op->err = p->read->err;
    }
    return rc;
}

/* A string; nil at or past the end. */
static int
pread_push(lua_State *L, ql_op_t *op, int rc)
{
    file_pread_t *p = pread_of(op);
    const char *data = p->out.data;
    size_t n = p->out.end;

    if (rc == NGX_ERROR) {
        return op->err >= QL_E_TIMEOUT ? ql_push_error(L, op->err)
                                       : ql__file_error(L, p->file, op->err);
    }
    if (p->read != NULL) {
        data = p->read->data;
        n = p->read->nbytes;
    }
    if (n == 0 && p->size > 0) {
        lua_pushnil(L);
    } else {
        lua_pushlstring(L, data, n);
    }
    return 1;
}

static void
pread_cancel(ql_op_t *op)
{
    file_pread_t *p = pread_of(op);

    if (p->read != NULL) {
        ql_read_free(p->read);
        p->read = NULL;
    }
}

static void
pread_free(ql_op_t *op)
{
    pread_release(pread_of(op));
}

static const ql_op_type_t pread_type = {"pread", pread_attempt, pread_push,
                                        pread_cancel, pread_free};

/* Of a userdata that push left behind, or that the collector found. */
static void
pread_close(ql_handle_t *h, int err)
{
    (void) err;
    pread_release(ql_queue_data(h, file_pread_t, handle));
}

static const ql_handle_type_t pread_handle = {"pread", pread_close, NULL};

/* The file's own, or a new userdata on top of the stack when that is used;
 * NULL when the file has been closed meanwhile. */
static file_pread_t *
pread_new(lua_State *L, file_t *f, int *anchors)
{
    file_pread_t *p = &f->pread;

    *anchors = 1;
    if (p->used) {
        p = ql_handle_new(L, f->core->lua, &pread_handle, sizeof(*p));
        if (f->handle.closed) { /* by a finaliser just now */
            return NULL;
        }
        ql_handle_open(&p->handle);
        ql_handle_own(&p->handle, NULL);
        p->file = f;
        *anchors = 2;
    }
    ql_op_init(&p->op, &pread_type, f->core->lua);
    ql_queue_insert_tail(&f->preads, &p->link);
    p->used = true;
    return p;
}

/* pread(self, n, offset) -> string | nil at the end | nil, err, CODE */
static int
file_pread(lua_State *L)
{
    file_t *f = ql__file_self(L, "pread");
    int64_t size, offset;
    file_pread_t *p;
    int anchors;

    if (f == NULL) {
        return 3;
    }
    size = ql_check_whole(L, 2, "n", "pread", 0, 1 << 30);
    offset = ql_check_whole(L, 3, "offset", "pread", 0, INT64_C(1) << 52);
    lua_settop(L, 1);
    p = pread_new(L, f, &anchors);
    if (p == NULL) {
        return ql_push_error(L, f->handle.closed);
    }
    p->size = (uint32_t) size;
    p->offset = offset;
    return ql_await(L, &p->op, anchors);
}

/* ------------------------------------------------------------- close ---- */

static void
file_close(ql_handle_t *h, int err)
{
    file_t *f = ql_queue_data(h, file_t, handle);

    while (!ql_queue_empty(&f->preads)) {
        file_pread_t *p = ql_queue_data(f->preads.next, file_pread_t, link);

        ql_op_end(&p->op, err);
        ql_queue_remove(&p->link);
    }
    ql__file_reader_close(f, err);
    ql_file_close(f->file);
    f->file = NULL;
}

static void
file_collect(ql_handle_t *h)
{
    file_t *f = ql_queue_data(h, file_t, handle);

    pread_release(&f->pread);
    ql_buffer_release(&f->core->buffers, &f->reader.out);
}

const ql_handle_type_t ql__file_type = {"file", file_close, file_collect};

file_t *
ql__file_new(lua_State *L, ql_core_t *core, const char *path)
{
    size_t length = strlen(path) + 1;
    file_t *f = ql_handle_new(L, core->lua, &ql__file_type,
                              sizeof(*f) + length);

    f->core = core;
    memcpy(f->path, path, length);
    ql_queue_init(&f->preads);
    ql_queue_init(&f->pread.link);
    f->pread.file = f;
    ql__file_reader_init(f);
    return f;
}

/* size(self) -> bytes */
static int
file_size(lua_State *L)
{
    file_t *f = ql__file_self(L, "size");
    int64_t size;

    if (f == NULL) {
        return 3;
    }
    size = ql_file_size(f->file);
    if (size == -1) {
        return ql__file_error(L, f, errno);
    }
    lua_pushnumber(L, (lua_Number) size);
    return 1;
}

void
ql__open_file(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg fns[] = {
        {"pread", file_pread}, {"size", file_size}, {NULL, NULL}};

    ql__open_methods(L, &ql__file_type);
    lua_newtable(L);
    ql_core_register(L, core, fns);
    ql_core_register(L, core, ql__file_open_functions);
    ql_core_register(L, core, ql__file_read_functions);
    lua_setfield(L, -2, "file");
}
