/*
 * epoll_ctl.c: who is in the epoll set. The bits of a connection's two events
 * say what its entry has to be; every call brings the entry in line with them.
 * In a forked child that has not made its own set yet the set is the parent's
 * and must not be touched.
 */
#include "../core/loop.h"

#include <errno.h>

/* A oneshot event that fired has left an entry that watches nothing. */
static bool
has_entry(const ql_connection_t *c)
{
    return c->read.active || c->write.active || c->read.oneshot
        || c->write.oneshot;
}

static uint32_t
wanted(const ql_connection_t *c)
{
    const ql_event_t *rev = &c->read, *wev = &c->write;
    uint32_t events = 0;

    if (rev->active) {
        events |= rev->exclusive ? (uint32_t) EPOLLIN | EPOLLEXCLUSIVE
                                 : (uint32_t) QL_READ_EVENT;
        /* Level-triggered, what nobody reads would be told again and again. */
        events |= rev->clear ? EPOLLET | EPOLLPRI : 0;
        events |= rev->oneshot ? EPOLLONESHOT : 0;
    }
    if (wev->active) {
        events |= QL_WRITE_EVENT;
        events |= wev->clear ? EPOLLET : 0;
        events |= wev->oneshot ? EPOLLONESHOT : 0;
    }
    return events;
}

/* what: for the debug log, "add event". */
static int
ctl(ql_connection_t *c, int op, const char *what)
{
    ql_loop_t *loop = c->loop;
    struct epoll_event ee;

    ee.events = op == EPOLL_CTL_DEL ? 0 : wanted(c);
    ee.data.ptr = (char *) c + c->read.instance;
    ql_log_debug(loop, QL_DEBUG_EVENT, "epoll %s: fd:%d op:%d ev:%08X", what,
                 c->fd, op, ee.events);
    loop->stats.epoll_ctl++;
    if (loop->sys->epoll_ctl(loop->ep, op, c->fd, &ee) == 0) {
        return NGX_OK;
    }
    if (op == EPOLL_CTL_DEL && (errno == ENOENT || errno == EBADF)) {
        return NGX_OK; /* closed behind our back: it is out */
    }
    ql_log_error(loop, QL_LOG_ERR, errno, "epoll_ctl(%d, %d) failed", op,
                 c->fd);
    return NGX_ERROR;
}

int
ql__epoll_enter(ql_connection_t *c)
{
    if (!c->read.active) {
        c->read.oneshot = 0;
    }
    if (!c->write.active) {
        c->write.oneshot = 0;
    }
    return ctl(c, EPOLL_CTL_ADD, "enter");
}

static int
own_set(ql_loop_t *loop)
{
    return ql__loop_owned(loop) ? NGX_OK : ql_loop_init(loop);
}

/* close(2) takes the entry out, unless somebody else has the descriptor. */
static bool
closing_suffices(const ql_connection_t *c, uint32_t flags)
{
    return (flags & QL_CLOSE_EVENT) != 0 && !c->shared && !c->borrowed;
}

int
ql_epoll_add_event(ql_loop_t *loop, ql_event_t *ev, uint32_t event,
                   uint32_t flags)
{
    ql_connection_t *c = ev->data;
    ql_event_t before;
    int op;

    (void) event;
    QL_CHECK_THREAD(loop);
    QL_CHECK_EVENT(ev);
    if (own_set(loop) != NGX_OK) {
        return NGX_ERROR;
    }
    before = *ev;
    op = has_entry(c) ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    ev->active = 1;
    ev->clear = (flags & QL_CLEAR_EVENT) != 0;
    ev->oneshot = (flags & QL_ONESHOT_EVENT) != 0;
    ev->exclusive = (flags & QL_EXCLUSIVE_EVENT) != 0;
    if (ctl(c, op, "add event") != NGX_OK) {
        *ev = before;
        return NGX_ERROR;
    }
    return NGX_OK;
}

int
ql_epoll_del_event(ql_loop_t *loop, ql_event_t *ev, uint32_t event,
                   uint32_t flags)
{
    ql_connection_t *c = ev->data;
    ql_event_t before = *ev;
    int op;

    (void) event;
    QL_CHECK_THREAD(loop);
    QL_CHECK_EVENT(ev);
    if (!ev->active && !ev->oneshot) {
        return NGX_OK;
    }
    ev->active = 0;
    ev->oneshot = 0;
    if (closing_suffices(c, flags) || !ql__loop_owned(loop)) {
        return NGX_OK;
    }
    op = has_entry(c) ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
    if (ctl(c, op, "del event") != NGX_OK) {
        *ev = before;
        return NGX_ERROR;
    }
    return NGX_OK;
}

int
ql_epoll_enable_event(ql_loop_t *loop, ql_event_t *ev, uint32_t event,
                      uint32_t flags)
{
    QL_CHECK_THREAD(loop);
    QL_CHECK_EVENT(ev);
    if (ql_epoll_add_event(loop, ev, event, flags) != NGX_OK) {
        return NGX_ERROR;
    }
    ev->disabled = 0;
    return NGX_OK;
}

int
ql_epoll_disable_event(ql_loop_t *loop, ql_event_t *ev, uint32_t event,
                       uint32_t flags)
{
    QL_CHECK_THREAD(loop);
    QL_CHECK_EVENT(ev);
    if (ql_epoll_del_event(loop, ev, event, flags) != NGX_OK) {
        return NGX_ERROR;
    }
    ev->disabled = 1;
    return NGX_OK;
}

int
ql_epoll_add_connection(ql_loop_t *loop, ql_connection_t *c)
{
    ql_event_t rev, wev;
    int op;

    QL_CHECK_THREAD(loop);
    if (own_set(loop) != NGX_OK) {
        return NGX_ERROR;
    }
    rev = c->read;
    wev = c->write;
    op = has_entry(c) ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    c->read.active = c->write.active = 1;
    c->read.clear = c->write.clear = 1;
    c->read.oneshot = c->write.oneshot = 0;
    if (ctl(c, op, "add connection") != NGX_OK) {
        c->read = rev;
        c->write = wev;
        return NGX_ERROR;
    }
    return NGX_OK;
}

int
ql_epoll_del_connection(ql_loop_t *loop, ql_connection_t *c, uint32_t flags)
{
    ql_event_t rev = c->read, wev = c->write;

    QL_CHECK_THREAD(loop);
    if (!has_entry(c)) {
        return NGX_OK;
    }
    c->read.active = c->write.active = 0;
    c->read.oneshot = c->write.oneshot = 0;
    if (closing_suffices(c, flags) || !ql__loop_owned(loop)) {
        return NGX_OK;
    }
    if (ctl(c, EPOLL_CTL_DEL, "del connection") != NGX_OK) {
        c->read = rev;
        c->write = wev;
        return NGX_ERROR;
    }
    return NGX_OK;
}
