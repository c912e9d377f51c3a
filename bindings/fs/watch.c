/*
 * watch.c: an inotify descriptor: its events one by one, and the paths that
 * it watches. What they mean is lua/quoll/watch.lua's.
 */
#include "../core/core.h"
#include "../core/path.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    ql_handle_t handle;
    ql_op_t op;        /* the wait for an event; one at a time */
    ql_watch_t *watch; /* NULL: closed */
} watch_t;

static watch_t *
watch_of(ql_op_t *op)
{
    return ql_queue_data(op, watch_t, op);
}

static void
watch_event(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;

    ql_op_ready(c->data);
}

static int
next_attempt(ql_op_t *op)
{
    watch_t *w = watch_of(op);
    ql_event_t *rev = &w->watch->connection->read;
    int rc = ql_watch_read(w->watch);

    rev->handler = rc == NGX_AGAIN ? watch_event : NULL;
    if (rc == NGX_ERROR) {
        op->err = errno;
    }
    return rc;
}

/* The event is taken now: one that a cancelled wait did not get stays. It is
 * copied first: a finaliser that runs below may close the watch. */
static int
next_push(lua_State *L, ql_op_t *op, int rc)
{
    watch_t *w = watch_of(op);
    char name[NAME_MAX + 1] = "";
    struct inotify_event event;

    if (rc == NGX_ERROR) {
        return ql_push_error(L, op->err);
    }
    event = *w->watch->event;
    strncat(name, event.len > 0 ? w->watch->event->name : "", NAME_MAX);
    ql_watch_next(w->watch);
    lua_pushnumber(L, event.wd);
    lua_pushnumber(L, event.mask);
    lua_pushnumber(L, event.cookie);
    lua_pushstring(L, name);
    return 4;
}

static void
next_cancel(ql_op_t *op)
{
    watch_t *w = watch_of(op);

    if (w->watch != NULL) {
        w->watch->connection->read.handler = NULL;
    }
}

static void
next_describe(ql_op_t *op, char *text, size_t size)
{
    (void) snprintf(text, size, "watch (fd %d)", watch_of(op)->watch->fd);
}

static const ql_op_type_t next_type = {
    "next", next_attempt, next_push, next_cancel, NULL, next_describe};

static void
watch_close(ql_handle_t *h, int err)
{
    watch_t *w = ql_queue_data(h, watch_t, handle);

    ql_op_end(&w->op, err);
    ql_watch_close(w->watch);
    w->watch = NULL;
}

static const ql_handle_type_t watch_type = {"watch", watch_close, NULL};

/* The open watch at index 1, or NULL after pushing nil, "closed", CODE. */
static watch_t *
watch_self(lua_State *L, const char *method)
{
    watch_t *w = ql_handle_check(L, 1, &watch_type, method);

    if (w->handle.closed) {
        ql_push_error(L, w->handle.closed);
        return NULL;
    }
    return w;
}

/* next(self, [s]) -> wd, mask, cookie, name | nil, err, CODE */
static int
watch_next(lua_State *L)
{
    watch_t *w = watch_self(L, "next");
    uint64_t timeout = ql_check_timeout(L, 2, "s", "next");

    if (w == NULL) {
        return 3;
    }
    if (ql_op_waiting(&w->op)) {
        return ql_push_error(L, QL_E_BUSY_READING);
    }
    lua_settop(L, 1);
    ql_op_init(&w->op, &next_type, ql_core(L)->lua);
    w->op.timeout = timeout;
    return ql_await(L, &w->op, 1);
}

static int
call_push(lua_State *L, ql_call_t *call, int err)
{
    if (err != 0) {
        return ql_push_error(L, err);
    }
    lua_pushnumber(L, (lua_Number) call->res);
    return 1;
}

/* add(self, path, mask) -> wd | nil, err, CODE */
static int
watch_add(lua_State *L)
{
    watch_t *w = watch_self(L, "add");
    const char *path = ql__path(L, 2, "path", "add");
    uint32_t mask = (uint32_t) luaL_checknumber(L, 3);
    ql_lua_call_t *call;

    if (w == NULL) {
        return 3;
    }
    if (path == NULL) {
        return ql_push_error(L, EINVAL);
    }
    call = ql_lua_call_new(L, ql_core(L)->lua, call_push);
    if (w->watch == NULL) { /* by a finaliser just now */
        return ql_push_error(L, w->handle.closed);
    }
    call->call = ql_watch_add(w->watch, path, mask);
    call->about = path;
    return ql_lua_call_await(L, call);
}

/* remove(self, wd) -> 0 | nil, err, CODE */
static int
watch_remove(lua_State *L)
{
    watch_t *w = watch_self(L, "remove");
    int64_t wd = ql_check_whole(L, 2, "wd", "remove", 0, INT32_MAX);
    ql_lua_call_t *call;

    if (w == NULL) {
        return 3;
    }
    call = ql_lua_call_new(L, ql_core(L)->lua, call_push);
    if (w->watch == NULL) {
        return ql_push_error(L, w->handle.closed);
    }
    call->call = ql_watch_remove(w->watch, (int) wd);
    return ql_lua_call_await(L, call);
}

/* check(path) -> true | nil, "path: err", CODE: may watch() have this path? */
static int
watch_check(lua_State *L)
{
    if (ql__path(L, 1, "path", "watch") == NULL) {
        return ql__path_zero(L, 1);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* open() -> watch | nil, err, CODE; raises where add could not wait */
static int
watch_open(lua_State *L)
{
    ql_core_t *core = ql_core(L);
    ql_loop_t *loop = ql_lua_ready(core->lua, L);
    watch_t *w;

    ql_check_wait(L, core->lua);
    if (loop == NULL) {
        return ql_push_error(L, errno);
    }
    w = ql_handle_new(L, core->lua, &watch_type, sizeof(*w));
    ql_op_init(&w->op, &next_type, core->lua);
    w->watch = ql_watch_create(loop);
    if (w->watch == NULL) {
        return ql_push_error(L, errno);
    }
    w->watch->connection->data = &w->op;
    ql_handle_open(&w->handle);
    return 1;
}

void
ql__open_watch(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg fns[] = {
        {"check", watch_check}, {"open", watch_open},     {"next", watch_next},
        {"add", watch_add},     {"remove", watch_remove}, {NULL, NULL}};

    lua_newtable(L);
    ql_core_register(L, core, fns);
    lua_setfield(L, -2, "watch");
}
