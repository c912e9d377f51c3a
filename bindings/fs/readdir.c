/*
 * readdir.c: a directory's entries, one by one. The iterator is a handle that
 * is called; its end, and a failure, close it.
 */
#include "fs.h"

#include <errno.h>
#include <stdio.h>

typedef struct {
    ql_handle_t handle;
    ql_op_t op;
    ql_dir_t *dir; /* NULL: closed, or there was no memory for it; stays while
                      a string is made of its name (op.pushing) */
    bool ended;    /* there is no entry left, and never will be */
} directory_t;

static directory_t *
directory_of(ql_op_t *op)
{
    return ql_queue_data(op, directory_t, op);
}

static void
free_dir(directory_t *d)
{
    if (d->dir != NULL) {
        ql_call_free(&d->dir->p.call);
        d->dir = NULL;
    }
}

/* ----------------------------------------------------------- operation ---- */

static void
directory_event(ql_event_t *ev)
{
    ql_op_ready(ev->data);
}

/* NGX_OK: there is an entry, or the end. */
static int
directory_attempt(ql_op_t *op)
{
    ql_dir_t *dir = directory_of(op)->dir;
    int rc = ql_read_dir(dir);

    if (rc == NGX_ERROR) {
        op->err = dir->p.call.err;
    } else if (rc == NGX_DONE) {
        dir->name = NULL;
        rc = NGX_OK;
    }
    return rc;
}

static int
directory_error(lua_State *L, directory_t *d, int err)
{
    return err >= QL_E_TIMEOUT ? ql_push_error(L, err)
                               : ql__fs_call_error(L, &d->dir->p.call, err);
}

/* true: the first batch is there. */
static int
open_push(lua_State *L, ql_op_t *op, int rc)
{
    if (rc == NGX_ERROR) {
        return directory_error(L, directory_of(op), op->err);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* Pushes are under way: they may need it until now. */
static void
finish(directory_t *d)
{
    ql_handle_close(&d->handle, QL_E_CLOSED);
    free_dir(d);
}

/* name, type; nil at the end. The entry is used up once it is pushed. */
static int
entry_push(lua_State *L, ql_op_t *op, int rc)
{
    directory_t *d = directory_of(op);

    if (rc == NGX_ERROR) {
        int n = directory_error(L, d, op->err);

        finish(d);
        return n;
    }
    if (d->dir->name == NULL) {
        d->ended = true;
        finish(d);
        lua_pushnil(L);
        return 1;
    }
    lua_pushstring(L, d->dir->name);
    ql__fs_push_type(L, d->dir->type);
    if (d->handle.closed) {
        free_dir(d);
    } else {
        ql_next_dir(d->dir);
    }
    return 2;
}

/* What was asked of a thread goes on; a later wait has it. */
static void
directory_cancel(ql_op_t *op)
{
    (void) op;
}

static void
directory_describe(ql_op_t *op, char *text, size_t size)
{
    (void) snprintf(text, size, "readdir of %s", directory_of(op)->dir->p.path);
}

static const ql_op_type_t open_type = {"readdir", directory_attempt,
                                       open_push, directory_cancel,
                                       NULL,      directory_describe};
static const ql_op_type_t entry_type = {"readdir",  directory_attempt,
                                        entry_push, directory_cancel,
                                        NULL,       directory_describe};

/* -------------------------------------------------------------- handle ---- */

static void
directory_close(ql_handle_t *h, int err)
{
    directory_t *d = ql_queue_data(h, directory_t, handle);

    ql_op_end(&d->op, err);
    if (!d->op.pushing) {
        free_dir(d);
    }
}

/* Of a push that raised. */
static void
directory_collect(ql_handle_t *h)
{
    free_dir(ql_queue_data(h, directory_t, handle));
}

static const ql_handle_type_t directory_type = {"directory", directory_close,
                                                directory_collect};

/* ----------------------------------------------------------- functions ---- */

/* The handle on top of the stack is called as the function at index 2. */
static void
directory_bind(lua_State *L)
{
    lua_getmetatable(L, -1);
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "__call");
    lua_pop(L, 1);
}

/* directory(path, call, root) -> handle | nil, "path: err", CODE; call is what
 * Lua makes of directory_next; root may be nil. The path is looked up by
 * directory_open, and where that could not wait this raises. */
static int
fs_directory(lua_State *L)
{
    ql_core_t *core = ql_core(L);
    const char *path = ql__path(L, 1, "path", "readdir");
    ql_loop_t *loop = ql_check_loop(L, core->lua);
    const char *root;
    directory_t *d;

    if (path == NULL) {
        return ql__path_zero(L, 1);
    }
    if (!ql__fs_root(L, 3, "readdir", &root)) {
        return ql__path_zero(L, 3);
    }
    ql_check_wait(L, core->lua);
    lua_settop(L, 3);
    d = ql_handle_new(L, core->lua, &directory_type, sizeof(*d));
    directory_bind(L);
    ql_op_init(&d->op, &open_type, core->lua);
    d->dir = ql_open_dir(loop, path, root);
    if (d->dir == NULL) {
        return ql_push_error(L, errno);
    }
    d->dir->p.call.event.data = &d->op;
    d->dir->p.call.event.handler = directory_event;
    ql_handle_open(&d->handle);
    return 1;
}

static int
directory_wait(lua_State *L, const ql_op_type_t *type)
{
    directory_t *d = ql_handle_check(L, 1, &directory_type, "readdir");

    if (d->handle.closed) {
        return ql_push_error(L, d->handle.closed);
    }
    if (ql_op_waiting(&d->op) || ql_op_pushing(L, &d->op, &d->handle)) {
        return ql_push_error(L, QL_E_BUSY_READING);
    }
    d->op.type = type;
    lua_settop(L, 1);
    return ql_await(L, &d->op, 1);
}

/* directory_open(self) -> true | nil, "path: err", CODE; waits */
static int
fs_directory_open(lua_State *L)
{
    return directory_wait(L, &open_type);
}

/* directory_next(self) -> name, type | nil | nil, err, CODE; waits */
static int
fs_directory_next(lua_State *L)
{
    const directory_t *d = ql_handle_check(L, 1, &directory_type, "readdir");

    if (d->ended) {
        lua_pushnil(L);
        return 1;
    }
    return directory_wait(L, &entry_type);
}

void
ql__open_fs_readdir(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg fns[] = {{"directory", fs_directory},
                                   {"directory_open", fs_directory_open},
                                   {"directory_next", fs_directory_next},
                                   {NULL, NULL}};

    ql_core_register(L, core, fns);
    ql_handle_methods(L, &directory_type);
    lua_setfield(L, -2, "directory_methods");
}
