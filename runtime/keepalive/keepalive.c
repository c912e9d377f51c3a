/*
 * keepalive.c: connections that nobody uses and that are kept for the next who
 * needs one. A kept one is watched: what its peer sends or closes meanwhile
 * closes it. Bytes move by its io table only, so that TLS may read a record
 * which is none of the script's and leave it open.
 */
#include "../core/loop.h"

#include <errno.h>

/* A kept connection's data. */
typedef struct {
    ql_connection_t *c;
    ql_keepalive_t *pool;
    ql_queue_t link; /* in pool->idle */
    ql_queue_t age;  /* in loop->keepalives.idle */
} idle_t;

/* --------------------------------------------------------- letting go ---- */

static ql_connection_t *
unpark(idle_t *idle)
{
    ql_connection_t *c = idle->c;
    ql_loop_t *loop = c->loop;

    ql_queue_remove(&idle->link);
    ql_queue_remove(&idle->age);
    idle->pool->nidle--;
    loop->keepalives.nidle--;
    ql__free(loop, idle);
    ql_del_timer(loop, &c->read);
    ql_delete_posted_event(loop, &c->read);
    c->read.handler = NULL;
    c->read.timedout = 0;
    c->data = NULL;
    return c;
}

static void
drop(idle_t *idle, int reason)
{
    ql_keepalive_t *pool = idle->pool;

    pool->loop->keepalives.stats.dropped[reason]++;
    pool->stats.dropped[reason]++;
    ql_close_connection(unpark(idle));
    ql_keepalive_leave(pool);
}

static void
drop_all(ql_loop_t *loop, uint32_t but, int reason)
{
    ql__keepalives_t *all = &loop->keepalives;

    while (all->nidle > but) {
        drop(ql_queue_data(all->idle.prev, idle_t, age), reason);
    }
}

void
ql_keepalive_drop(ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    drop_all(loop, 0, QL_DROP_ENDED);
}

void
ql_keepalive_trim(ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    drop_all(loop, loop->conf.keepalive, QL_DROP_EVICTED);
}

void
ql__keepalives_forked(ql_loop_t *loop)
{
    drop_all(loop, 0, QL_DROP_FORKED);
}

/* ------------------------------------------------------------ watching ---- */

static int
look(ql_connection_t *c, char *byte)
{
    ssize_t n = c->io->recv(c, byte, 1);

    return n == NGX_AGAIN ? NGX_OK
         : n > 0          ? NGX_DECLINED
         : n == 0         ? NGX_DONE
                          : NGX_ERROR;
}

/* What has come since the last wait of the loop counts, too. */
int
ql_test_idle(ql_connection_t *c, char *byte)
{
    QL_CHECK_THREAD(c->loop);
    c->read.ready = 1;
    c->read.available = -1;
    return look(c, byte);
}

static void
on_idle(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    idle_t *idle = c->data;
    char byte;
    int rc;

    if (ev->timedout) {
        drop(idle, QL_DROP_TIMEOUT);
        return;
    }
    rc = look(c, &byte);
    if (rc == NGX_DECLINED) {
        drop(idle, QL_DROP_READABLE);
    } else if (rc != NGX_OK || ql_handle_read_event(ev, 0) != NGX_OK) {
        drop(idle, QL_DROP_CLOSED);
    }
}

/* ------------------------------------------------- parking and taking ---- */

static void
watch(idle_t *idle, uint64_t max_idle)
{
    ql_connection_t *c = idle->c;

    ql_delete_posted_event(c->loop, &c->read);
    ql_delete_posted_event(c->loop, &c->write);
    c->data = idle;
    c->write.handler = NULL;
    c->read.handler = on_idle;
    c->read.timedout = 0;
    if (max_idle < QL_TIMER_INFINITE) {
        ql_add_timer_nsec(c->loop, &c->read, max_idle);
    }
}

int
ql_keepalive_park(ql_keepalive_t *pool, ql_connection_t *c, uint64_t max_idle)
{
    ql__keepalives_t *all = &pool->loop->keepalives;
    idle_t *idle = ql__alloc(pool->loop, sizeof(*idle));

    QL_CHECK_THREAD(pool->loop);
    if (idle == NULL) {
        errno = ENOMEM;
        return NGX_ERROR;
    }
    if (ql_handle_read_event(&c->read, 0) != NGX_OK) {
        ql__free(pool->loop, idle);
        return NGX_ERROR;
    }
    idle->c = c;
    idle->pool = pool;
    ql_queue_insert_head(&pool->idle, &idle->link);
    ql_queue_insert_head(&all->idle, &idle->age);
    pool->nidle++;
    all->nidle++;
    pool->stats.parked++;
    all->stats.parked++;
    watch(idle, max_idle);
    if (pool->nidle > pool->size) {
        drop(ql_queue_data(pool->idle.prev, idle_t, link), QL_DROP_EVICTED);
    }
    ql__keepalive_wake(pool);
    /* Last: it may be the pool's only one, and end it. */
    ql_keepalive_trim(c->loop);
    return NGX_OK;
}

ql_connection_t *
ql_keepalive_get(ql_claim_t *claim)
{
    ql_keepalive_t *pool = claim->pool;
    char byte;

    QL_CHECK_THREAD(claim->pool->loop);
    claim->granted = 0;
    pool->granted--;
    while (!ql_queue_empty(&pool->idle)) {
        idle_t *idle = ql_queue_data(pool->idle.next, idle_t, link);
        int rc = ql_test_idle(idle->c, &byte);

        if (rc == NGX_OK) {
            pool->stats.reused++;
            pool->loop->keepalives.stats.reused++;
            idle->c->reused++;
            return unpark(idle);
        }
        drop(idle, rc == NGX_DECLINED ? QL_DROP_READABLE : QL_DROP_CLOSED);
    }
    pool->connections++;
    return NULL;
}
