/*
 * zstd.c: work for the processor, in the thread pool: what scripts see of it.
 * The threads' half is zstd_call.c, the Lua half, which scripts require, is
 * zstd.lua.
 */
#include "zstd_call.h"

#include <quoll_lua.h>

#include <ctype.h>
#include <stdio.h>

typedef struct { /* the handle of a coder, with its one operation */
    ql_handle_t handle;
    ql_op_t op;
    coder_t *coder; /* NULL: let go */
} stream_t;

QL_API int luaopen_zstd_core(lua_State *L);

static stream_t *
stream_of(ql_op_t *op)
{
    return ql_queue_data(op, stream_t, op);
}

static void
stream_let_go(stream_t *s)
{
    coder_t *c = s->coder;

    s->coder = NULL;
    if (c != NULL) {
        ql_call_free(&c->call);
    }
}

static void
stream_close(ql_handle_t *handle, int err)
{
    stream_t *s = ql_queue_data(handle, stream_t, handle);

    ql_op_end(&s->op, err);
    if (!s->op.pushing) { /* else the collector does */
        stream_let_go(s);
    }
}

static void
stream_collect(ql_handle_t *handle)
{
    stream_let_go(ql_queue_data(handle, stream_t, handle));
}

static const ql_handle_type_t stream_type = {"zstd stream", stream_close,
                                             stream_collect};

static void
on_call(ql_event_t *ev)
{
    ql_op_ready(ev->data);
}

static int
code_attempt(ql_op_t *op)
{
    ql_call_t *call = &stream_of(op)->coder->call;
    int rc = ql_call_attempt(call);

    op->err = call->err; /* the pool's; zstd's are in code and message */
    return rc;
}

static int
code_push(lua_State *L, ql_op_t *op, int rc)
{
    const coder_t *c = stream_of(op)->coder;

    if (rc == NGX_ERROR) {
        return ql_push_error(L, op->err);
    }
    if (c->code == NULL) {
        lua_pushlstring(L, c->out.data, c->out.size);
        return 1;
    }
    lua_pushnil(L);
    lua_pushfstring(L, "%c%s", tolower(*c->message), c->message + 1);
    lua_pushstring(L, c->code);
    return 3;
}

/* How far the coder has got nobody knows: with a wait that is cut short it ends
 * for good. */
static void
code_cancel(ql_op_t *op)
{
    stream_let_go(stream_of(op));
}

static void
code_describe(ql_op_t *op, char *text, size_t size)
{
    const coder_t *c = stream_of(op)->coder;

    (void) snprintf(text, size, "zstd: %s %zu bytes",
                    c->cctx != NULL ? "compress" : "decompress", c->in.size);
}

static const ql_op_type_t code_type = {.name = "zstd",
                                       .attempt = code_attempt,
                                       .push = code_push,
                                       .cancel = code_cancel,
                                       .describe = code_describe};

/* new(level, limit) -> stream; level: nil for one that decompresses */
static int
zstd_new(lua_State *L)
{
    ql_lua_t *lua = ql_lua(L);
    ql_loop_t *loop = ql_check_loop(L, lua);
    int level = (int) lua_tointeger(L, 1);
    size_t limit = (size_t) luaL_checknumber(L, 2);
    stream_t *s = ql_handle_new(L, lua, &stream_type, sizeof(*s));

    ql_op_init(&s->op, &code_type, lua);
    s->coder = coder_create(loop, lua_isnil(L, 1) ? NULL : &level, limit);
    if (s->coder == NULL) {
        return ql_push_error(L, errno);
    }
    s->coder->call.event.data = &s->op;
    s->coder->call.event.handler = on_call;
    ql_handle_open(&s->handle);
    return 1;
}

/* code(stream, data, mode) -> bytes | nil, err, CODE; waits. mode: a
 * ZSTD_EndDirective */
static int
zstd_code(lua_State *L)
{
    stream_t *s = ql_handle_check(L, 1, &stream_type, "push");
    size_t size;
    const char *data = luaL_checklstring(L, 2, &size);
    int mode = luaL_checkint(L, 3);

    if (s->coder == NULL) {
        return ql_push_error(L,
                             s->handle.closed ? s->handle.closed : QL_E_CLOSED);
    }
    if (ql_op_waiting(&s->op) || ql_op_pushing(L, &s->op, &s->handle)) {
        return ql_push_error(L, QL_E_BUSY_WRITING);
    }
    if (!coder_begin(s->coder, data, size, mode)) {
        return ql_push_error(L, ENOMEM);
    }
    lua_settop(L, 1);
    return ql_await(L, &s->op, 1);
}

int
luaopen_zstd_core(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"new", zstd_new}, {"code", zstd_code}, {NULL, NULL}};

    ql_lua_open(L);
    lua_newtable(L);
    luaL_setfuncs(L, functions, 0);
    ql_handle_methods(L, &stream_type);
    lua_setfield(L, -2, "methods");
    return 1;
}
