/*
 * file_write.c: writes at the file's own position. Nothing is held back: when
 * write returns, the kernel has the bytes.
 */
#include "../core/gather.h"
#include "file.h"

#include <errno.h>
#include <stdio.h>

/* ------------------------------------------------------------- output ---- */

/* The arguments from index 2 to the top become one table at index 2. */
static void
pack(lua_State *L, const char *method)
{
    int top = lua_gettop(L);

    lua_createtable(L, top - 1, 0);
    for (int i = 2; i <= top; i++) {
        int type = lua_type(L, i);

        if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TTABLE) {
            ql_bad_argument(L, i, "data", method,
                            "a string, a number or a table of these");
        }
        lua_pushvalue(L, i);
        lua_rawseti(L, -2, i - 1);
    }
    lua_insert(L, 2);
    lua_settop(L, 2);
}

ql_file_output_t
ql__file_output(lua_State *L, const char *method)
{
    ql_file_output_t out = {.write = NULL};

    if (lua_gettop(L) != 2) {
        pack(L, method);
    }
    out.data = ql_gather_bytes(L, 2, method, &out.left);
    return out;
}

static int
output_begin(ql_lua_file_t *f, ql_op_t *op, ql_file_output_t *out)
{
    size_t part = out->left < QL_WRITE_MAX ? out->left : QL_WRITE_MAX;
    ssize_t n = ql_file_write_cached(f->file, out->data, out->left,
                                     &out->offset);

    if (n == NGX_AGAIN) {
        out->write = ql_write_create(f->file, out->data, part, out->offset);
    }
    if (n == NGX_ERROR || (n == NGX_AGAIN && out->write == NULL)) {
        op->err = errno;
        return NGX_ERROR;
    }
    if (n == NGX_AGAIN) {
        out->write->call.event.data = op;
        out->write->call.event.handler = ql__file_event;
        n = (ssize_t) part;
    }
    out->data += n;
    out->left -= (size_t) n;
    return NGX_OK;
}

/* The part that a thread had is done. */
static int
output_end(ql_op_t *op, ql_file_output_t *out)
{
    int rc = ql_call_attempt(&out->write->call);

    if (rc != NGX_AGAIN) {
        op->err = out->write->call.err;
        out->offset = out->write->next;
        ql_call_free(&out->write->call);
        out->write = NULL;
    }
    return rc;
}

int
ql__file_output_attempt(ql_lua_file_t *f, ql_op_t *op, ql_file_output_t *out)
{
    int rc = NGX_OK;

    while (rc == NGX_OK && (out->write != NULL || out->left > 0)) {
        rc = out->write != NULL ? output_end(op, out)
                                : output_begin(f, op, out);
    }
    return rc;
}

/* ---------------------------------------------------------- operation ---- */

static ql_lua_file_t *
writer_file(ql_op_t *op)
{
    return ql_queue_data(ql_queue_data(op, ql_file_writer_t, op), ql_lua_file_t,
                         writer);
}

int
ql__file_writer_settle(ql_lua_file_t *f, ql_op_t *op)
{
    ql_write_t *late = f->writer.late;

    if (late == NULL) {
        return NGX_OK;
    }
    if (ql_call_attempt(&late->call) == NGX_AGAIN) {
        late->call.event.data = op;
        late->call.event.handler = op != NULL ? ql__file_event : NULL;
        return NGX_AGAIN;
    }
    ql__file_set_position(f, late->next);
    ql_call_free(&late->call);
    f->writer.late = NULL;
    return NGX_OK;
}

static int
writer_attempt(ql_op_t *op)
{
    ql_lua_file_t *f = writer_file(op);
    ql_file_output_t *out = &f->writer.out;
    int rc;

    if (ql__file_writer_settle(f, op) == NGX_AGAIN) {
        return NGX_AGAIN;
    }
    if (out->offset == -1) {
        out->offset = ql__file_position(f);
    }
    rc = ql__file_output_attempt(f, op, out);
    if (rc != NGX_AGAIN) {
        ql__file_set_position(f, out->offset);
    }
    return rc;
}

static int
writer_push(lua_State *L, ql_op_t *op, int rc)
{
    if (rc == NGX_ERROR) {
        return op->err >= QL_E_TIMEOUT
                 ? ql_push_error(L, op->err)
                 : ql__file_error(L, writer_file(op), op->err);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* What a thread has begun goes on: nobody may write past it meanwhile. */
static void
writer_cancel(ql_op_t *op)
{
    ql_lua_file_t *f = writer_file(op);
    ql_file_output_t *out = &f->writer.out;

    if (out->offset == -1) { /* still behind another one */
        return;
    }
    ql__file_set_position(f, out->offset);
    if (out->write == NULL) {
        return;
    }
    if (ql_call_withdraw(&out->write->call) == NGX_OK) {
        ql_call_free(&out->write->call);
    } else {
        out->write->call.event.handler = NULL;
        f->writer.late = out->write;
    }
    out->write = NULL;
}

static void
writer_describe(ql_op_t *op, char *text, size_t size)
{
    ql_lua_file_t *f = writer_file(op);

    (void) snprintf(text, size, "write of %s at %lld", f->path,
                    (long long) (f->writer.out.offset == -1
                                     ? ql__file_position(f)
                                     : f->writer.out.offset));
}

static const ql_op_type_t writer_type = {
    "write", writer_attempt, writer_push, writer_cancel, NULL, writer_describe};

void
ql__file_writer_init(ql_lua_file_t *f)
{
    ql_op_init(&f->writer.op, &writer_type, f->core->lua);
}

void
ql__file_writer_close(ql_lua_file_t *f, int err)
{
    ql_op_end(&f->writer.op, err);
    if (f->writer.late != NULL) {
        ql_call_free(&f->writer.late->call);
        f->writer.late = NULL;
    }
}

/* ------------------------------------------------------------- method ---- */

/* write(self, ...) -> true | nil, err, CODE */
static int
file_write(lua_State *L)
{
    ql_lua_file_t *f = ql__file_self(L, "write");
    ql_file_output_t out;
    int busy;

    if (f == NULL) {
        return ql_return(L, ql_core(L)->lua, 3);
    }
    out = ql__file_output(L, "write");
    if (f->handle.closed) { /* by a finaliser just now */
        return ql_push_error(L, f->handle.closed);
    }
    busy = ql__file_busy(L, f);
    if (busy) {
        return ql_push_error(L, busy);
    }
    f->writer.out = out;
    f->writer.out.offset = -1;
    return ql_await(L, &f->writer.op, 2);
}

const luaL_Reg ql__file_write_functions[] = {{"write", file_write},
                                             {NULL, NULL}};
