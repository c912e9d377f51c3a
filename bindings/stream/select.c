/*
 * select.c: a select on a connection. It is the connection's reader, and reads
 * into the buffer; the bytes are left there for who receives.
 */
#include "connection.h"

static void
on_readable(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    const ql_conn_t *conn = c->data;

    ql_select_ready(conn->selector);
}

static int
select_park(ql_select_t *w, ql_conn_t *conn)
{
    int rc = ql_park(&conn->c->read, on_readable, w->op);

    conn->selector = rc == NGX_AGAIN ? w : NULL;
    return rc;
}

static int
select_read(ql_select_t *w, ql_conn_t *conn)
{
    ssize_t n = NGX_AGAIN;

    if (!ql_event_waits(&conn->c->read)) {
        ql_pattern_start(&conn->pattern, QL_PATTERN_PEEK, 1, NULL, &conn->in);
        n = ql__read_more(conn);
    }
    if (n == NGX_AGAIN) {
        return select_park(w, conn);
    }
    conn->eof = n == 0;
    conn->rlate = n == NGX_ERROR;
    return NGX_OK;
}

static int
select_attempt(ql_select_t *w)
{
    ql_conn_t *conn = w->object;

    if (conn->handle.closed) {
        return NGX_OK;
    }
    if (ql_op_waiting(&conn->rop) || conn->rop.pushing || conn->guest != NULL
        || (conn->selector != NULL && conn->selector != w))
    {
        w->op->err = QL_E_BUSY_READING;
        return NGX_ERROR;
    }
    if (ql_buffer_unread(&conn->in) != 0 || conn->eof || conn->rbroken) {
        return NGX_OK;
    }
    return select_read(w, conn);
}

static void
select_cancel(ql_select_t *w)
{
    ql_conn_t *conn = w->object;

    if (conn->selector != w) {
        return;
    }
    conn->selector = NULL;
    if (conn->c != NULL) {
        ql__unpark_event(conn->c->loop, &conn->c->read);
    }
}

const ql_select_type_t ql__connection_select = {select_attempt, select_cancel};
