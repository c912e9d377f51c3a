/*
 * epoll.c: the epoll module's init and done, its table of actions, and the
 * making of the set anew, after a fork or when stale entries flood it.
 */
#include "../core/loop.h"

#include <errno.h>
#include <sys/mman.h>

enum {
    OWNER_SIZE = 4096
};

const ql_event_actions_t ql_epoll_actions = {
    .add = ql_epoll_add_event,
    .del = ql_epoll_del_event,
    .enable = ql_epoll_enable_event,
    .disable = ql_epoll_disable_event,
    .add_conn = ql_epoll_add_connection,
    .del_conn = ql_epoll_del_connection,
    .notify = ql__epoll_notify,
    .process_events = ql_epoll_process_events,
    .init = ql_epoll_init,
    .done = ql_epoll_done,
};

static int
grow_event_list(ql_loop_t *loop)
{
    uint32_t n = loop->conf.epoll.events;
    struct epoll_event *list;

    if (loop->nevents >= n) {
        return NGX_OK;
    }
    list = loop->sys->realloc(loop->event_list, n * sizeof(*list));
    if (list == NULL) {
        errno = ENOMEM;
        ql_log_error(loop, QL_LOG_ERR, errno, "no memory for %u events", n);
        return NGX_ERROR;
    }
    loop->event_list = list;
    loop->nevents = n;
    return NGX_OK;
}

static int
make_owner(ql_loop_t *loop)
{
    void *page;

    if (loop->owner != NULL) {
        return NGX_OK;
    }
    page = loop->sys->mmap(NULL, OWNER_SIZE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        ql_log_error(loop, QL_LOG_ERR, errno, "mmap() failed");
        return NGX_ERROR;
    }
    if (loop->sys->madvise(page, OWNER_SIZE, MADV_WIPEONFORK) == -1) {
        ql_log_error(loop, QL_LOG_ERR, errno, "madvise() failed");
        (void) loop->sys->munmap(page, OWNER_SIZE);
        return NGX_ERROR;
    }
    loop->owner = page;
    return NGX_OK;
}

int
ql__epoll_create(ql_loop_t *loop)
{
    int ep = loop->sys->epoll_create1(EPOLL_CLOEXEC);

    if (ep == -1) {
        ql_log_error(loop, QL_LOG_ERR, errno, "epoll_create1() failed");
    }
    return ep;
}

static void
close_set(ql_loop_t *loop)
{
    ql__outer_close(loop);
    if (loop->ep != -1) {
        (void) loop->sys->close(loop->ep);
        loop->ep = -1;
    }
}

/* An event that cannot be watched any more looks ready: its owner attempts
 * again and gets the error when it asks for the event. */
static void
reenter_failed(ql_loop_t *loop, ql_event_t *ev)
{
    if (!ev->active) {
        return;
    }
    ev->active = 0;
    ev->ready = 1;
    if (ev->handler != NULL) {
        ql_post_event(loop, ev);
    }
}

static void
reenter(ql_connection_t *c, void *arg)
{
    if (!c->read.active && !c->write.active) {
        c->read.oneshot = c->write.oneshot = 0;
        return;
    }
    if (ql__epoll_enter(c) != NGX_OK) {
        reenter_failed(arg, &c->read);
        reenter_failed(arg, &c->write);
    }
}

int
ql__epoll_rebuild(ql_loop_t *loop)
{
    int old = loop->ep, ep = ql__epoll_create(loop);

    if (ep == -1) {
        return NGX_ERROR;
    }
    /* While it is empty: the kernel looks at all that a nested set holds. */
    if (ql__outer_enter(loop, ep) != NGX_OK) {
        (void) loop->sys->close(ep);
        return NGX_ERROR;
    }
    loop->ep = ep;
    loop->stats.rebuilds++;
    ql__connections_each(loop, reenter, loop);
    ql__outer_leave(loop, old);
    (void) loop->sys->close(old);
    return NGX_OK;
}

static void
mark_shared(ql_connection_t *c, void *arg)
{
    (void) arg;
    if (!c->pseudo) {
        c->shared = 1;
    }
}

void
ql__epoll_drop(ql_loop_t *loop)
{
    close_set(loop);
    ql__notify_done(loop);
    ql__notify_create(loop);
    /* Until it is dropped, too: a thread that is not here may have held its
     * mutex. What ends with a read in flight is closed here and now. */
    loop->pool.stop = true;
    ql__aio_drop(loop);
    ql__thread_pool_drop(loop);
    ql__connections_each(loop, mark_shared, NULL);
    ql__keepalives_forked(loop);
}

int
ql_epoll_init(ql_loop_t *loop)
{
    if (grow_event_list(loop) != NGX_OK || make_owner(loop) != NGX_OK) {
        return NGX_ERROR;
    }
    if (ql__loop_owned(loop)) {
        return NGX_OK;
    }
    if (loop->ep != -1) {
        ql__epoll_drop(loop);
    }
    loop->ep = ql__epoll_create(loop);
    if (loop->ep == -1) {
        return NGX_ERROR;
    }
    *loop->owner = 1;
    loop->pid = loop->sys->getpid();
    loop->event_flags = (loop->conf.level_triggered ? QL_USE_LEVEL_EVENT
                                                    : QL_USE_CLEAR_EVENT)
                      | QL_USE_GREEDY_EVENT | QL_USE_EPOLL_EVENT;
    if (loop->watched && ql__outer_open(loop) != NGX_OK) {
        goto failed;
    }
    ql__connections_each(loop, reenter, loop);
    if (ql__notify_init(loop) != NGX_OK) {
        goto failed;
    }
    if (ql__resolution_init(loop) != NGX_OK) {
        goto failed_notify;
    }
    ql__tick_forked(loop);
    return NGX_OK;

failed_notify:
    ql__notify_done(loop);
failed:
    *loop->owner = 0;
    close_set(loop);
    return NGX_ERROR;
}

void
ql_epoll_done(ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    ql__resolution_done(loop);
    ql__notify_done(loop);
    close_set(loop);
    ql__free(loop, loop->event_list);
    loop->event_list = NULL;
    loop->nevents = 0;
    if (loop->owner != NULL) {
        (void) loop->sys->munmap((void *) (uintptr_t) loop->owner, OWNER_SIZE);
        loop->owner = NULL;
    }
}
