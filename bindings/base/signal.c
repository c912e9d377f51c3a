/*
 * signal.c: SIGINT and SIGTERM while the loop runs from a script: luajit's own
 * handler would kill whichever coroutine runs. The first cancels every task,
 * the second exits with 128 + signo, also when a script never comes back to
 * the loop. What is ignored stays ignored.
 *
 * The handler of the first one installs that of the second, so the state is
 * the disposition itself, which exec resets in children; and it sends the loop
 * a note, a real-time signal that is blocked here and read from a signalfd.
 */
#include "state.h"

#include "core/sys.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int signals_caught[QL__SIGNALS] = {SIGINT, SIGTERM};

const char *
ql__signal_name(int signo)
{
    return signo == SIGINT ? "SIGINT" : "SIGTERM";
}

static int
signals_note(void)
{
    return SIGRTMIN + 8;
}

/* Unless the process was started with it ignored. */
static void
signals_catch(int signo, void (*handler)(int), struct sigaction *old)
{
    struct sigaction act = {.sa_handler = handler, .sa_flags = SA_RESTART};

    /* Two that come at once: the second waits until the first has been. */
    for (int i = 0; i < QL__SIGNALS; i++) {
        sigaddset(&act.sa_mask, signals_caught[i]);
    }
    sigaction(signo, NULL, old);
    if (old->sa_handler != SIG_IGN) {
        sigaction(signo, &act, NULL);
    }
}

static void
on_second(int signo)
{
    _exit(128 + signo);
}

static void
on_first(int signo)
{
    int err = errno;
    struct sigaction old;

    for (int i = 0; i < QL__SIGNALS; i++) {
        signals_catch(signals_caught[i], on_second, &old);
    }
    sigqueue(getpid(), signals_note(), (union sigval){.sival_int = signo});
    errno = err;
}

/* ------------------------------------------------------------ the loop ---- */

static void
signals_handler(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    ql_lua_t *lua = c->data;
    struct signalfd_siginfo info;

    ev->ready = 0;
    if (ql_loop_sys(lua->loop)->read(c->fd, &info, sizeof(info))
        != (ssize_t) sizeof(info))
    {
        return;
    }
    lua->signals.received = info.ssi_int;
    ql__task_cancel(&lua->root, ql__signal_name(info.ssi_int));
}

/* The signalfd, kept until the loop ends. Without it the signals keep what
 * they did before. */
static bool
signals_open(ql_lua_t *lua, const sigset_t *note)
{
    const ql_sys_t *sys = ql_loop_sys(lua->loop);
    ql_connection_t *c;
    int fd;

    if (lua->signals.conn != NULL) {
        return true;
    }
    fd = sys->signalfd(-1, note, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd == -1) {
        ql_log_error(lua->loop, QL_LOG_ERR, errno, "signalfd() failed");
        return false;
    }
    c = ql_loop_init(lua->loop) == NGX_OK
          ? ql_get_pseudo_connection(lua->loop, fd)
          : NULL;
    if (c == NULL) {
        sys->close(fd);
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
    ql_signals_t *signals = &lua->signals;
    sigset_t note;

    if (signals->depth++ != 0) {
        return;
    }
    signals->received = 0;
    sigemptyset(&note);
    sigaddset(&note, signals_note());
    signals->caught = signals_open(lua, &note);
    if (!signals->caught) {
        return;
    }
    pthread_sigmask(SIG_BLOCK, &note, &signals->mask);
    for (int i = 0; i < QL__SIGNALS; i++) {
        signals_catch(signals_caught[i], on_first, &signals->old[i]);
    }
}

/* A note that nobody has read would kill the process once it is unblocked: it
 * came too late to cancel anything. */
static void
signals_forget(ql_lua_t *lua)
{
    struct signalfd_siginfo info;

    while (read(lua->signals.conn->fd, &info, sizeof(info)) > 0) {
        lua->signals.received = info.ssi_int;
    }
}

void
ql__signals_leave(ql_lua_t *lua)
{
    ql_signals_t *signals = &lua->signals;

    if (--signals->depth != 0 || !signals->caught) {
        return;
    }
    for (int i = 0; i < QL__SIGNALS; i++) {
        sigaction(signals_caught[i], &signals->old[i], NULL);
    }
    signals_forget(lua);
    pthread_sigmask(SIG_SETMASK, &signals->mask, NULL);
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
