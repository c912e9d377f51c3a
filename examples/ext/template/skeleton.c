/*
 * skeleton.c: the C half of skeleton.lua. A counter that tasks wait for: an
 * eventfd stands for the descriptor of your own. "Writing a C binding" in
 * quoll's documents says what each function here may do.
 */
#include <quoll_lua.h>

#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct {
    ql_handle_t handle; /* first: close, own and disown work on it */
    ql_op_t op;         /* the wait; one at a time */
    ql_connection_t *c; /* the descriptor in the loop; NULL: closed */
    uint64_t count;     /* what the last attempt read */
} counter_t;

QL_API int luaopen_skeleton_core(lua_State *L);

/* ------------------------------------------------------------- waiting ---- */

static counter_t *
counter_of(ql_op_t *op)
{
    return ql_queue_data(op, counter_t, op);
}

static void
on_event(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    counter_t *counter = c->data;

    ql_op_ready(&counter->op);
}

/* Tries, whenever there is hope. Never blocks, never touches Lua. */
static int
wait_attempt(ql_op_t *op)
{
    counter_t *counter = counter_of(op);
    ql_connection_t *c = counter->c;

    if (read(c->fd, &counter->count, sizeof(counter->count)) > 0) {
        return NGX_OK;
    }
    if (errno != EAGAIN) {
        op->err = errno;
        return NGX_ERROR;
    }
    c->read.ready = 0;
    return ql_park(&c->read, on_event, op);
}

/* In the task, once the wait is over: the results. */
static int
wait_push(lua_State *L, ql_op_t *op, int rc)
{
    if (rc == NGX_ERROR) {
        return ql_push_error(L, op->err);
    }
    lua_pushnumber(L, (lua_Number) counter_of(op)->count);
    return 1;
}

/* A timeout, a cancellation, or close: nobody waits any more. */
static void
wait_cancel(ql_op_t *op)
{
    counter_of(op)->c->read.handler = NULL;
}

/* What quoll.tasks() says of a task that waits here. */
static void
wait_describe(ql_op_t *op, char *text, size_t size)
{
    (void) snprintf(text, size, "skeleton (fd %d)", counter_of(op)->c->fd);
}

static const ql_op_type_t wait_type = {.name = "wait",
                                       .attempt = wait_attempt,
                                       .push = wait_push,
                                       .cancel = wait_cancel,
                                       .describe = wait_describe};

/* -------------------------------------------------------------- handle ---- */

/* Called once: by the script, at the owner's end, or by the collector. */
static void
counter_close(ql_handle_t *h, int err)
{
    counter_t *counter = ql_queue_data(h, counter_t, handle);

    ql_op_end(&counter->op, err);
    ql_close_connection(counter->c);
    counter->c = NULL;
}

static const ql_handle_type_t counter_type = {.name = "skeleton",
                                              .close = counter_close};

/* new() -> handle | nil, err, CODE */
static int
counter_new(lua_State *L)
{
    ql_lua_t *lua = ql_lua(L);
    ql_loop_t *loop = ql_lua_ready(lua, L);
    counter_t *counter;
    int fd, err;

    if (loop == NULL) {
        return ql_push_error(L, errno);
    }
    counter = ql_handle_new(L, lua, &counter_type, sizeof(*counter));
    ql_op_init(&counter->op, &wait_type, lua);
    fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd == -1) {
        return ql_push_error(L, errno);
    }
    counter->c = ql_get_connection(loop, fd);
    if (counter->c == NULL) {
        err = errno;
        (void) close(fd);
        return ql_push_error(L, err);
    }
    counter->c->data = counter;
    ql_handle_open(&counter->handle); /* last: now it can be closed */
    return 1;
}

/* ----------------------------------------------------------- functions ---- */

/* add(self, n) -> true | nil, err, CODE */
static int
counter_add(lua_State *L)
{
    counter_t *counter = ql_handle_check(L, 1, &counter_type, "add");
    uint64_t n = (uint64_t) ql_check_whole(L, 2, "n", "add", 1, INT32_MAX);

    if (counter->handle.closed) {
        return ql_push_error(L, counter->handle.closed);
    }
    if (write(counter->c->fd, &n, sizeof(n)) == -1) {
        return ql_push_error(L, errno);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* wait(self, [s]) -> number | nil, err, CODE */
static int
counter_wait(lua_State *L)
{
    counter_t *counter = ql_handle_check(L, 1, &counter_type, "wait");
    uint64_t timeout = ql_check_timeout(L, 2, "s", "wait");

    if (counter->handle.closed) {
        return ql_push_error(L, counter->handle.closed);
    }
    if (ql_op_waiting(&counter->op)) {
        return ql_push_error(L, QL_E_BUSY_READING);
    }
    counter->op.timeout = timeout;
    lua_settop(L, 1); /* self: it holds the memory of op while it waits */
    return ql_await(L, &counter->op, 1);
}

int
luaopen_skeleton_core(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"new", counter_new}, {"wait", counter_wait}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{"add", counter_add}, {NULL, NULL}};

    ql_lua_open(L); /* raises where it was compiled for another quoll */
    lua_newtable(L);
    luaL_setfuncs(L, functions, 0);
    ql_handle_methods(L, &counter_type);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "methods");
    return 1;
}
