/*
 * process.c: a process from its start to its end, by its pidfd: readable once
 * it has ended, it names this process and no other that has its number later.
 * waitid(P_PIDFD) reaps it and nobody else's child.
 */
#include "process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

enum {
    NS = 1000000, /* in a ms */
    KILLED = 1000 /* ms that a killed process gets to end */
};

static void
process_free(ql_process_t *p)
{
    ql_loop_t *loop = p->loop;

    ql_del_timer(loop, &p->timer);
    ql_delete_posted_event(loop, &p->timer);
    ql_queue_remove(&p->link);
    ql_close_connection(p->connection);
    loop->stats.processes_live--;
    ql__free(loop, p);
}

static int
forked(const ql_process_t *p)
{
    return p->loop->sys->getpid() != p->parent;
}

/* Linux 6.9 has a flag for the group, which holds also when its leader is
 * gone; before that the number is the leader's as long as it is not reaped. */
static int
send_group(ql_process_t *p, int signo)
{
    enum {
        PROCESS_GROUP = 1 << 2 /* PIDFD_SIGNAL_PROCESS_GROUP */
    };
    const ql_sys_t *sys = p->loop->sys;

    if (sys->pidfd_send_signal(p->connection->fd, signo, PROCESS_GROUP) == 0) {
        return NGX_OK;
    }
    if (errno == EINVAL && p->ended == QL_PROCESS_RUNS) {
        return sys->kill(-p->pid, signo) == -1 ? NGX_ERROR : NGX_OK;
    }
    if (errno == EINVAL) {
        errno = ESRCH;
    }
    return NGX_ERROR;
}

int
ql_process_kill(ql_process_t *p, int signo, int group)
{
    QL_CHECK_THREAD(p->loop);
    if (forked(p)) {
        errno = ECHILD;
        return NGX_ERROR;
    }
    if (group) {
        return send_group(p, signo);
    }
    return p->loop->sys->pidfd_send_signal(p->connection->fd, signo, 0) == -1
             ? NGX_ERROR
             : NGX_OK;
}

/* Nothing is left that a signal could reach. */
static int
gone(ql_process_t *p)
{
    return p->ended != QL_PROCESS_RUNS
        && (!p->group || ql_process_kill(p, 0, 1) != NGX_OK);
}

/* Nothing is left to do for it: what has got SIGKILL need not be seen to go. */
static int
finished(ql_process_t *p)
{
    return p->ended != QL_PROCESS_RUNS
        && (p->left || (p->stopping && !p->timer.timer_set) || gone(p));
}

/* ---------------------------------------------------------- its end ---- */

/* Somebody else reaped it, or SIGCHLD is ignored. Since Linux 6.15 the pidfd
 * knows all the same. false: not yet; the pidfd tells once more then. */
static bool
ask_pidfd(ql_process_t *p)
{
    int status;

    if (p->loop->sys->pidfd_status(p->connection->fd, &status) == -1) {
        if (errno == EAGAIN) {
            return false;
        }
        p->ended = QL_PROCESS_UNKNOWN;
        return true;
    }
    p->ended = WIFSIGNALED(status) ? QL_PROCESS_SIGNALED : QL_PROCESS_EXITED;
    p->status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}

/* true: it has ended. */
static bool
reap(ql_process_t *p)
{
    siginfo_t info = {0};

    if (p->loop->sys->waitid(P_PIDFD, (id_t) p->connection->fd, &info,
                             WEXITED | WNOHANG)
        == -1)
    {
        return errno == ECHILD && ask_pidfd(p);
    }
    if (info.si_pid == 0) {
        return false;
    }
    p->ended = info.si_code == CLD_EXITED ? QL_PROCESS_EXITED
                                          : QL_PROCESS_SIGNALED;
    p->status = info.si_status;
    return true;
}

static void
process_ended(ql_process_t *p)
{
    if (!p->stopping) {
        ql_del_timer(p->loop, &p->timer);
    }
    if (p->released) {
        if (finished(p)) {
            process_free(p);
        }
    } else if (p->handler != NULL) {
        p->handler(p);
    }
}

static void
on_end(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    ql_process_t *p = c->data;

    ev->ready = 0;
    if (p->ended == QL_PROCESS_RUNS && reap(p)) {
        process_ended(p);
    }
}

/* ---------------------------------------------------------- stopping ---- */

static void
on_timer(ql_event_t *ev)
{
    ql_process_t *p = ev->data;

    ev->timedout = 0;
    if (!p->stopping) {
        p->timedout = 1;
        ql_process_stop(p);
        return;
    }
    (void) ql_process_kill(p, SIGKILL, p->group);
    if (p->released && finished(p)) {
        process_free(p);
    }
}

void
ql_process_timeout(ql_process_t *p, uint64_t nsec)
{
    QL_CHECK_THREAD(p->loop);
    if (!p->stopping && p->ended == QL_PROCESS_RUNS) {
        ql_add_timer_nsec(p->loop, &p->timer, nsec);
    }
}

void
ql_process_stop(ql_process_t *p)
{
    QL_CHECK_THREAD(p->loop);
    if (p->stopping || gone(p)) {
        return;
    }
    p->stopping = 1;
    (void) ql_process_kill(p, p->signo, p->group);
    ql_add_timer_nsec(p->loop, &p->timer, p->grace);
}

void
ql_process_release(ql_process_t *p, int leave)
{
    QL_CHECK_THREAD(p->loop);
    p->released = 1;
    p->left = leave != 0;
    p->handler = NULL;
    if (leave) {
        ql_del_timer(p->loop, &p->timer);
    } else {
        ql_process_stop(p);
    }
    if (finished(p)) {
        process_free(p);
    }
}

/* --------------------------------------------------- start and the loop ---- */

ql_process_t *
ql__process_create(ql_loop_t *loop, pid_t pid, int pidfd)
{
    ql_process_t *p = ql__alloc(loop, sizeof(*p));

    if (p == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    *p = (ql_process_t){.loop = loop,
                        .pid = pid,
                        .parent = loop->sys->getpid(),
                        .signo = SIGTERM,
                        .timer = {.data = p, .handler = on_timer}};
    p->connection = ql_get_pseudo_connection(loop, pidfd);
    if (p->connection == NULL) {
        ql__free(loop, p);
        return NULL;
    }
    p->connection->data = p;
    p->connection->read.handler = on_end;
    if (ql_epoll_actions.add(loop, &p->connection->read, QL_READ_EVENT,
                             QL_CLEAR_EVENT)
        != NGX_OK)
    {
        ql_free_connection(p->connection);
        ql__free(loop, p);
        return NULL;
    }
    ql_queue_insert_tail(&loop->processes, &p->link);
    loop->stats.processes++;
    loop->stats.processes_live++;
    return p;
}

/* Until it has ended, ms at most. */
static void
wait_for(ql_process_t *p, uint64_t ms)
{
    struct pollfd pfd = {.fd = p->connection->fd, .events = POLLIN};

    (void) p->loop->sys->poll(&pfd, 1, (int) ms);
    (void) reap(p);
}

static void
end_now(ql_process_t *p)
{
    uint64_t now = ql_nsec(p->loop);

    ql_process_stop(p);
    if (p->ended == QL_PROCESS_RUNS) {
        wait_for(p, p->timer.due > now ? (p->timer.due - now) / NS + 1 : 0);
    }
    (void) ql_process_kill(p, SIGKILL, p->group);
    if (p->ended == QL_PROCESS_RUNS) {
        wait_for(p, KILLED);
    }
}

void
ql__processes_done(ql_loop_t *loop)
{
    ql_queue_t *q;

    ql_time_update(loop);
    /* All of them are told first: their graces run side by side. */
    for (q = loop->processes.next; q != &loop->processes; q = q->next) {
        ql_process_t *p = ql_queue_data(q, ql_process_t, link);

        if (!p->left && !forked(p)) {
            ql_process_stop(p);
        }
    }
    while (!ql_queue_empty(&loop->processes)) {
        ql_process_t *p = ql_queue_data(loop->processes.next, ql_process_t,
                                        link);

        if (!p->left && !forked(p)) {
            end_now(p);
        }
        process_free(p);
    }
}
