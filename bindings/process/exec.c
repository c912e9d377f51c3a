/*
 * exec.c: starts a process and waits until its program runs, or has failed to.
 */
#include "../file/file.h"
#include "../stream/connection.h"
#include "process.h"

#include "core/sys.h"

#include <errno.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

enum {
    FDS_MAX = 64
};

/* Strings of a Lua array, NULL-terminated, on top of the stack: a userdata. */
static char **
strings(lua_State *L, int idx)
{
    size_t n = lua_objlen(L, idx);
    char **list = lua_newuserdata(L, (n + 1) * sizeof(*list));

    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, idx, (int) i + 1);
        list[i] = (char *) (uintptr_t) lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    list[n] = NULL;
    return list;
}

/* ------------------------------------------------------- descriptors ---- */

/* A connection is given away: nobody may read beside the process. NULL, or why
 * it cannot be. */
static const char *
connection_stays(ql_conn_t *conn)
{
    if (conn->handle.closed || ql_op_waiting(&conn->rop)
        || ql_op_waiting(&conn->wop) || conn->guest != NULL)
    {
        return "cannot be given to a process: it is closed or busy";
    }
    if (conn->c->transport != NULL) {
        return "cannot be given to a process: it has TLS on it, or keeps "
               "descriptors";
    }
    if (ql_buffer_unread(&conn->in) != 0) {
        return "cannot be given to a process: bytes that it has received are "
               "not read";
    }
    return NULL;
}

static int
give_connection(ql_conn_t *conn, const char **why)
{
    const ql_sys_t *sys;
    const char *stays = connection_stays(conn);
    int fd, flags;

    if (stays != NULL) {
        *why = stays;
        return -1;
    }
    sys = ql_loop_sys(conn->c->loop);
    fd = sys->dup(conn->c->fd);
    ql_handle_close(&conn->handle, QL_E_CLOSED);
    flags = fd == -1 ? -1 : sys->fcntl(fd, F_GETFL, 0);
    if (flags != -1) {
        (void) sys->fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    }
    return fd;
}

static int
give_file(ql_lua_file_t *f)
{
    const ql_sys_t *sys;

    if (f->handle.closed) {
        return -1;
    }
    sys = ql_loop_sys(f->file->loop);
    (void) sys->lseek(f->file->fd, ql__file_position(f), SEEK_SET);
    return sys->dup(f->file->fd);
}

static FILE *
io_file(lua_State *L, int idx)
{
    FILE **file = lua_touserdata(L, idx);
    int same;

    if (file == NULL || !lua_getmetatable(L, idx)) {
        return NULL;
    }
    luaL_getmetatable(L, LUA_FILEHANDLE);
    same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same ? *file : NULL;
}

/* A duplicate of the descriptor of the value at idx; -1 with *why. */
static int
give(lua_State *L, int idx, const ql_sys_t *sys, const char **why)
{
    ql_handle_t *h = ql_handle_test(L, idx);
    FILE *file = h == NULL ? io_file(L, idx) : NULL;
    int fd = -1;

    *why = "cannot be given to a process: it is closed or busy";
    if (h != NULL && h->type == &ql__connection_type) {
        fd = give_connection((ql_conn_t *) h, why);
    } else if (h != NULL && h->type == &ql__file_type) {
        fd = give_file((ql_lua_file_t *) h);
    } else if (file != NULL) {
        (void) fflush(file);
        fd = sys->dup(fileno(file));
    } else {
        *why = "is neither a descriptor nor a connection or file";
    }
    return fd;
}

/* What the plan's `fds` = {target, source, ...} says. A source of its own is
 * closed with the spawn's copy made. */
typedef struct {
    ql_spawn_fd_t fds[FDS_MAX];
    bool ours[FDS_MAX]; /* a duplicate that give() made */
    int n;
} sources_t;

static void
close_sources(const ql_sys_t *sys, const sources_t *from)
{
    int err = errno;

    for (int i = 0; i < from->n; i++) {
        if (from->ours[i]) {
            (void) sys->close(from->fds[i].fd);
        }
    }
    errno = err;
}

/* The fds of the plan at index 1; false: an error is pushed. */
static bool
read_sources(lua_State *L, const ql_sys_t *sys, sources_t *from)
{
    const char *why = "is none";
    int n;

    lua_getfield(L, 1, "fds");
    n = (int) lua_objlen(L, -1) / 2;
    from->n = 0;
    for (int i = 0; i < n && i < FDS_MAX; i++) {
        ql_spawn_fd_t *f = &from->fds[i];

        lua_rawgeti(L, -1, 2 * i + 1);
        lua_rawgeti(L, -2, 2 * i + 2);
        f->target = (int) lua_tointeger(L, -2);
        from->ours[i] = lua_type(L, -1) != LUA_TNUMBER;
        f->fd = from->ours[i] ? give(L, lua_gettop(L), sys, &why)
                              : (int) lua_tointeger(L, -1);
        if (f->fd == -1) {
            close_sources(sys, from);
            lua_pushnil(L);
            lua_pushfstring(L, "descriptor %d %s", f->target, why);
            lua_pushliteral(L, "EBADF");
            return false;
        }
        lua_pop(L, 2);
        from->n++;
    }
    lua_pop(L, 1);
    return true;
}

/* ------------------------------------------------------------ options ---- */

/* Leaves on the stack what opts points to. */
static void
read_options(lua_State *L, ql_spawn_opts_t *opts)
{
    lua_getfield(L, 1, "argv");
    opts->argv = strings(L, lua_gettop(L));
    lua_getfield(L, 1, "env");
    if (!lua_isnil(L, -1)) {
        opts->env = strings(L, lua_gettop(L));
    }
    lua_getfield(L, 1, "cwd");
    opts->cwd = lua_tostring(L, -1);
    opts->uid = (int64_t) ql_field_number(L, 1, "uid", -1);
    opts->gid = (int64_t) ql_field_number(L, 1, "gid", -1);
    opts->umask = (int) ql_field_number(L, 1, "umask", -1);
    opts->pgroup = ql_field_flag(L, 1, "pgroup");
    opts->setsid = ql_field_flag(L, 1, "setsid");
}

/* ------------------------------------------------------------ results ---- */

static int
push_failure(lua_State *L, const ql_spawn_t *spawn, int err)
{
    lua_pushnil(L);
    ql_push_error_text(L, err);
    if (spawn->at != NULL) {
        lua_pushfstring(L, "%s: %s", spawn->at, lua_tostring(L, -1));
        lua_remove(L, -2);
    }
    ql_push_error_code(L, err);
    return 3;
}

/* Puts the connection of a pipe, if there is one, into the table on top.
 * NGX_ERROR with errno. */
static int
set_pipe(lua_State *L, ql_core_t *core, ql_spawn_t *spawn, int target)
{
    static const char *const names[] = {"stdin", "stdout", "stderr"};
    ql_conn_t *conn = ql__connection_new(L, core);
    int fd = ql_spawn_pipe(spawn, target);
    ql_connection_t *c;
    const char *why;
    int err;

    if (fd == -1) {
        lua_pop(L, 1);
        return NGX_OK;
    }
    c = ql_adopt_connection(spawn->call.loop, fd, 0, &why);
    if (c == NULL) {
        err = errno;
        (void) ql_loop_sys(spawn->call.loop)->close(fd);
        errno = err;
        return NGX_ERROR;
    }
    c->shared = 0;
    ql__connection_open(conn, c);
    lua_setfield(L, -2, names[target]);
    return NGX_OK;
}

static void
apply_options(lua_State *L, ql_process_t *p)
{
    int64_t timeout = (int64_t) ql_field_number(L, 1, "timeout", -1);

    p->signo = (int) ql_field_number(L, 1, "signal", p->signo);
    p->grace = (uint64_t) ql_field_number(L, 1, "grace", 0);
    if (timeout >= 0) {
        ql_process_timeout(p, (uint64_t) timeout);
    }
}

/* The plan is at index 1. */
static int
push_started(lua_State *L, ql_call_t *call, int err)
{
    ql_spawn_t *spawn = (ql_spawn_t *) (void *) call;
    ql_core_t *core = spawn->data;
    ql_process_t *p;
    ql_lua_process_t *proc;

    if (err != 0) {
        return push_failure(L, spawn, err);
    }
    proc = ql__process_new(L, core);
    p = ql_spawn_take(spawn);
    if (p == NULL) {
        return ql_push_error(L, errno);
    }
    ql__process_open(proc, p);
    apply_options(L, p);
    lua_createtable(L, 0, 3);
    for (int target = 0; target < 3; target++) {
        if (set_pipe(L, core, spawn, target) != NGX_OK) {
            err = errno;
            ql_handle_close(&proc->handle, QL_E_CLOSED);
            return ql_push_error(L, err);
        }
    }
    lua_setfenv(L, -2);
    return 1;
}

/* exec(plan) -> process | nil, err, CODE; waits.
 * plan: argv, env, cwd, fds, pgroup, setsid, uid, gid, umask, timeout (ns),
 * signal (number), grace (ns). */
static int
core_exec(lua_State *L)
{
    ql_core_t *core = ql_core(L);
    ql_loop_t *loop = ql_lua_ready(core->lua, L);
    ql_spawn_opts_t opts = {0};
    sources_t from;
    ql_lua_call_t *w;
    ql_spawn_t *spawn;

    if (loop == NULL) {
        return ql_push_error(L, errno);
    }
    lua_settop(L, 1);
    w = ql_lua_call_new(L, core->lua, push_started);
    read_options(L, &opts);
    if (!read_sources(L, ql_loop_sys(loop), &from)) {
        return 3;
    }
    opts.fds = from.fds;
    opts.nfds = from.n;
    spawn = ql_spawn_create(loop, &opts);
    close_sources(ql_loop_sys(loop), &from);
    if (spawn != NULL) {
        spawn->data = core;
        w->call = &spawn->call;
        w->about = spawn->program;
    }
    lua_settop(L, 2);
    return ql_lua_call_await(L, w);
}

const luaL_Reg ql__exec_functions[] = {{"exec", core_exec}, {NULL, NULL}};
