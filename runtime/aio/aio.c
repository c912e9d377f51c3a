/*
 * aio.c: the bridge from the kernel's AIO to epoll. Every iocb carries the
 * bridge's eventfd; its read event harvests what is complete and posts it.
 */
#include "../core/loop.h"

#include <errno.h>
#include <sys/eventfd.h>

enum {
    HARVEST = 64 /* completions an io_getevents */
};

static void
retry_handler(ql_event_t *ev)
{
    ql_loop_t *loop = ev->data;

    loop->aio.blocked = false;
}

void
ql__aio_create(ql_loop_t *loop)
{
    ql_aio_t *aio = &loop->aio;

    *aio = (ql_aio_t){.eventfd = -1};
    ql_queue_init(&aio->gathered);
    ql_queue_init(&aio->kernel);
    aio->retry.data = loop;
    aio->retry.handler = retry_handler;
}

static int
open_context(ql_loop_t *loop)
{
    ql_aio_t *aio = &loop->aio;
    int rc;

    aio->eventfd = loop->sys->eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (aio->eventfd == -1) {
        ql_log_error(loop, QL_LOG_ERR, errno, "eventfd() failed");
        return NGX_ERROR;
    }
    rc = loop->sys->io_setup((int) loop->conf.epoll.aio_requests, &aio->ctx);
    if (rc < 0) {
        ql_log_error(loop, QL_LOG_WARN, -rc,
                     "io_setup(%u) failed, no direct reads",
                     loop->conf.epoll.aio_requests);
        aio->ctx = 0;
        aio->refused = true;
        return NGX_DECLINED;
    }
    aio->requests = loop->conf.epoll.aio_requests;
    return NGX_OK;
}

static int
register_eventfd(ql_loop_t *loop)
{
    ql_aio_t *aio = &loop->aio;

    aio->conn = ql_get_pseudo_connection(loop, aio->eventfd);
    if (aio->conn == NULL) {
        return NGX_ERROR;
    }
    aio->conn->read.handler = ql_aio_eventfd_handler;
    return loop->actions->add(loop, &aio->conn->read, QL_READ_EVENT,
                              QL_CLEAR_EVENT);
}

/* Everything but the context, in reverse order of ql_aio_init(). */
static void
release(ql_loop_t *loop)
{
    ql_aio_t *aio = &loop->aio;

    if (aio->conn != NULL) {
        ql_close_connection(aio->conn);
        aio->conn = NULL;
    } else if (aio->eventfd != -1) {
        loop->sys->close(aio->eventfd);
    }
    aio->eventfd = -1;
    ql__free(loop, aio->batch);
    aio->batch = NULL;
}

int
ql_aio_init(ql_loop_t *loop)
{
    ql_aio_t *aio = &loop->aio;
    int rc;

    QL_CHECK_THREAD(loop);
    if (ql_loop_init(loop) != NGX_OK) {
        return NGX_ERROR;
    }
    if (aio->ctx != 0) {
        return NGX_OK;
    }
    if (aio->refused) {
        return NGX_DECLINED;
    }
    rc = NGX_ERROR;
    aio->batch = ql__alloc(loop,
                           loop->conf.epoll.aio_requests * sizeof(*aio->batch));
    if (aio->batch == NULL) {
        errno = ENOMEM;
        goto failed;
    }
    rc = open_context(loop);
    if (rc != NGX_OK) {
        goto failed;
    }
    rc = register_eventfd(loop);
    if (rc != NGX_OK) {
        loop->sys->io_destroy(aio->ctx);
        aio->ctx = 0;
        goto failed;
    }
    ql_log_debug(loop, QL_DEBUG_AIO, "eventfd: %d", aio->eventfd);
    return NGX_OK;

failed:
    release(loop);
    return rc;
}

void
ql__aio_complete(ql_event_aio_t *aio, int64_t res)
{
    ql_event_t *ev = &aio->event;
    ql_file_t *file = aio->file;

    ql_queue_remove(&aio->link);
    aio->gathered = 0;
    aio->res = res;
    aio->err = res < 0 ? (int) -res : 0;
    ev->complete = 1;
    ev->active = 0;
    ev->ready = 1;
    ql__deliver(file->loop, ev);
    ql__file_release(file);
}

static void
reap(ql_loop_t *loop, const struct io_event *e)
{
    ql_event_aio_t *aio = e->data;
    int64_t res = (long) e->res;

    ql_log_debug(loop, QL_DEBUG_AIO, "io_event: %p res:%lld", (void *) aio,
                 (long long) res);
    loop->aio.in_flight--;
    loop->stats.aio_reaped++;
    ql__aio_complete(aio, res);
}

/* One batch; NGX_ERROR or how many. */
static int
harvest(ql_loop_t *loop, long min, struct timespec *timeout)
{
    struct io_event events[HARVEST];
    int i, n;

    do {
        n = loop->sys->io_getevents(loop->aio.ctx, min, HARVEST, events,
                                    timeout);
    } while (n == -EINTR);
    ql_log_debug(loop, QL_DEBUG_AIO, "io_getevents: %d", n);
    if (n < 0) {
        ql_log_error(loop, QL_LOG_ALERT, -n, "io_getevents() failed");
        return NGX_ERROR;
    }
    for (i = 0; i < n; i++) {
        reap(loop, &events[i]);
    }
    if (n > 0) {
        loop->aio.blocked = false;
    }
    return n;
}

/* The count is no promise: completions that came before the read of the
 * eventfd may have been reaped, others come after it. */
void
ql_aio_eventfd_handler(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    ql_loop_t *loop = c->loop;
    struct timespec now = {0, 0};
    uint64_t count;
    ssize_t n;

    QL_CHECK_THREAD(loop);
    /* Posted before a fork: the context is the parent's. */
    if (!ql__loop_owned(loop)) {
        return;
    }
    ev->ready = 0;
    do {
        n = loop->sys->read(c->fd, &count, sizeof(count));
    } while (n == -1 && errno == EINTR);
    ql_log_debug(loop, QL_DEBUG_AIO, "eventfd handler: %zd", n);
    if (n == -1 && errno != EAGAIN) {
        ql_log_error(loop, QL_LOG_ALERT, errno, "read(eventfd) failed");
    }
    while (harvest(loop, 0, &now) > 0) {
    }
}

/* false: the deadline came first. */
static bool
drain(ql_loop_t *loop)
{
    uint64_t deadline, left;
    struct timespec timeout;

    ql_time_update(loop);
    deadline = ql_msec(loop) + loop->conf.drain;
    while (loop->aio.in_flight > 0) {
        ql_time_update(loop);
        if (ql_msec(loop) >= deadline) {
            return false;
        }
        left = deadline - ql_msec(loop);
        timeout.tv_sec = (time_t) (left / 1000);
        timeout.tv_nsec = (long) (left % 1000) * 1000000;
        if (harvest(loop, 1, &timeout) < 0) {
            return false;
        }
    }
    return true;
}

static void
complete_all(ql_queue_t *queue, int64_t res)
{
    while (!ql_queue_empty(queue)) {
        ql__aio_complete(ql_queue_data(queue->next, ql_event_aio_t, link), res);
    }
}

void
ql_aio_done(ql_loop_t *loop)
{
    ql_aio_t *aio = &loop->aio;

    QL_CHECK_THREAD(loop);
    if (aio->ctx == 0) {
        return;
    }
    if (!ql__loop_owned(loop)) {
        ql__aio_drop(loop);
        return;
    }
    ql_del_timer(loop, &aio->retry);
    complete_all(&aio->gathered, -ECANCELED);
    aio->queued = 0;
    if (drain(loop)) {
        loop->sys->io_destroy(aio->ctx);
    } else {
        /* io_destroy would wait for the disk. */
        ql_log_error(loop, QL_LOG_WARN, 0, "%u reads in flight left behind",
                     aio->in_flight);
    }
    aio->ctx = 0;
    release(loop);
}

/* No epoll_ctl in here: the set may still be the one shared with the parent,
 * where the parent's registration would be hit. */
void
ql__aio_drop(ql_loop_t *loop)
{
    ql_aio_t *aio = &loop->aio;
    ql_connection_t *c = aio->conn;

    if (aio->ctx == 0) {
        return;
    }
    aio->ctx = 0;
    ql_del_timer(loop, &aio->retry);
    ql_delete_posted_event(loop, &c->read);
    c->read.active = 0;
    c->write.active = 0;
    c->fd = -1;
    ql_free_connection(c);
    aio->conn = NULL;
    release(loop);
    loop->stats.aio_reaped += aio->in_flight;
    aio->in_flight = 0;
    aio->queued = 0;
    aio->blocked = false;
    complete_all(&aio->kernel, -EAGAIN);
    complete_all(&aio->gathered, -EAGAIN);
}
