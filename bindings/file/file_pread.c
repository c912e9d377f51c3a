/*
 * file_pread.c: reads at an offset. Many may be under way in one file, and a
 * busy script makes many a millisecond: their operations are used again.
 */
#include "file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* The file is anchored while one is used, and frees what a push that raised
 * left behind. */
typedef struct {
    ql_op_t op;
    ql_lua_file_t *file;
    ql_read_t *read; /* NULL: the page cache is asked first */
    ql_buffer_t out; /* what the page cache gave */
    ql_queue_t link; /* in file->preads, or in core->spare_preads */
    int64_t offset;  /* asked for */
    uint32_t size;   /* asked for */
} file_pread_t;

enum {
    SPARE_PREADS = 64 /* kept at most */
};

static file_pread_t *
pread_of(ql_op_t *op)
{
    return ql_queue_data(op, file_pread_t, op);
}

static void
pread_let_go(file_pread_t *p)
{
    if (p->read != NULL) {
        ql_read_free(p->read);
        p->read = NULL;
    }
    ql_buffer_release(&p->file->core->buffers, &p->out);
    ql_queue_remove(&p->link);
}

/* NGX_DECLINED: the page cache was not asked. What fits a pooled buffer is
 * looked for there first: no allocation, one system call. */
static int
pread_cached(file_pread_t *p)
{
    ql_file_t *file = p->file->file;
    ssize_t n;

    if (p->size > QL_BUFFER_SIZE || (file->direct && !file->memory)) {
        return NGX_DECLINED;
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

static int
pread_create(file_pread_t *p, bool missed)
{
    p->read = ql_read_create(p->file->file, p->size, p->offset);
    if (p->read == NULL) {
        p->op.err = errno;
        return NGX_ERROR;
    }
    p->read->missed = missed;
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
        if (rc != NGX_AGAIN && rc != NGX_DECLINED) {
            return rc;
        }
        if (pread_create(p, rc == NGX_AGAIN) != NGX_OK) {
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
    file_pread_t *p = pread_of(op);
    ql_core_t *core = p->file->core;

    pread_let_go(p);
    if (core->spare_count == SPARE_PREADS) {
        free(p);
        return;
    }
    ql_queue_insert_head(&core->spare_preads, &p->link);
    core->spare_count++;
}

static void
pread_describe(ql_op_t *op, char *text, size_t size)
{
    const file_pread_t *p = pread_of(op);

    (void) snprintf(text, size, "pread of %s at %lld (%s)", p->file->path,
                    (long long) p->offset,
                    p->read != NULL ? ql_read_lane(p->read) : "cached");
}

static const ql_op_type_t pread_type = {"pread",    pread_attempt,
                                        pread_push, pread_cancel,
                                        pread_free, pread_describe};

static file_pread_t *
pread_take(ql_core_t *core)
{
    file_pread_t *p;

    if (ql_queue_empty(&core->spare_preads)) {
        return calloc(1, sizeof(*p));
    }
    p = ql_queue_data(core->spare_preads.next, file_pread_t, link);
    ql_queue_remove(&p->link);
    core->spare_count--;
    return p;
}

/* pread(self, n, offset) -> string | nil at the end | nil, err, CODE */
static int
file_pread(lua_State *L)
{
    ql_lua_file_t *f = ql__file_self(L, "pread");
    int64_t size, offset;
    file_pread_t *p;

    if (f == NULL) {
        return ql_return(L, ql_core(L)->lua, 3);
    }
    size = ql_check_whole(L, 2, "n", "pread", 0, 1 << 30);
    offset = ql_check_whole(L, 3, "offset", "pread", 0, INT64_C(1) << 52);
    ql_check_wait(L, f->core->lua);
    p = pread_take(f->core);
    if (p == NULL) {
        return ql__file_error(L, f, ENOMEM);
    }
    ql_op_init(&p->op, &pread_type, f->core->lua);
    ql_queue_insert_tail(&f->preads, &p->link);
    p->file = f;
    p->size = (uint32_t) size;
    p->offset = offset;
    lua_settop(L, 1);
    return ql_await(L, &p->op, 1);
}

void
ql__file_preads_close(ql_lua_file_t *f, int err)
{
    ql_queue_t *q;

    for (q = f->preads.next; q != &f->preads; q = q->next) {
        ql_op_end(&ql_queue_data(q, file_pread_t, link)->op, err);
    }
}

void
ql__file_preads_collect(ql_lua_file_t *f)
{
    ql_queue_t *q = f->preads.next;

    while (q != &f->preads) {
        file_pread_t *p = ql_queue_data(q, file_pread_t, link);

        q = q->next;
        pread_let_go(p);
        free(p);
    }
}

void
ql__preads_done(ql_core_t *core)
{
    ql_queue_t *q = core->spare_preads.next;

    while (q != &core->spare_preads) {
        file_pread_t *p = ql_queue_data(q, file_pread_t, link);

        q = q->next;
        free(p);
    }
    ql_queue_init(&core->spare_preads);
    core->spare_count = 0;
}

const luaL_Reg ql__file_pread_functions[] = {{"pread", file_pread},
                                             {NULL, NULL}};
