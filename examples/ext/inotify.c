/*
 * inotify.c: a descriptor as a source of events, and a system call that may
 * block. The Lua half is inotify.lua; scripts require that.
 *
 * inotify_new() makes a handle, inotify_next() waits for the next event of its
 * descriptor, inotify_add() has a thread look a path up.
 */
#include <quoll_lua.h>

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

typedef struct {
    ql_handle_t handle; /* first: close, own and disown work on it */
    ql_op_t op;         /* the wait for an event: one at a time */
    ql_connection_t *c; /* the descriptor in the loop; NULL: closed */
    size_t pos, end;    /* in buf: the next event, and behind the last */
    _Alignas(struct inotify_event) char buf[4096];
} inotify_t;

/* One path to add. A thread works on it, so it is on its own: the inotify_t may
 * be gone when the thread gets there. */
typedef struct {
    ql_call_t call; /* first */
    int fd;         /* a duplicate */
    uint32_t mask;  /* IN_* */
    char path[];
} add_t;

QL_API int luaopen_inotify_core(lua_State *L);

/* ------------------------------------------------ waiting for an event ---- */

static inotify_t *
inotify_of(ql_op_t *op)
{
    return ql_queue_data(op, inotify_t, op);
}

static void
on_event(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    inotify_t *in = c->data;

    ql_op_ready(&in->op);
}

/* Takes no event: push does. So what a cancelled wait has read stays here. */
static int
next_attempt(ql_op_t *op)
{
    inotify_t *in = inotify_of(op);
    ssize_t n;

    if (in->pos < in->end) {
        return NGX_OK;
    }
    n = read(in->c->fd, in->buf, sizeof(in->buf));
    if (n > 0) {
        in->pos = 0;
        in->end = (size_t) n;
        return NGX_OK;
    }
    if (n == -1 && errno != EAGAIN) {
        op->err = errno;
        return NGX_ERROR;
    }
    in->c->read.ready = 0;
    return ql_park(&in->c->read, on_event, op);
}

/* wd, mask, cookie, name; by way of a copy, since what Lua allocates may run a
 * finaliser, and that may close the handle. */
static int
next_push(lua_State *L, ql_op_t *op, int rc)
{
    inotify_t *in = inotify_of(op);
    char name[NAME_MAX + 1] = "";
    struct inotify_event event;

    if (rc == NGX_ERROR) {
        return ql_push_error(L, op->err);
    }
    memcpy(&event, in->buf + in->pos, sizeof(event));
    if (event.len > 0) {
        strncat(name, in->buf + in->pos + sizeof(event), NAME_MAX);
    }
    in->pos += sizeof(event) + event.len;
    lua_pushnumber(L, event.wd);
    lua_pushnumber(L, event.mask);
    lua_pushnumber(L, event.cookie);
    lua_pushstring(L, name);
    return 4;
}

static void
next_cancel(ql_op_t *op)
{
    inotify_of(op)->c->read.handler = NULL;
}

static const ql_op_type_t next_type = {.name = "next",
                                       .attempt = next_attempt,
                                       .push = next_push,
                                       .cancel = next_cancel};

static void
inotify_close(ql_handle_t *h, int err)
{
    inotify_t *in = ql_queue_data(h, inotify_t, handle);

    ql_op_end(&in->op, err);
    ql_close_connection(in->c);
    in->c = NULL;
}

static const ql_handle_type_t inotify_type = {.name = "inotify",
                                              .close = inotify_close};

/* new() -> inotify | nil, err, CODE */
static int
inotify_new(lua_State *L)
{
    ql_lua_t *lua = ql_lua(L);
    ql_loop_t *loop = ql_lua_ready(lua, L);
    inotify_t *in;
    int fd;

    if (loop == NULL) {
        return ql_push_error(L, errno);
    }
    in = ql_handle_new(L, lua, &inotify_type, sizeof(*in));
    ql_op_init(&in->op, &next_type, lua);
    fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd == -1) {
        return ql_push_error(L, errno);
    }
    in->c = ql_get_connection(loop, fd);
    if (in->c == NULL) {
        int err = errno;

        (void) close(fd);
        return ql_push_error(L, err);
    }
    in->c->data = in;
    in->c->shared = 1; /* inotify_add() makes duplicates */
    ql_handle_open(&in->handle);
    return 1;
}

/* next(self, [s]) -> wd, mask, cookie, name | nil, err, CODE; waits */
static int
inotify_next(lua_State *L)
{
    inotify_t *in = ql_handle_check(L, 1, &inotify_type, "next");
    uint64_t timeout = ql_check_timeout(L, 2, "s", "next");

    if (in->handle.closed) {
        return ql_push_error(L, in->handle.closed);
    }
    if (ql_op_waiting(&in->op)) {
        return ql_push_error(L, QL_E_BUSY_READING);
    }
    in->op.timeout = timeout;
    lua_settop(L, 1);
    return ql_await(L, &in->op, 1); /* self holds the memory of op */
}

/* ------------------------------------------------- what a thread does ---- */

/* On a thread: no loop, no Lua. */
static void
add_run(ql_call_t *call)
{
    add_t *add = (add_t *) (void *) call;

    call->res = inotify_add_watch(add->fd, add->path, add->mask);
    call->err = errno;
}

static void
add_release(ql_call_t *call)
{
    const add_t *add = (add_t *) (void *) call;

    if (add->fd != -1) {
        (void) close(add->fd);
    }
}

static const ql_call_type_t add_type = {
    .name = "inotify add", .run = add_run, .release = add_release};

static int
add_push(lua_State *L, ql_call_t *call, int err)
{
    if (err != 0) {
        return ql_push_error(L, err);
    }
    lua_pushnumber(L, (lua_Number) call->res);
    return 1;
}

/* add(self, path, mask) -> wd | nil, err, CODE; waits */
static int
inotify_add(lua_State *L)
{
    inotify_t *in = ql_handle_check(L, 1, &inotify_type, "add");
    size_t length;
    const char *path = luaL_checklstring(L, 2, &length);
    int64_t mask = ql_check_whole(L, 3, "mask", "add", 1, UINT32_MAX);
    ql_lua_call_t *w = ql_lua_call_new(L, in->handle.lua, add_push);
    add_t *add;

    if (in->handle.closed) {
        return ql_push_error(L, in->handle.closed);
    }
    add = ql_call_create(in->c->loop, &add_type, sizeof(*add) + length + 1);
    if (add == NULL) {
        return ql_push_error(L, errno);
    }
    w->call = &add->call; /* from here on w lets it go, whatever happens */
    add->fd = fcntl(in->c->fd, F_DUPFD_CLOEXEC, 0);
    if (add->fd == -1) {
        return ql_push_error(L, errno);
    }
    add->mask = (uint32_t) mask;
    memcpy(add->path, path, length);
    return ql_lua_call_await(L, w);
}

int
luaopen_inotify_core(lua_State *L)
{
    static const luaL_Reg functions[] = {{"new", inotify_new},
                                         {"next", inotify_next},
                                         {"add", inotify_add},
                                         {NULL, NULL}};

    ql_lua_open(L);
    lua_newtable(L);
    luaL_setfuncs(L, functions, 0);
    ql_handle_methods(L, &inotify_type);
    lua_setfield(L, -2, "methods");
    return 1;
}
