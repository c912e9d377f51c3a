/*
 * signal.c: SIGINT and SIGTERM while the loop runs from a script: luajit's own
 * handler would kill whichever coroutine runs. The first cancels every task,
 * and the main chunk once its present wait is over; the second exits with
 * 128 + signo, also when a script never comes back to the loop. With a grace
 * configured one before these begins a graceful stop. SIGQUIT asks
 * for a dump of the tasks; a second one before that is written ends the process
 * as it always did. What is ignored stays ignored.
 *
 * The handler of the first one installs that of the second, so the state is
 * the disposition itself, which exec resets in children; and it sends the loop
 * a note, a real-time signal that is blocked here and read from a signalfd.
 */
#include "../base/state.h"

#include "core/sys.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int signals_caught[QL__SIGNALS] = {SIGINT, SIGTERM, SIGQUIT};

static const char *
signal_name(int signo)
{
    return signo == SIGINT ? "SIGINT" : "SIGTERM";
}

static int
signals_note(void)
{
    return SIGRTMIN + 8;
}

void
ql__signal_note(int signo)
{
    sigqueue(getpid(), signals_note(), (union sigval){.sival_int = signo});
}

bool
ql__signal_ours(int signo)
{
    return signo == SIGINT || signo == SIGTERM || signo == SIGQUIT;
}

/* Unless the process was started with it ignored. flags: SA_RESETHAND or 0. */
static void
signals_catch(int signo, void (*handler)(int), int flags, struct sigaction *old)
{
    struct sigaction act = {.sa_handler = handler,
                            .sa_flags = SA_RESTART | flags};

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

    signals_catch(SIGINT, on_second, 0, &old);
    signals_catch(SIGTERM, on_second, 0, &old);
    ql__signal_note(signo);
    errno = err;
}

/* Its disposition is the default again, until the dump is written. */
static void
on_quit(int signo)
{
    int err = errno;

    ql__signal_note(signo);
    errno = err;
}

static void
signals_catch_quit(struct sigaction *old)
{
    signals_catch(SIGQUIT, on_quit, SA_RESETHAND, old);
}

/* ------------------------------------------------------------ the loop ---- */

/* The dumper is a thread of its own, so that no frame of it shows. */
static void
signals_dump(ql_lua_t *lua)
{
    lua_State *L = lua->signals.dumper;
    struct sigaction old;

    if (L != NULL) {
        lua_pushvalue(L, 1);
        if (lua_pcall(L, 0, 0, 0) != 0) {
            ql_log_error(lua->loop, QL_LOG_ERR, 0, "SIGQUIT: no dump: %s",
                         lua_isstring(L, -1) ? lua_tostring(L, -1) : "?");
        }
        lua_settop(L, 1);
    }
    signals_catch_quit(&old);
}

/* The tasks have their time: the next signal cancels them, as the first one
 * does without. */
static void
signals_stop(ql_lua_t *lua, int signo)
{
    struct sigaction old;

    if (ql__stop_signalled(lua)) {
        signals_catch(SIGINT, on_first, 0, &old);
        signals_catch(SIGTERM, on_first, 0, &old);
    } else {
        lua->signals.received = signo;
        ql__task_cancel(&lua->root, signal_name(signo));
    }
}

/* A script has got it, and comes back to the loop: the next one of its kind is
 * its, too. */
static void
signals_again(ql_lua_t *lua, int signo)
{
    struct sigaction old;

    if (signo == SIGQUIT) {
        signals_catch_quit(&old);
    } else if (ql__signal_ours(signo) && lua->root.scope.cause == NULL) {
        signals_catch(SIGINT, on_first, 0, &old);
        signals_catch(SIGTERM, on_first, 0, &old);
    }
}

static void
signals_handle(ql_lua_t *lua, int signo)
{
    if (ql__taken_tell(lua, signo)) {
        signals_again(lua, signo);
    } else if (signo == SIGQUIT) {
        signals_dump(lua);
    } else if (ql__signal_ours(signo)) {
        signals_stop(lua, signo);
    }
}

/* The next note's signal; 0: there is none. */
static int
signals_read(ql_lua_t *lua)
{
    struct signalfd_siginfo info;

    return ql_loop_sys(lua->loop)->read(lua->signals.conn->fd, &info,
                                        sizeof(info))
                == (ssize_t) sizeof(info)
             ? info.ssi_int
             : 0;
}

static void
signals_handler(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    ql_lua_t *lua = c->data;
    int signo;

    ev->ready = 0;
    while ((signo = signals_read(lua)) != 0) {
        signals_handle(lua, signo);
    }
    ql__taken_wake(lua);
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

bool
ql__signals_listen(ql_lua_t *lua)
{
    ql_signals_t *signals = &lua->signals;
    sigset_t note, old;

    sigemptyset(&note);
    sigaddset(&note, signals_note());
    if (!signals_open(lua, &note)) {
        return false;
    }
    if (signals->listeners++ == 0) {
        pthread_sigmask(SIG_BLOCK, &note, &old);
        signals->note_blocked = sigismember(&old, signals_note()) == 1;
    }
    return true;
}

/* What has come while nobody looks: a note that is left would kill the process
 * once it is unblocked. */
static void
signals_drain(ql_lua_t *lua)
{
    ql_signals_t *signals = &lua->signals;
    int signo;

    while ((signo = signals_read(lua)) != 0) {
        if (ql__taken_tell(lua, signo)) {
            ql_post_event(lua->loop, &signals->conn->read);
        } else if (signo == SIGINT || signo == SIGTERM) {
            signals->received = signo;
        }
    }
}

void
ql__signals_unlisten(ql_lua_t *lua)
{
    ql_signals_t *signals = &lua->signals;
    sigset_t note;

    if (--signals->listeners != 0) {
        return;
    }
    signals_drain(lua);
    if (!signals->note_blocked) {
        sigemptyset(&note);
        sigaddset(&note, signals_note());
        pthread_sigmask(SIG_UNBLOCK, &note, NULL);
    }
}

void
ql__signals_refresh(ql_lua_t *lua)
{
    ql_signals_t *signals = &lua->signals;
    struct sigaction act = {.sa_handler = on_first, .sa_flags = SA_RESTART};

    if (signals->depth == 0 || !signals->caught) {
        return;
    }
    for (int i = 0; i < QL__SIGNALS; i++) {
        int signo = signals_caught[i];

        if (signals->old[i].sa_handler != SIG_IGN) {
            continue;
        }
        if (signals->taken[signo].takers == 0) {
            sigaction(signo, &signals->old[i], NULL);
        } else {
            act.sa_handler = signo == SIGQUIT ? on_quit : on_first;
            sigaction(signo, &act, NULL);
        }
    }
}

void
ql__signals_enter(ql_lua_t *lua)
{
    ql_signals_t *signals = &lua->signals;
    bool cancelled = lua->root.scope.cause != NULL;

    if (signals->depth++ != 0) {
        return;
    }
    signals->received = 0;
    signals->caught = ql__signals_listen(lua);
    if (!signals->caught) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        signals_catch(signals_caught[i], cancelled ? on_second : on_first, 0,
                      &signals->old[i]);
    }
    signals_catch_quit(&signals->old[2]);
    ql__signals_refresh(lua);
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
    signals_drain(lua);
    ql__signals_unlisten(lua);
    if (signals->received != 0) {
        ql__task_cancel(&lua->root, signal_name(signals->received));
    }
}

void
ql__signals_idle(ql_lua_t *lua)
{
    ql_task_t *root = &lua->root;

    if (root->scope.cause != NULL && root->state == QL_TASK_WAITING
        && root->innermost->cause != NULL && !root->event.posted
        && !ql__join_children(root))
    {
        ql_op_end(root->op, QL_E_CANCELLED);
    }
}

lua_State *
ql__callback_new(lua_State *L, const void *key)
{
    lua_State *callback;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_pushlightuserdata(L, (void *) (uintptr_t) key);
    callback = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, callback, 1);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return callback;
}

/* on_quit(fn): writes the dump that SIGQUIT asks for */
static int
signals_on_quit(lua_State *L)
{
    ql__upvalue(L)->signals.dumper = ql__callback_new(L, signals_caught);
    return 0;
}

/* signalled() -> "SIGINT" | "SIGTERM" | "stop" | nil: what cut the last run */
static int
signalled(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);

    if (lua->signals.received == 0 && !lua->stop.expired) {
        return 0;
    }
    lua_pushstring(L, lua->signals.received != 0
                          ? signal_name(lua->signals.received)
                          : "stop");
    return 1;
}

void
ql__signal_register(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {
        {"on_quit", signals_on_quit}, {"signalled", signalled}, {NULL, NULL}};

    ql__register(L, lua, fns);
}
