/*
 * watch.c: a client that leaves while its handler waits cancels it. Nothing is
 * done for it while the handler does not wait: epoll tells of the peer's end,
 * and where the connection is in no set yet it enters one before the loop
 * waits.
 */
#include "http.h"

#include "core/sys.h"

#include <errno.h>
#include <sys/socket.h>

/* The peer has sent its end: has it gone? */
static bool
has_gone(const ql_http_exchange_t *x)
{
    const ql_connection_t *c = x->conn->c;
    char byte;

    if (!x->config->half_open) {
        return true;
    }
    return ql_loop_sys(c->loop)->recv(c->fd, &byte, 1, MSG_PEEK) == -1
        && errno != EAGAIN;
}

static void
look(ql_http_exchange_t *x)
{
    ql_connection_t *c = x->conn->c;

    if (!c->read.pending_eof && !c->read.eof && !c->read.error) {
        return;
    }
    c->read.handler = NULL;
    if (has_gone(x)) {
        x->config->http->stats.left++;
        ql_task_cancel(x->task, "the client has left");
    }
}

/* Bytes of a next request are no reason; level-triggered they would be told
 * again and again. */
static void
on_readable(ql_event_t *ev)
{
    const ql_connection_t *c = ev->data;

    look(ql__http_exchange(c->data));
    if (ev->handler != NULL && !ev->clear) {
        ev->handler = NULL;
        (void) ql_handle_read_event(ev, 0);
    }
}

static void
on_turn(ql_event_t *ev)
{
    ql_http_exchange_t *x = ev->data;
    ql_event_t *rev = &x->conn->c->read;

    look(x);
    if (!rev->active && rev->handler == on_readable) {
        (void) ql_handle_read_event(rev, 0);
    }
}

void
ql__http_watch_init(ql_http_exchange_t *x)
{
    x->watch.data = x;
    x->watch.handler = on_turn;
}

void
ql__http_watch(ql_http_exchange_t *x)
{
    ql_connection_t *c = x->conn->c;

    c->read.handler = on_readable;
    if (!c->read.active || c->read.pending_eof || c->read.eof) {
        ql_post_last_event(c->loop, &x->watch);
    }
}

void
ql__http_unwatch(ql_http_exchange_t *x)
{
    ql_connection_t *c = x->conn->c;

    if (x->watch.posted) {
        ql_delete_posted_event(c->loop, &x->watch);
    }
    if (c->read.handler == on_readable) {
        ql__unpark_event(c->loop, &c->read);
    }
}
