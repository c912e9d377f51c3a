/*
 * epoll_process.c: from the wait to handlers.
 */
#include "../core/loop.h"

#include <errno.h>
#include <limits.h>

enum {
    STALE_BURST = 64,   /* in one second: the set is built anew */
    STALE_PERIOD = 1000 /* ms */
};

/* Rounded up: a wait that ends too early would be followed by another. */
static int
wait_msec(uint64_t nsec)
{
    uint64_t ms = nsec / QL__MSEC + (nsec % QL__MSEC != 0);

    if (nsec == QL_TIMER_INFINITE) {
        return -1;
    }
    return ms > INT_MAX ? INT_MAX : (int) ms;
}

/* epoll_pwait2 came with Linux 5.11; the seccomp filter of a container may be
 * older. Then waits are whole milliseconds. */
static inline int
wait_events(ql_loop_t *loop, uint64_t nsec)
{
    struct timespec ts, *timeout = NULL;
    int n;

    if (!loop->wait_msec) {
        if (nsec != QL_TIMER_INFINITE) {
            ts.tv_sec = (time_t) (nsec / 1000000000);
            ts.tv_nsec = (long) (nsec % 1000000000);
            timeout = &ts;
        }
        n = loop->sys->epoll_pwait2(loop->ep, loop->event_list,
                                    (int) loop->nevents, timeout, NULL);
        if (n != -1 || (errno != ENOSYS && errno != EPERM)) {
            return n;
        }
        loop->wait_msec = true;
        ql_log_debug(loop, QL_DEBUG_EVENT, "epoll_pwait2() refused: %d", errno);
    }
    return loop->sys->epoll_wait(loop->ep, loop->event_list,
                                 (int) loop->nevents, wait_msec(nsec));
}

/* The wait failed, errno says why. Was it a tick, it goes on without them. */
static int __attribute__((cold)) wait_again(ql_loop_t *loop, uint64_t nsec)
{
    uint64_t timer;
    int n, err;

    if (errno != EINTR || !ql__tick_pause(loop)) {
        return -1;
    }
    ql_time_update(loop);
    timer = ql_event_find_timer(loop);
    n = wait_events(loop, timer < nsec ? timer : nsec);
    err = errno;
    ql__tick_resume(loop);
    ql_time_update(loop);
    errno = err;
    return n;
}

static bool
is_stale(const ql_connection_t *c, unsigned instance)
{
    return c->fd == -1 || c->read.instance != instance;
}

/* An event of a descriptor that was closed in this batch, or that lives on in
 * a duplicate which we cannot remove. */
static void
count_stale(ql_loop_t *loop, const ql_connection_t *c)
{
    loop->stats.stale++;
    if (loop->msec - loop->stale_since >= STALE_PERIOD) {
        loop->stale_since = loop->msec;
        loop->stale_burst = 0;
    }
    loop->stale_burst++;
    ql_log_debug(loop, QL_DEBUG_EVENT, "epoll: stale event %p",
                 (const void *) c);
}

/* After the batch: what is left of it refers to no set. */
static void
end_stale_burst(ql_loop_t *loop)
{
    ql_log_error(loop, QL_LOG_WARN, 0,
                 "%u stale events in a second, building the epoll set anew",
                 loop->stale_burst);
    loop->stale_burst = 0;
    loop->stale_since = loop->msec;
    (void) ql__epoll_rebuild(loop);
}

/* Nobody is parked on it. A level-triggered event would come again and again;
 * ql_handle_*_event() puts it back. */
static void
leave_ready(ql_loop_t *loop, ql_event_t *ev)
{
    bool again = !ev->clear && ev->active;

    ev->ready = 1;
    if (again) {
        (void) loop->actions->del(
            loop, ev, ev->write ? QL_WRITE_EVENT : QL_READ_EVENT, 0);
    }
}

static void
happened(ql_loop_t *loop, ql_event_t *ev, uint32_t flags)
{
    if (ev->oneshot) {
        ev->active = 0;
    }
    if (ev->handler == NULL) {
        leave_ready(loop, ev);
        return;
    }
    if ((flags & QL_POST_THREAD_EVENTS) && !ev->accept) {
        ev->posted_ready = 1;
        ql_post_event(loop, ev);
        return;
    }
    ev->ready = 1;
    if (flags & (QL_POST_EVENTS | QL_POST_THREAD_EVENTS)) {
        ql_post_event(loop, ev);
    } else {
        ev->handler(ev);
    }
}

/* The kernel mutes the whole entry when a oneshot event fires: the direction
 * that did not fire is watched again. */
static void
rewatch(ql_loop_t *loop, ql_connection_t *c, unsigned instance)
{
    ql_event_t *ev = c->read.active ? &c->read : &c->write;

    if (is_stale(c, instance) || !ev->active) {
        return;
    }
    (void) loop->actions->add(
        loop, ev, ev->write ? QL_WRITE_EVENT : QL_READ_EVENT,
        (ev->clear ? QL_CLEAR_EVENT : 0)
            | (ev->oneshot ? (uint32_t) QL_ONESHOT_EVENT : 0));
}

static void
deliver(ql_loop_t *loop, const struct epoll_event *ee, uint32_t flags)
{
    unsigned instance = (uintptr_t) ee->data.ptr & 1;
    ql_connection_t *c = (void *) ((char *) ee->data.ptr - instance);
    uint32_t revents = ee->events;
    bool oneshot;

    if (is_stale(c, instance)) {
        count_stale(loop, c);
        return;
    }
    loop->stats.events++;
    oneshot = c->read.oneshot || c->write.oneshot;
    ql_log_debug(loop, QL_DEBUG_EVENT, "epoll: fd:%d ev:%04X", c->fd, revents);
    if (revents & (EPOLLERR | EPOLLHUP)) {
        ql_log_debug(loop, QL_DEBUG_EVENT,
                     "epoll_wait() error on fd:%d ev:%04X", c->fd, revents);
        revents |= EPOLLIN | EPOLLOUT;
    }
    if (revents & EPOLLPRI) {
        c->urgent = 1;
    }
    if ((revents & EPOLLIN) && c->read.active) {
        if (revents & EPOLLRDHUP) {
            c->read.pending_eof = 1;
        }
        c->read.available = -1;
        happened(loop, &c->read, flags);
    }
    if ((revents & EPOLLOUT) && c->write.active) {
        /* The read half may have closed it and its struct may be in use
         * again. */
        if (is_stale(c, instance)) {
            count_stale(loop, c);
            return;
        }
        happened(loop, &c->write, flags);
    }
    if (oneshot) {
        rewatch(loop, c, instance);
    }
}

/* errno as epoll_wait left it. EINTR without the alarm is left to the caller:
 * some signal wants to be looked at. */
static int
wait_failed(ql_loop_t *loop, bool alarm)
{
    if (errno == EINTR) {
        if (alarm) {
            return NGX_OK;
        }
        ql_log_error(loop, QL_LOG_INFO, EINTR, "epoll_wait() interrupted");
    } else {
        ql_log_error(loop, QL_LOG_ALERT, errno, "epoll_wait() failed");
    }
    return NGX_ERROR;
}

int
ql_epoll_process_events(ql_loop_t *loop, uint64_t timer, uint32_t flags)
{
    int i, n, err;
    bool alarm;

    QL_CHECK_THREAD(loop);
    ql_log_debug(loop, QL_DEBUG_EVENT, "epoll timer: %lld ns",
                 (long long) timer);
    ql__connections_recycle(loop);
    n = wait_events(loop, timer);
    err = errno;
    alarm = loop->timer_alarm != 0;
    if ((flags & QL_UPDATE_TIME) || alarm) {
        loop->timer_alarm = 0;
        ql_time_update(loop);
    }
    if (n == -1) {
        errno = err;
        n = wait_again(loop, timer);
        if (n == -1) {
            return wait_failed(loop, alarm);
        }
    }
    if (n == 0 && timer == QL_TIMER_INFINITE) {
        ql_log_error(loop, QL_LOG_ALERT, 0,
                     "epoll_wait() returned no events without timeout");
        errno = EIO;
        return NGX_ERROR;
    }
    /* A handler may grow the list: it is looked up for each event. */
    for (i = 0; i < n; i++) {
        deliver(loop, &loop->event_list[i], flags);
    }
    if (loop->stale_burst >= STALE_BURST) {
        end_stale_burst(loop);
    }
    return NGX_OK;
}
