/*
 * connection.c: connection structs, in slabs that live as long as the loop,
 * since the epoll set keeps pointers to them. One that is given back is not
 * reused before the next epoll_wait: so no event of the batch at hand can
 * meet it in a second life whose instance bit is the first's again.
 */
#include "../core/loop.h"

#include <errno.h>
#include <string.h>

enum {
    SLAB_ALIGN = 64,
    SLAB_SIZE = QL__SLAB_CONNECTIONS * sizeof(ql_connection_t)
};

_Static_assert(SLAB_SIZE % SLAB_ALIGN == 0, "aligned_alloc needs it");

const ql_os_io_t ql_os_io = {
    .recv = ql_unix_recv,
    .recv_chain = ql_readv_chain,
    .udp_recv = ql_udp_unix_recv,
    .send = ql_unix_send,
    .send_chain = ql_writev_chain,
    .sendfile = ql_unix_sendfile,
};

void
ql__connections_init(ql_loop_t *loop)
{
    ql_queue_init(&loop->free_connections);
    ql_queue_init(&loop->freed_connections);
}

/* The table of slabs doubles: it is full when nslabs is a power of two. */
static int
grow_table(ql_loop_t *loop)
{
    uint32_t n = loop->nslabs;
    void **slabs;

    if ((n & (n - 1)) != 0) {
        return NGX_OK;
    }
    slabs = loop->sys->realloc(loop->slabs,
                               (n == 0 ? 1 : 2 * (size_t) n) * sizeof(*slabs));
    if (slabs == NULL) {
        return NGX_ERROR;
    }
    loop->slabs = slabs;
    return NGX_OK;
}

static int
add_slab(ql_loop_t *loop)
{
    ql_connection_t *slab = NULL;
    int i;

    if (grow_table(loop) == NGX_OK) {
        slab = loop->sys->memalign(SLAB_ALIGN, SLAB_SIZE);
    }
    if (slab == NULL) {
        errno = ENOMEM;
        ql_log_error(loop, QL_LOG_ERR, errno, "no memory for connections");
        return NGX_ERROR;
    }
    memset(slab, 0, SLAB_SIZE);
    for (i = 0; i < QL__SLAB_CONNECTIONS; i++) {
        slab[i].fd = -1;
        ql_queue_insert_tail(&loop->free_connections, &slab[i].queue);
    }
    loop->slabs[loop->nslabs++] = slab;
    return NGX_OK;
}

static void
prepare(ql_event_t *ev, ql_connection_t *c, unsigned instance)
{
    ev->data = c;
    ev->instance = instance & 1;
    ev->available = -1;
}

static ql_connection_t *
take(ql_loop_t *loop, int fd)
{
    ql_connection_t *c;
    unsigned instance;

    if (ql_queue_empty(&loop->free_connections) && add_slab(loop) != NGX_OK) {
        return NULL;
    }
    c = ql_queue_data(loop->free_connections.next, ql_connection_t, queue);
    ql_queue_remove(&c->queue);
    instance = !c->read.instance;
    memset(c, 0, sizeof(*c));
    prepare(&c->read, c, instance);
    prepare(&c->write, c, instance);
    c->write.write = 1;
    c->loop = loop;
    c->io = &ql_os_io;
    c->number = ++loop->next_number;
    c->fd = fd;
    c->stream = 1;
    ql_queue_init(&c->queue);
    return c;
}

ql_connection_t *
ql_get_connection(ql_loop_t *loop, int fd)
{
    ql_connection_t *c;

    QL_CHECK_THREAD(loop);
    if (!ql__connections_left(loop)) {
        errno = ENFILE;
        ql_log_error(loop, QL_LOG_WARN, 0,
                     "worker_connections (%u) are not enough",
                     loop->conf.worker_connections);
        return NULL;
    }
    c = take(loop, fd);
    if (c != NULL) {
        loop->stats.opened++;
        loop->stats.live++;
    }
    return c;
}

ql_connection_t *
ql_get_pseudo_connection(ql_loop_t *loop, int fd)
{
    ql_connection_t *c = take(loop, fd);

    QL_CHECK_THREAD(loop);
    if (c != NULL) {
        c->pseudo = 1;
    }
    return c;
}

void
ql_free_connection(ql_connection_t *c)
{
    ql_loop_t *loop = c->loop;

    QL_CHECK_THREAD(c->loop);
    QL_DEBUG_CHECK(!c->read.freed, "connection *%llu is free already",
                   (unsigned long long) c->number);
    QL_DEBUG_CHECK(!c->read.timer_set && !c->write.timer_set,
                   "an event of it has a timer still");
    QL_DEBUG_CHECK(!c->read.posted && !c->write.posted,
                   "an event of it is posted still");
    c->fd = -1;
#ifdef QL_CHECKS
    c->read.freed = c->write.freed = 1;
#endif
    if (c->peer_count != NULL) {
        ql__limits_leave(c->peer_count);
    }
    ql_queue_insert_head(&loop->freed_connections, &c->queue);
    if (c->pseudo) {
        return;
    }
    loop->stats.live--;
    loop->stats.closed++;
    ql__accept_resume(loop);
}

void
ql_close_connection(ql_connection_t *c)
{
    ql_loop_t *loop = c->loop;
    int fd = c->fd;

    QL_CHECK_THREAD(c->loop);
    if (fd == -1) {
        ql_log_error(loop, QL_LOG_ALERT, 0, "connection *%llu closed twice",
                     (unsigned long long) c->number);
        return;
    }
    if (c->io->close != NULL) {
        c->io->close(c);
    }
    ql_del_timer(loop, &c->read);
    ql_del_timer(loop, &c->write);
    (void) loop->actions->del_conn(loop, c, QL_CLOSE_EVENT);
    ql_delete_posted_event(loop, &c->read);
    ql_delete_posted_event(loop, &c->write);
    ql_log_debug(loop, QL_DEBUG_NET, "close connection: fd:%d", fd);
    ql_free_connection(c);
    /* Not again on EINTR: Linux has closed it by then. */
    if (!c->borrowed && loop->sys->close(fd) == -1 && errno != EINTR) {
        ql_log_error(loop, QL_LOG_ERR, errno, "close(%d) failed", fd);
    }
}

void
ql__connections_recycle(ql_loop_t *loop)
{
    ql_queue_move(&loop->freed_connections, &loop->free_connections);
    ql_queue_move(&loop->free_connections, &loop->freed_connections);
}

void
ql__connections_each(ql_loop_t *loop, void (*fn)(ql_connection_t *, void *),
                     void *arg)
{
    ql_connection_t *slab;
    uint32_t i, k;

    for (i = 0; i < loop->nslabs; i++) {
        slab = loop->slabs[i];
        for (k = 0; k < QL__SLAB_CONNECTIONS; k++) {
            if (slab[k].fd != -1) {
                fn(&slab[k], arg);
            }
        }
    }
}

bool
ql__connections_left(const ql_loop_t *loop)
{
    return loop->stats.live < loop->conf.worker_connections;
}

static void
close_real(ql_connection_t *c, void *arg)
{
    (void) arg;
    if (!c->pseudo) {
        ql_close_connection(c);
    }
}

void
ql__connections_close(ql_loop_t *loop)
{
    ql__connections_each(loop, close_real, NULL);
}

static void
close_any(ql_connection_t *c, void *arg)
{
    (void) arg;
    ql_close_connection(c);
}

void
ql__connections_done(ql_loop_t *loop)
{
    uint32_t i;

    ql__connections_each(loop, close_any, NULL);
    for (i = 0; i < loop->nslabs; i++) {
        ql__free(loop, loop->slabs[i]);
    }
    ql__free(loop, loop->slabs);
    loop->slabs = NULL;
    loop->nslabs = 0;
}
