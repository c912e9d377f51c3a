/*
 * waitfd.c: waits until a foreign descriptor is readable or writable, alone or
 * in a select. The descriptor stays its owner's: it is never read, written or
 * closed.
 */
#include "../core/core.h"

#include "core/sys.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    ql_handle_t handle;
    ql_op_t op;
    ql_select_t *selector; /* waits in the place of op; NULL: none does */
    ql_connection_t *c;    /* in the epoll set; NULL: not yet */
    int fd;                /* -1: ready at once */
    short wanted;          /* POLLIN, POLLOUT */
    short ready;
} waitfd_t;

static void
waitfd_unregister(waitfd_t *w)
{
    if (w->c != NULL) {
        ql_close_connection(w->c);
        w->c = NULL;
    }
}

static void
waitfd_handler(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    waitfd_t *w = c->data;

    if (w->selector != NULL) {
        ql_select_ready(w->selector);
    } else {
        ql_op_ready(&w->op);
    }
}

static int
waitfd_add(waitfd_t *w)
{
    ql_connection_t *c = w->c;
    ql_loop_t *loop = c->loop;

    if ((w->wanted & POLLIN) != 0
        && ql_epoll_actions.add(loop, &c->read, QL_READ_EVENT, QL_CLEAR_EVENT)
               != NGX_OK)
    {
        return NGX_ERROR;
    }
    if ((w->wanted & POLLOUT) != 0
        && ql_epoll_actions.add(loop, &c->write, QL_WRITE_EVENT, QL_CLEAR_EVENT)
               != NGX_OK)
    {
        return NGX_ERROR;
    }
    return NGX_OK;
}

/* A duplicate is registered: the descriptor may be in the set already. */
static int
waitfd_register(waitfd_t *w)
{
    ql_loop_t *loop = ql_lua_loop(w->handle.lua);
    const ql_sys_t *sys = ql_loop_sys(loop);
    int fd = sys->dup(w->fd);

    if (fd == -1) {
        return NGX_ERROR;
    }
    w->c = ql_get_connection(loop, fd);
    if (w->c == NULL) {
        sys->close(fd);
        return NGX_ERROR;
    }
    w->c->shared = 1;
    w->c->data = w;
    w->c->read.handler = waitfd_handler;
    w->c->write.handler = waitfd_handler;
    return waitfd_add(w);
}

/* op: whose wait it is. */
static int
waitfd_ask(waitfd_t *w, ql_op_t *op)
{
    const ql_sys_t *sys = ql_loop_sys(ql_lua_loop(op->lua));
    struct pollfd pfd = {.fd = w->fd, .events = w->wanted};
    int n = sys->poll(&pfd, 1, 0);

    if (n == -1 && errno != EINTR) {
        op->err = errno;
        return NGX_ERROR;
    }
    if (n > 0) {
        if ((pfd.revents & POLLNVAL) != 0) {
            op->err = EBADF;
            return NGX_ERROR;
        }
        w->ready = (pfd.revents & (POLLERR | POLLHUP)) != 0
                     ? w->wanted
                     : pfd.revents & w->wanted;
        return NGX_OK;
    }
    if (w->c == NULL && op->timeout != 0 && waitfd_register(w) != NGX_OK) {
        op->err = errno;
        return NGX_ERROR;
    }
    return NGX_AGAIN;
}

static int
waitfd_attempt(ql_op_t *op)
{
    return waitfd_ask(ql_queue_data(op, waitfd_t, op), op);
}

static const char *
mode_name(short events)
{
    return events == (POLLIN | POLLOUT) ? "rw" : events == POLLIN ? "r" : "w";
}

static int
waitfd_push(lua_State *L, ql_op_t *op, int rc)
{
    waitfd_t *w = ql_queue_data(op, waitfd_t, op);

    if (rc == NGX_ERROR) {
        return ql_push_error(L, op->err);
    }
    lua_pushstring(L, mode_name(w->ready));
    return 1;
}

static void
waitfd_cancel(ql_op_t *op)
{
    waitfd_unregister(ql_queue_data(op, waitfd_t, op));
}

static void
waitfd_free(ql_op_t *op)
{
    ql_handle_close(&ql_queue_data(op, waitfd_t, op)->handle, QL_E_CLOSED);
}

static void
waitfd_close(ql_handle_t *h, int err)
{
    waitfd_t *w = ql_queue_data(h, waitfd_t, handle);

    ql_op_end(&w->op, err);
    waitfd_unregister(w);
}

static void
waitfd_describe(ql_op_t *op, char *text, size_t size)
{
    const waitfd_t *w = ql_queue_data(op, waitfd_t, op);

    (void) snprintf(text, size, "waitfd \"%s\" (fd %d)", mode_name(w->wanted),
                    w->fd);
}

static const ql_handle_type_t waitfd_handle = {"waitfd", waitfd_close, NULL};
static const ql_op_type_t waitfd_op = {"waitfd",    waitfd_attempt,
                                       waitfd_push, waitfd_cancel,
                                       waitfd_free, waitfd_describe};

static int
select_attempt(ql_select_t *node)
{
    waitfd_t *w = node->object;
    int rc;

    if (w->fd == -1) {
        return NGX_OK;
    }
    w->selector = node;
    rc = waitfd_ask(w, node->op);
    return rc == NGX_ERROR && node->op->err == EBADF ? NGX_OK : rc;
}

static void
select_cancel(ql_select_t *node)
{
    waitfd_t *w = node->object;

    if (w->selector == node) {
        w->selector = NULL;
        waitfd_unregister(w);
    }
}

static const ql_select_type_t waitfd_select = {select_attempt, select_cancel};

static short
waitfd_check_mode(lua_State *L)
{
    static const char *const modes[] = {"r", "w", "rw", NULL};
    static const short events[] = {POLLIN, POLLOUT, POLLIN | POLLOUT};
    const char *mode = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";

    for (int i = 0; modes[i] != NULL; i++) {
        if (strcmp(mode, modes[i]) == 0) {
            return events[i];
        }
    }
    ql_bad_argument(L, 2, "mode", "waitfd", "\"r\", \"w\" or \"rw\"");
    return 0;
}

/* pollable(fd, mode) -> what core.select waits for; fd -1: ready at once */
static int
pollable(lua_State *L)
{
    ql_core_t *core = ql_core(L);
    int64_t fd = ql_check_whole(L, 1, "fd", "pollable", -1, INT32_MAX);
    short wanted = waitfd_check_mode(L);
    waitfd_t *w = ql_handle_new(L, core->lua, &waitfd_handle, sizeof(*w));

    ql_op_init(&w->op, &waitfd_op, core->lua); /* a close ends it */
    w->fd = (int) fd;
    w->wanted = wanted;
    ql_handle_open(&w->handle);
    return 1;
}

/* waitfd(fd, mode, [s]) -> "r" | "w" | "rw" | nil, err, CODE */
static int
waitfd(lua_State *L)
{
    ql_core_t *core = ql_core(L);
    int64_t fd = ql_check_whole(L, 1, "fd", "waitfd", 0, INT32_MAX);
    short wanted = waitfd_check_mode(L);
    uint64_t timeout = ql_check_timeout(L, 3, "s", "waitfd");
    waitfd_t *w;

    if (ql_lua_ready(core->lua, L) == NULL) {
        return ql_push_error(L, errno);
    }
    lua_settop(L, 0);
    w = ql_handle_new(L, core->lua, &waitfd_handle, sizeof(*w));
    ql_op_init(&w->op, &waitfd_op, core->lua);
    w->op.timeout = timeout;
    w->fd = (int) fd;
    w->wanted = wanted;
    ql_handle_open(&w->handle);
    return ql_await(L, &w->op, 1);
}

void
ql__open_waitfd(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg fns[] = {
        {"waitfd", waitfd}, {"pollable", pollable}, {NULL, NULL}};

    ql_handle_selectable(L, &waitfd_handle, &waitfd_select);
    ql_core_register(L, core, fns);
}
