/*
 * signal.c: SIGINT and SIGTERM while the loop runs from a script come by
 * signalfd: luajit's own handler would kill whichever coroutine runs. The
 * first cancels every task, the second exits with 128 + signo. What is
 * ignored stays ignored.
 */
#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* SIGINT and SIGTERM, unless the process was started with them ignored. */
static void
signals_set(sigset_t *set)
{
    static const int signos[] = {SIGINT, SIGTERM};
    struct sigaction act;

    sigemptyset(set);
    for (int i = 0; i < 2; i++) {
        if (sigaction(signos[i], NULL, &act) == 0 && act.sa_handler != SIG_IGN)
        {
            sigaddset(set, signos[i]);
        }
    }
}

static void
signals_received(ql_lua_t *lua, int signo)
{
    if (lua->signals.received != 0) {
        exit(128 + signo);
    }
    lua->signals.received = signo;
    ql__task_cancel(&lua->root, signo == SIGINT ? "SIGINT" : "SIGTERM");
}

static void
signals_read(ql_lua_t *lua)
{
    struct signalfd_siginfo info;

    while (read(lua->signals.conn->fd, &info, sizeof(info))
           == (ssize_t) sizeof(info))
    {
        signals_received(lua, (int) info.ssi_signo);
    }
}

static void
signals_handler(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;

    ev->ready = 0;
    signals_read(c->data);
}

/* The signalfd, kept until the loop ends. Without it the signals keep what
 * they did before. */
static bool
signals_open(ql_lua_t *lua, const sigset_t *set)
{
    ql_connection_t *c;
    int fd;

    if (lua->signals.conn != NULL) {
        return true;
    }
    fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd == -1) {
        ql_log_error(lua->loop, QL_LOG_ERR, errno, "signalfd() failed");
        return false;
    }
    c = ql_loop_init(lua->loop) == NGX_OK
          ? ql_get_pseudo_connection(lua->loop, fd)
          : NULL;
    if (c == NULL) {
        close(fd);
        return false;
    }
    c->data = lua;
    c->read.handler = signals_handler;
    if (ql_epoll_actions.add(lua->loop, &c->read, QL_READ_EVENT, QL_CLEAR_EVENT)
        != NGX_OK)
    {
        ql_close_connection(c);
        return false;
    }
    lua->signals.conn = c;
    return true;
}

void
ql__signals_enter(ql_lua_t *lua)
{
    sigset_t set;

    if (lua->signals.depth++ != 0) {
        return;
    }
    lua->signals.received = 0;
    signals_set(&set);
    if (signals_open(lua, &set)) {
        pthread_sigmask(SIG_BLOCK, &set, &lua->signals.saved);
    } else {
        pthread_sigmask(SIG_BLOCK, NULL, &lua->signals.saved);
    }
}

void
ql__signals_leave(ql_lua_t *lua)
{
    if (--lua->signals.depth == 0) {
        /* A second one that came while the tasks ended. */
        if (lua->signals.received != 0) {
            signals_read(lua);
        }
        pthread_sigmask(SIG_SETMASK, &lua->signals.saved, NULL);
    }
}

void
ql__signals_idle(ql_lua_t *lua)
{
    ql_task_t *root = &lua->root;

    if (lua->signals.received != 0 && root->state == QL_TASK_WAITING
        && !root->event.posted && !ql__join_children(root))
    {
        ql_op_end(root->op, QL_E_CANCELLED);
    }
}
