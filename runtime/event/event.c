/*
 * event.c: what to do after NGX_AGAIN, edge- and level-triggered.
 */
#include "../core/loop.h"

static bool
edge_triggered(const ql_loop_t *loop)
{
    return (loop->event_flags & QL_USE_CLEAR_EVENT) != 0;
}

/* Both directions at once, unless one of them is watched already. */
static int
watch_edges(ql_loop_t *loop, ql_event_t *ev, uint32_t event)
{
    ql_connection_t *c = ev->data;

    if (ev->active || ev->ready) {
        return NGX_OK;
    }
    if (c->read.active || c->write.active) {
        return loop->actions->add(loop, ev, event, QL_CLEAR_EVENT);
    }
    return loop->actions->add_conn(loop, c);
}

static int
watch_level(ql_loop_t *loop, ql_event_t *ev, uint32_t event, uint32_t flags)
{
    if (!ev->active && !ev->ready) {
        return loop->actions->add(loop, ev, event, QL_LEVEL_EVENT);
    }
    if (ev->active && (ev->ready || (flags & QL_CLOSE_EVENT))) {
        return loop->actions->del(loop, ev, event, flags);
    }
    return NGX_OK;
}

static int
watch(ql_event_t *ev, uint32_t event, uint32_t flags)
{
    ql_connection_t *c = ev->data;
    ql_loop_t *loop = c->loop;

    if (!ql__loop_owned(loop) && ql_loop_init(loop) != NGX_OK) {
        return NGX_ERROR;
    }
    return edge_triggered(loop) ? watch_edges(loop, ev, event)
                                : watch_level(loop, ev, event, flags);
}

int
ql_handle_read_event(ql_event_t *rev, uint32_t flags)
{
    QL_CHECK_EVENT(rev);
    QL_CHECK_THREAD(((ql_connection_t *) rev->data)->loop);
    return watch(rev, QL_READ_EVENT, flags);
}

int
ql_handle_write_event(ql_event_t *wev)
{
    QL_CHECK_EVENT(wev);
    QL_CHECK_THREAD(((ql_connection_t *) wev->data)->loop);
    return watch(wev, QL_WRITE_EVENT, 0);
}
