/*
 * file_call.c: a wait for something done to a file, on a userdata of its own.
 */
#include "file.h"

#include <errno.h>
#include <stdio.h>

static ql_lua_file_call_t *
call_of(ql_op_t *op)
{
    return ql_queue_data(op, ql_lua_file_call_t, op);
}

static void
call_release(ql_lua_file_call_t *c)
{
    if (c->call != NULL) {
        ql_call_free(c->call);
        c->call = NULL;
    }
    if (c->out.write != NULL) {
        ql_call_free(&c->out.write->call);
        c->out.write = NULL;
    }
    ql_queue_remove(&c->user.link);
}

/* ---------------------------------------------------------- operation ---- */

int
ql__file_call_attempt(ql_op_t *op)
{
    ql_call_t *call = call_of(op)->call;
    int rc = ql_call_attempt(call);

    if (rc == NGX_ERROR) {
        op->err = call->err;
    }
    return rc;
}

int
ql__file_call_push(lua_State *L, ql_op_t *op, int rc)
{
    if (rc == NGX_ERROR) {
        return op->err >= QL_E_TIMEOUT
                 ? ql_push_error(L, op->err)
                 : ql__file_error(L, call_of(op)->file, op->err);
    }
    lua_pushboolean(L, 1);
    return 1;
}

void
ql__file_call_let_go(ql_op_t *op)
{
    call_release(call_of(op));
}

void
ql__file_call_describe(ql_op_t *op, char *text, size_t size)
{
    (void) snprintf(text, size, "%s of %s", op->type->name,
                    call_of(op)->file->path);
}

/* ------------------------------------------------------------- handle ---- */

/* Of a userdata that a push that raised left behind, or of a task that waits as
 * the state is closed. */
static void
call_close(ql_handle_t *h, int err)
{
    ql_lua_file_call_t *w = ql_queue_data(h, ql_lua_file_call_t, handle);

    ql_op_end(&w->op, err);
    call_release(w);
}

static const ql_handle_type_t call_handle = {"call", call_close, NULL};

static void
call_end(ql_file_user_t *user, int err)
{
    ql_lua_file_call_t *c = ql_queue_data(user, ql_lua_file_call_t, user);

    ql_op_end(&c->op, err);
    call_release(c);
}

ql_lua_file_call_t *
ql__file_call_new(lua_State *L, ql_lua_file_t *f, const ql_op_type_t *type)
{
    ql_lua_file_call_t *c;

    ql_check_wait(L, f->core->lua);
    c = ql_handle_new(L, f->core->lua, &call_handle, sizeof(*c));
    ql_queue_init(&c->user.link);
    ql_handle_open(&c->handle);
    ql_handle_own(&c->handle, NULL);
    ql_op_init(&c->op, type, f->core->lua);
    if (f->handle.closed) { /* by a finaliser just now */
        ql_push_error(L, f->handle.closed);
        return NULL;
    }
    c->file = f;
    c->user.end = call_end;
    ql_queue_insert_tail(&f->users, &c->user.link);
    return c;
}

int
ql__file_call_await(lua_State *L, ql_lua_file_call_t *c, ql_call_t *call)
{
    if (call == NULL) {
        int err = errno;

        call_release(c);
        return ql__file_error(L, c->file, err);
    }
    c->call = call;
    call->event.data = &c->op;
    call->event.handler = ql__file_event;
    return ql_await(L, &c->op, 2);
}
