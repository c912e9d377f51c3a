/*
 * file_pwrite.c: writes at an offset; several may be under way.
 */
#include "file.h"

#include <stdio.h>

static ql_lua_file_call_t *
pwrite_of(ql_op_t *op)
{
    return ql_queue_data(op, ql_lua_file_call_t, op);
}

static int
pwrite_attempt(ql_op_t *op)
{
    ql_lua_file_call_t *c = pwrite_of(op);
    int rc = ql__file_output_attempt(c->file, op, &c->out);

    c->file->reader.stale = true;
    return rc;
}

static void
pwrite_describe(ql_op_t *op, char *text, size_t size)
{
    ql_lua_file_call_t *c = pwrite_of(op);

    (void) snprintf(text, size, "pwrite of %s at %lld", c->file->path,
                    (long long) c->out.offset);
}

static const ql_op_type_t pwrite_type = {"pwrite",
                                         pwrite_attempt,
                                         ql__file_call_push,
                                         ql__file_call_let_go,
                                         ql__file_call_let_go,
                                         pwrite_describe};

/* pwrite(self, offset, data) -> true | nil, err, CODE */
static int
file_pwrite(lua_State *L)
{
    ql_lua_file_t *f = ql__file_self(L, "pwrite");
    ql_file_output_t out;
    int64_t offset;
    ql_lua_file_call_t *c;

    if (f == NULL) {
        return 3;
    }
    if (f->file->append) {
        return ql_raise(L, "bad argument 'self' to 'pwrite' (a file opened "
                           "with \"a\" is written at its end only)");
    }
    offset = ql_check_whole(L, 2, "offset", "pwrite", 0, INT64_C(1) << 52);
    lua_remove(L, 2);
    lua_settop(L, 2);
    out = ql__file_output(L, "pwrite");
    out.offset = offset;
    c = ql__file_call_new(L, f, &pwrite_type);
    if (c == NULL) {
        return 3;
    }
    c->out = out;
    return ql_await(L, &c->op, 3);
}

const luaL_Reg ql__file_pwrite_functions[] = {{"pwrite", file_pwrite},
                                              {NULL, NULL}};
