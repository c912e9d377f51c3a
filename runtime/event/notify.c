/*
 * notify.c: how other threads reach a loop: a list under a mutex and an
 * eventfd. The first to post since the list was taken writes the eventfd. And
 * how the loop itself reaches who waits for its descriptor in its place.
 */
#include "../core/loop.h"

#include <errno.h>
#include <sys/eventfd.h>

static void
notify_handler(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    ql_loop_t *loop = c->loop;
    uint64_t count;
    ql_queue_t taken, *q;

    /* Posted before a fork: the list and its mutex may be another thread's. */
    if (!ql__loop_owned(loop)) {
        return;
    }
    ev->ready = 0;
    /* Before the list is taken: a later post must find the counter at 0. */
    while (loop->sys->read(c->fd, &count, sizeof(count)) == -1
           && errno == EINTR) {
    }
    ql_queue_init(&taken);
    (void) pthread_mutex_lock(&loop->notify.mutex);
    ql_queue_move(&taken, &loop->notify.posted);
    (void) pthread_mutex_unlock(&loop->notify.mutex);
    while (!ql_queue_empty(&taken)) {
        q = taken.next;
        ql_queue_remove(q);
        ql_post_event(loop, ql_queue_data(q, ql_event_t, queue));
    }
}

void
ql__notify_create(ql_loop_t *loop)
{
    loop->notify.eventfd = -1;
    (void) pthread_mutex_init(&loop->notify.mutex, NULL);
    ql_queue_init(&loop->notify.posted);
}

/* Whoever posted before there was an eventfd has woken nobody. */
static void
wake_for_earlier(ql_loop_t *loop)
{
    ql_notify_t *notify = &loop->notify;
    bool posted;

    (void) pthread_mutex_lock(&notify->mutex);
    posted = !ql_queue_empty(&notify->posted);
    (void) pthread_mutex_unlock(&notify->mutex);
    if (posted) {
        (void) ql_notify(loop);
    }
}

int
ql__notify_init(ql_loop_t *loop)
{
    ql_notify_t *notify = &loop->notify;

    notify->eventfd = loop->sys->eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (notify->eventfd == -1) {
        ql_log_error(loop, QL_LOG_ERR, errno, "eventfd() failed");
        return NGX_ERROR;
    }
    notify->conn = ql_get_pseudo_connection(loop, notify->eventfd);
    if (notify->conn == NULL) {
        (void) loop->sys->close(notify->eventfd);
        notify->eventfd = -1;
        return NGX_ERROR;
    }
    notify->conn->read.handler = notify_handler;
    if (loop->actions->add(loop, &notify->conn->read, QL_READ_EVENT,
                           QL_CLEAR_EVENT)
        != NGX_OK)
    {
        ql__notify_done(loop);
        return NGX_ERROR;
    }
    wake_for_earlier(loop);
    return NGX_OK;
}

void
ql__notify_done(ql_loop_t *loop)
{
    ql_notify_t *notify = &loop->notify;

    if (notify->conn == NULL) {
        return;
    }
    ql_close_connection(notify->conn);
    notify->conn = NULL;
    notify->eventfd = -1;
}

/* No log in here: it is the loop's thread's. EAGAIN: the counter is full, so
 * the wake-up is on its way. */
int
ql__epoll_notify(ql_loop_t *loop)
{
    uint64_t one = 1;
    ssize_t n;

    do {
        n = loop->sys->write(loop->notify.eventfd, &one, sizeof(one));
    } while (n == -1 && errno == EINTR);
    return n == -1 && errno != EAGAIN ? NGX_ERROR : NGX_OK;
}

/* In a forked child the eventfd is the parent's. */
void
ql__loop_wake(ql_loop_t *loop)
{
    loop->wake = false;
    if (ql__loop_owned(loop)) {
        loop->woken = true;
        (void) ql_notify(loop);
    }
}

void
ql__loop_woken(ql_loop_t *loop)
{
    loop->wake = false;
    if (loop->woken) {
        loop->woken = false;
        notify_handler(&loop->notify.conn->read);
    }
}

int
ql_notify(ql_loop_t *loop)
{
    return loop->actions->notify(loop);
}

void
ql_post_from_thread(ql_loop_t *loop, ql_event_t *ev)
{
    ql_notify_t *notify = &loop->notify;
    bool first;

    QL_CHECK_EVENT(ev);
    (void) pthread_mutex_lock(&notify->mutex);
    first = ql_queue_empty(&notify->posted);
    ql_queue_insert_tail(&notify->posted, &ev->queue);
    (void) pthread_mutex_unlock(&notify->mutex);
    if (first) {
        (void) ql_notify(loop);
    }
}
