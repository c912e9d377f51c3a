/*
 * accept.c: from a listener's event to its queue of connections. A listener
 * leaves the epoll set while its queue is full or holds what is wanted; all of
 * them leave it while descriptors, memory or connections have run out.
 */
#include "../core/loop.h"

#include <errno.h>
#include <string.h>

static uint32_t
enter_flags(const ql_listening_t *ls)
{
    return ls->exclusive ? QL_EXCLUSIVE_EVENT : QL_LEVEL_EVENT;
}

static void
leave(ql_listening_t *ls)
{
    ql_loop_t *loop = ls->loop;
    ql_event_t *rev = &ls->connection->read;

    (void) loop->actions->disable(loop, rev, QL_READ_EVENT, 0);
    rev->ready = 0;
    ql_delete_posted_event(loop, rev);
}

void
ql__listening_enter(ql_listening_t *ls)
{
    ql_loop_t *loop = ls->loop;

    if (loop->actions->enable(loop, &ls->connection->read, QL_READ_EVENT,
                              enter_flags(ls))
        != NGX_OK)
    {
        ls->paused = 1;
        ql_add_timer(loop, &loop->accept_retry, loop->conf.accept_delay);
    }
}

/* Unless something else keeps it out. */
static void
come_back(ql_listening_t *ls)
{
    if (ls->connection != NULL && !ls->full && !ls->paused && !ls->idle) {
        ql__listening_enter(ls);
    }
}

static bool
sated(const ql_listening_t *ls)
{
    return ls->queued >= ls->wanted;
}

/* At the end of the turn: who takes a connection mostly waits for the next
 * one before that. */
static void
unsettle(ql_listening_t *ls)
{
    if (sated(ls) != ls->idle && ls->connection != NULL) {
        ql_post_last_event(ls->loop, &ls->settle);
    }
}

static void
settle_handler(ql_event_t *ev)
{
    ql_listening_t *ls = ev->data;

    if (ls->connection == NULL || sated(ls) == ls->idle) {
        return;
    }
    ls->idle = !ls->idle;
    if (!ls->idle) {
        come_back(ls);
    } else if (!ls->full && !ls->paused) {
        leave(ls);
    }
}

void
ql__listening_init(ql_listening_t *ls)
{
    ql_queue_init(&ls->accepted);
    ls->wanted = UINT32_MAX;
    ls->settle.data = ls;
    ls->settle.handler = settle_handler;
}

void
ql_listening_want(ql_listening_t *ls, uint32_t n)
{
    QL_CHECK_THREAD(ls->loop);
    ls->wanted = n;
    unsettle(ls);
}

static void
pause_all(ql_loop_t *loop)
{
    ql_listening_t *ls;
    ql_queue_t *q;

    for (q = loop->listenings.next; q != &loop->listenings; q = q->next) {
        ls = ql_queue_data(q, ql_listening_t, link);
        if (ls->connection != NULL && !ls->paused) {
            ls->paused = 1;
            leave(ls);
        }
    }
    loop->stats.accept_pauses++;
    ql_add_timer(loop, &loop->accept_retry, loop->conf.accept_delay);
}

static void
resume_all(ql_loop_t *loop)
{
    ql_listening_t *ls;
    ql_queue_t *q;

    for (q = loop->listenings.next; q != &loop->listenings; q = q->next) {
        ls = ql_queue_data(q, ql_listening_t, link);
        if (ls->connection != NULL && ls->paused) {
            ls->paused = 0;
            come_back(ls);
        }
    }
}

void
ql__accept_resume(ql_loop_t *loop)
{
    if (loop->accept_retry.timer_set) {
        ql_del_timer(loop, &loop->accept_retry);
        resume_all(loop);
    }
}

static void
retry_handler(ql_event_t *ev)
{
    ev->timedout = 0;
    resume_all(ev->data);
}

void
ql__listenings_init(ql_loop_t *loop)
{
    ql_queue_init(&loop->listenings);
    loop->accept_retry.data = loop;
    loop->accept_retry.handler = retry_handler;
    loop->accept_retry.cancelable = 1;
}

/* The listener itself is gone. When the number is no socket any more it is
 * somebody else's and must not be closed. */
static int
die(ql_listening_t *ls, int err)
{
    ql_connection_t *c = ls->connection;

    ql_log_error(ls->loop, QL_LOG_ERR, err, "listener fd:%d is dead", c->fd);
    ls->err = err;
    ls->connection = NULL;
    if (err != EINVAL) {
        c->read.active = 0;
        c->borrowed = 1;
    }
    ql_close_connection(c);
    return NGX_ERROR;
}

static int
run_out(ql_listening_t *ls, int err, const char *what)
{
    ql_loop_t *loop = ls->loop;

    ql_log_error(loop, QL_LOG_WARN, err, "%s, no accept for %u ms", what,
                 loop->conf.accept_delay);
    pause_all(loop);
    return NGX_BUSY;
}

/* NGX_DECLINED: that one connection failed (see accept(2)), go on. */
static int
accept_failed(ql_listening_t *ls, int err)
{
    switch (err) {
    case EAGAIN:
        return NGX_AGAIN;
    case EINTR:
        return NGX_DECLINED;
    default:
        break;
    }
    ls->loop->stats.accept_errors++;
    switch (err) {
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
        ql_log_error(ls->loop, QL_LOG_INFO, err, "accept4() failed");
        return NGX_DECLINED;
    case EINVAL:
    case EBADF:
    case ENOTSOCK:
        return die(ls, err);
    default:
        return run_out(ls, err, "accept4() failed");
    }
}

static int
enqueue(ql_listening_t *ls, int fd, const ql_sockaddr_t *peer)
{
    ql_loop_t *loop = ls->loop;
    ql__peer_t *counted = NULL;
    ql_connection_t *c;

    if (ls->limits != NULL) {
        counted = ql__limits_enter(ls->limits, peer);
        if (counted == NULL) {
            (void) loop->sys->close(fd);
            return NGX_DECLINED;
        }
    }
    c = ql_get_connection(loop, fd);
    if (c == NULL) {
        if (counted != NULL) {
            ql__limits_leave(counted);
        }
        (void) loop->sys->close(fd);
        return run_out(ls, ENOMEM, "connection dropped");
    }
    c->peer_count = counted;
    if (peer->u.sa.sa_family == AF_UNIX) {
        c->peer.sa.sa_family = AF_UNIX;
    } else {
        memcpy(&c->peer, &peer->u, sizeof(c->peer));
    }
    c->listening = ls;
    ql_queue_insert_tail(&ls->accepted, &c->queue);
    ls->queued++;
    unsettle(ls);
    loop->stats.accepted++;
    ql_log_debug(loop, QL_DEBUG_ACCEPT, "accept: fd:%d *%llu", fd,
                 (unsigned long long) c->number);
    return NGX_OK;
}

static int
accept_one(ql_listening_t *ls)
{
    ql_loop_t *loop = ls->loop;
    ql_sockaddr_t peer;
    int fd;

    if (!ql__connections_left(loop)) {
        return run_out(ls, 0, "worker_connections are not enough");
    }
    peer.len = sizeof(peer.u);
    fd = loop->sys->accept4(ls->connection->fd, &peer.u.sa, &peer.len,
                            SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd == -1) {
        return accept_failed(ls, errno);
    }
    return enqueue(ls, fd, &peer);
}

void
ql_event_accept(ql_event_t *ev)
{
    ql_connection_t *lc = ev->data;
    ql_listening_t *ls = lc->listening;
    ql_loop_t *loop = ls->loop;
    uint32_t left = loop->conf.multi_accept, before = ls->queued;
    int rc = NGX_OK;

    QL_CHECK_THREAD(loop);
    ev->ready = 0; /* level-triggered: it comes again */
    while (left > 0 && ls->queued < loop->conf.accept_queue && !sated(ls)
           && (rc == NGX_OK || rc == NGX_DECLINED))
    {
        rc = accept_one(ls);
        left--;
    }
    if (ls->connection != NULL && !ls->paused && !ls->full
        && ls->queued >= loop->conf.accept_queue)
    {
        ls->full = 1;
        leave(ls);
    }
    /* Last: the handler may close the listener. */
    if (ls->handler != NULL && (ls->queued != before || rc == NGX_ERROR)) {
        ls->handler(ls);
    }
}

void
ql_accept_now(ql_listening_t *ls)
{
    int rc = NGX_DECLINED;

    QL_CHECK_THREAD(ls->loop);
    while (rc == NGX_DECLINED && ls->connection != NULL && !ls->paused
           && ls->queued < ls->loop->conf.accept_queue)
    {
        rc = accept_one(ls);
    }
}

void
ql__accept_rest(ql_listening_t *ls)
{
    int rc = NGX_OK;

    while (ls->queued < ls->loop->conf.accept_queue
           && (rc == NGX_OK || rc == NGX_DECLINED))
    {
        rc = accept_one(ls);
    }
}

ql_connection_t *
ql_accept(ql_listening_t *ls)
{
    ql_connection_t *c;

    QL_CHECK_THREAD(ls->loop);
    if (ql_queue_empty(&ls->accepted)) {
        return NULL;
    }
    c = ql_queue_data(ls->accepted.next, ql_connection_t, queue);
    ql_queue_remove(&c->queue);
    c->listening = NULL;
    ls->queued--;
    unsettle(ls);
    if (ls->full && ls->queued <= ls->loop->conf.accept_queue / 2) {
        ls->full = 0;
        come_back(ls);
    }
    return c;
}
