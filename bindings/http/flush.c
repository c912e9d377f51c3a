/*
 * flush.c: how the read operation of a connection waits while it speaks HTTP,
 * for either direction, and what it sends on its own.
 */
#include "http.h"

#include <errno.h>

static void
on_writable(ql_event_t *ev)
{
    const ql_connection_t *c = ev->data;
    ql_conn_t *conn = c->data;

    ql_op_ready(&conn->rop);
}

void
ql__http_unpark(ql_conn_t *conn)
{
    ql_connection_t *c = conn->c;

    conn->rop.idle = 0;
    ql__unpark_event(c->loop, &c->read);
    if (c->write.handler == on_writable) {
        ql__unpark_event(c->loop, &c->write);
    }
}

static uint64_t
phase_time(const ql_http_config_t *config, ql_http_phase_t phase)
{
    switch (phase) {
    case QL_HTTP_NOTHING:
        return config->idle_timeout;
    case QL_HTTP_HEAD:
        return config->head_timeout;
    case QL_HTTP_SEND:
        return config->send_timeout;
    case QL_HTTP_REST:
        return config->body_timeout;
    case QL_HTTP_END:
        break;
    }
    return 2000000000; /* ns */
}

/* Each phase has its time from its beginning; only what is sent gains more. */
int
ql__http_park(ql_conn_t *conn, ql_event_t *ev, ql_http_phase_t phase)
{
    ql_http_exchange_t *x = ql__http_exchange(conn);
    ql_op_t *op = &conn->rop;
    bool goes_on = x != NULL ? x->phase == phase : op->idle;

    if (!goes_on) {
        op->timeout = phase_time(ql__http_config(conn), phase);
    }
    op->progress = !goes_on || (op->progress && phase == QL_HTTP_SEND);
    op->idle = x == NULL;
    if (x != NULL) {
        x->phase = phase;
    }
    return ql_park(
        ev, ev->write ? on_writable : ql__http(conn)->stream->on_readable, op);
}

ssize_t
ql__http_recv(ql_conn_t *conn)
{
    conn->pattern = (ql_pattern_t){.kind = QL_PATTERN_ANY,
                                   .size = QL_BUFFER_MAX};
    return ql_event_waits(&conn->c->read)
             ? NGX_AGAIN
             : ql__http(conn)->stream->read_more(conn);
}

/* ------------------------------------------------------------- sending ---- */

static void
sent(ql_http_exchange_t *x, size_t n)
{
    size_t gathered = ql_buffer_unread(&x->cork.out);

    x->conn->rop.progress = 1;
    if (gathered > 0) {
        gathered = n < gathered ? n : gathered;
        x->config->http->stream->cork_sent(x->conn, gathered);
        n -= gathered;
    }
    x->tail += n;
    x->tail_size -= n;
}

/* One call, of at most share bytes of the tail. */
static ssize_t
send_some(ql_http_exchange_t *x, size_t share)
{
    ql_connection_t *c = x->conn->c;
    ql_buffer_t *out = &x->cork.out;
    struct iovec iov[2];
    int n = 0;

    if (x->tail_size == 0) {
        return c->io->send(c, ql_buffer_bytes(out), ql_buffer_unread(out));
    }
    if (ql_buffer_unread(out) > 0) {
        iov[n].iov_base = out->data + out->start;
        iov[n++].iov_len = ql_buffer_unread(out);
    }
    iov[n].iov_base = (void *) (uintptr_t) x->tail;
    iov[n++].iov_len = x->tail_size < share ? x->tail_size : share;
    return c->io->send_chain(c, iov, n);
}

/* The cork's own flush, posted before, would take the event from us. */
static int
wait_writable(ql_http_exchange_t *x)
{
    ql_delete_posted_event(x->conn->c->loop, &x->cork.flush);
    return ql__http_park(x->conn, &x->conn->c->write, QL_HTTP_SEND);
}

int
ql__http_flush(ql_http_exchange_t *x)
{
    ql_conn_t *conn = x->conn;
    size_t share = QL__TURN_BYTES;
    ssize_t n;

    while (ql_buffer_unread(&x->cork.out) > 0 || x->tail_size > 0) {
        if (share == 0) {
            (void) wait_writable(x);
            return ql__http(conn)->stream->park_next(&conn->c->write,
                                                     on_writable);
        }
        n = send_some(x, share);
        if (n == NGX_ERROR) {
            conn->rop.err = conn->c->err;
            conn->wbroken = 1;
            return NGX_ERROR;
        }
        if (n <= 0) {
            return wait_writable(x);
        }
        sent(x, (size_t) n);
        share -= (size_t) n < share ? (size_t) n : share;
    }
    return NGX_OK;
}
