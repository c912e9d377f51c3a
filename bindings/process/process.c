/*
 * process.c: a process from its start to its end: waiting, signals, what
 * becomes of it when its owner ends.
 */
#include "process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

/* One task's wait; several may wait for a process. */
typedef struct {
    ql_handle_t handle;
    ql_op_t op;
    ql_lua_process_t *proc; /* anchored beside it */
    ql_queue_t link;        /* in its waiters; self-linked when not */
} proc_wait_t;

/* Who goes on may close the process, or drop it. */
static void
on_ended(ql_process_t *p)
{
    ql_lua_process_t *proc = p->data;
    ql_queue_t waiters;

    ql_queue_init(&waiters);
    ql_queue_move(&waiters, &proc->waiters);
    while (!ql_queue_empty(&waiters)) {
        ql_op_ready(&ql_queue_data(waiters.next, proc_wait_t, link)->op);
    }
}

static void
process_close(ql_handle_t *h, int err)
{
    ql_lua_process_t *proc = ql_queue_data(h, ql_lua_process_t, handle);

    while (!ql_queue_empty(&proc->waiters)) {
        proc_wait_t *w = ql_queue_data(proc->waiters.next, proc_wait_t, link);

        ql_queue_remove(&w->link);
        ql_op_end(&w->op, err);
    }
    /* With the loop its processes have ended. */
    if (ql_lua_loop(h->lua) != NULL) {
        ql_process_release(proc->process, proc->left);
    }
    proc->process = NULL;
}

const ql_handle_type_t ql__process_type = {"process", process_close, NULL};

/* A method, or one of the pipes: stdin, stdout, stderr. */
static int
process_index(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    if (lua_isnil(L, -1)) {
        lua_getfenv(L, 1);
        lua_pushvalue(L, 2);
        lua_rawget(L, -2);
    }
    return 1;
}

/* Of the handle on top. */
static void
use_index(lua_State *L)
{
    lua_getmetatable(L, -1);
    lua_getfield(L, -1, "__index");
    if (lua_istable(L, -1)) {
        lua_pushcclosure(L, process_index, 1);
        lua_setfield(L, -2, "__index");
    } else {
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

ql_lua_process_t *
ql__process_new(lua_State *L, ql_core_t *core)
{
    ql_lua_process_t *proc = ql_handle_new(L, core->lua, &ql__process_type,
                                           sizeof(*proc));

    ql_queue_init(&proc->waiters);
    use_index(L);
    lua_newtable(L);
    lua_setfenv(L, -2);
    return proc;
}

void
ql__process_open(ql_lua_process_t *proc, ql_process_t *p)
{
    proc->process = p;
    p->data = proc;
    p->handler = on_ended;
    ql_handle_open(&proc->handle);
}

static ql_lua_process_t *
process_check(lua_State *L, const char *method)
{
    return ql_handle_check(L, 1, &ql__process_type, method);
}

/* ------------------------------------------------------------- wait ---- */

static proc_wait_t *
wait_of(ql_op_t *op)
{
    return ql_queue_data(op, proc_wait_t, op);
}

static int
wait_attempt(ql_op_t *op)
{
    proc_wait_t *w = wait_of(op);

    if (w->proc->handle.closed) {
        ql_queue_remove(&w->link);
        op->err = w->proc->handle.closed;
        return NGX_ERROR;
    }
    if (w->proc->process->ended != QL_PROCESS_RUNS) {
        ql_queue_remove(&w->link);
        return NGX_OK;
    }
    if (ql_queue_empty(&w->link)) {
        ql_queue_insert_tail(&w->proc->waiters, &w->link);
    }
    return NGX_AGAIN;
}

/* true | false, "exit" | "signal", status, ["TIMEOUT"] */
static int
push_status(lua_State *L, const ql_process_t *p)
{
    if (p->ended == QL_PROCESS_UNKNOWN) {
        return ql_push_error(L, ECHILD);
    }
    lua_pushboolean(L, p->ended == QL_PROCESS_EXITED && p->status == 0);
    lua_pushstring(L, p->ended == QL_PROCESS_EXITED ? "exit" : "signal");
    lua_pushinteger(L, p->status);
    if (!p->timedout) {
        return 3;
    }
    lua_pushliteral(L, "TIMEOUT");
    return 4;
}

static int
wait_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_lua_process_t *proc = wait_of(op)->proc;

    if (rc == NGX_ERROR) {
        return ql_push_error(L, op->err);
    }
    if (proc->handle.closed) {
        return ql_push_error(L, proc->handle.closed);
    }
    return push_status(L, proc->process);
}

static void
wait_cancel(ql_op_t *op)
{
    ql_queue_remove(&wait_of(op)->link);
}

static void
wait_free(ql_op_t *op)
{
    ql_handle_close(&wait_of(op)->handle, QL_E_CLOSED);
}

static void
wait_describe(ql_op_t *op, char *text, size_t size)
{
    (void) snprintf(text, size, "wait for process %d",
                    (int) wait_of(op)->proc->process->pid);
}

static void
wait_close(ql_handle_t *h, int err)
{
    proc_wait_t *w = ql_queue_data(h, proc_wait_t, handle);

    ql_op_end(&w->op, err);
    ql_queue_remove(&w->link);
}

static const ql_op_type_t wait_op = {"process",   wait_attempt, wait_push,
                                     wait_cancel, wait_free,    wait_describe};
static const ql_handle_type_t wait_type = {"process wait", wait_close, NULL};

/* wait(self, [s]) -> true | false, "exit" | "signal", status, ["TIMEOUT"]
 * | nil, err, CODE */
static int
process_wait(lua_State *L)
{
    ql_lua_process_t *proc = process_check(L, "wait");
    ql_lua_t *lua = proc->handle.lua;
    uint64_t timeout = ql_check_timeout(L, 2, "s", "wait");
    proc_wait_t *w;

    if (proc->handle.closed) {
        return ql_return(L, lua, ql_push_error(L, proc->handle.closed));
    }
    if (proc->process->ended != QL_PROCESS_RUNS) {
        return ql_return(L, lua, push_status(L, proc->process));
    }
    ql_check_wait(L, lua);
    lua_settop(L, 1);
    w = ql_handle_new(L, lua, &wait_type, sizeof(*w));
    ql_queue_init(&w->link);
    ql_op_init(&w->op, &wait_op, lua);
    w->op.timeout = timeout;
    w->proc = proc;
    ql_handle_open(&w->handle);
    ql_handle_own(&w->handle, NULL);
    return ql_await(L, &w->op, 2);
}

/* ---------------------------------------------------------- signals ---- */

int
ql__check_signal(lua_State *L, int arg, const char *name, const char *method)
{
    const char *text = lua_type(L, arg) == LUA_TSTRING ? lua_tostring(L, arg)
                                                       : NULL;
    int signo = 0;

    if (text != NULL) {
        signo = ql__signal_by_name(text);
    } else if (lua_type(L, arg) == LUA_TNUMBER) {
        signo = (int) lua_tonumber(L, arg);
        signo = signo == lua_tonumber(L, arg) ? signo : 0;
    }
    if (signo < 1 || signo > SIGRTMAX) {
        return ql_bad_argument(L, arg, name, method, "a signal");
    }
    return signo;
}

/* kill(self, [signal], [group]) -> true | nil, err, CODE */
static int
process_kill(lua_State *L)
{
    ql_lua_process_t *proc = process_check(L, "kill");
    int signo = lua_isnoneornil(L, 2)
                  ? SIGTERM
                  : ql__check_signal(L, 2, "signal", "kill");

    if (proc->handle.closed) {
        return ql_push_error(L, proc->handle.closed);
    }
    if (ql_process_kill(proc->process, signo, lua_toboolean(L, 3)) != NGX_OK) {
        return ql_push_error(L, errno);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* stop(self) -> true | nil, err, CODE */
static int
process_stop(lua_State *L)
{
    ql_lua_process_t *proc = process_check(L, "stop");

    if (proc->handle.closed) {
        return ql_push_error(L, proc->handle.closed);
    }
    ql_process_stop(proc->process);
    lua_pushboolean(L, 1);
    return 1;
}

/* pid(self) -> number | nil, err, CODE */
static int
process_pid(lua_State *L)
{
    ql_lua_process_t *proc = process_check(L, "pid");

    if (proc->handle.closed) {
        return ql_push_error(L, proc->handle.closed);
    }
    lua_pushinteger(L, proc->process->pid);
    return 1;
}

/* leave(self, boolean): what becomes of it when the handle is closed */
static int
process_leave(lua_State *L)
{
    process_check(L, "disown")->left = lua_toboolean(L, 2);
    return 0;
}

const luaL_Reg ql__process_functions[] = {
    {"wait", process_wait}, {"kill", process_kill},   {"stop", process_stop},
    {"pid", process_pid},   {"leave", process_leave}, {NULL, NULL}};
