/*
 * select.c: a select on a datagram socket. It is the socket's receiver, and
 * receives into the buffer; the datagrams are left there for who asks.
 */
#include "udp.h"

static void
on_readable(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    const ql_udp_t *u = c->data;

    ql_select_ready(u->selector);
}

static int
select_receive(ql_select_t *w, ql_udp_t *u)
{
    int rc = ql__udp_fill(u);

    if (rc == NGX_AGAIN) {
        rc = ql_park(&u->c->read, on_readable, w->op);
        u->selector = rc == NGX_AGAIN ? w : NULL;
        return rc;
    }
    u->rlate = rc == NGX_ERROR;
    return NGX_OK;
}

static int
select_attempt(ql_select_t *w)
{
    ql_udp_t *u = w->object;

    if (u->handle.closed) {
        return NGX_OK;
    }
    if (ql_op_waiting(&u->rop) || u->rop.pushing
        || (u->selector != NULL && u->selector != w))
    {
        w->op->err = QL_E_BUSY_READING;
        return NGX_ERROR;
    }
    u->automatic = 0;
    if (ql_buffer_unread(&u->in) != 0 || u->rlate) {
        return NGX_OK;
    }
    return select_receive(w, u);
}

static void
select_cancel(ql_select_t *w)
{
    ql_udp_t *u = w->object;

    if (u->selector != w) {
        return;
    }
    u->selector = NULL;
    if (u->c != NULL) {
        ql__unpark_event(u->c->loop, &u->c->read);
    }
}

const ql_select_type_t ql__udp_select = {select_attempt, select_cancel};
