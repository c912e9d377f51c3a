/*
 * cork.c: gathered sends. They leave at uncork, with the send that finds no
 * room, and before the loop waits: one call a turn in place of one a message.
 * None waits for an uncork that does not come.
 */
#include "cork.h"

#include "core/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
cork_drop(ql_conn_t *conn)
{
    ql_cork_t *cork = conn->cork;

    ql_delete_posted_event(conn->c->loop, &cork->flush);
    ql_buffer_release(&conn->core->buffers, &cork->out);
}

/* In a forked child what is gathered is its parent's, who sends it. */
static void
cork_claim(ql_conn_t *conn)
{
    ql_cork_t *cork = conn->cork;
    pid_t pid = ql_loop_pid(conn->c->loop);

    if (cork->pid != pid) {
        cork->pid = pid;
        cork->err = 0;
        cork_drop(conn);
    }
}

/* Nobody waits for the outcome: the next send is told. */
static void
cork_failed(ql_conn_t *conn, int err)
{
    conn->cork->err = err;
    conn->wbroken = 1;
    cork_drop(conn);
}

static void on_writable(ql_event_t *ev);

static void
flush(ql_conn_t *conn)
{
    ql_op_t nobody;
    ssize_t n = 1;

    cork_claim(conn);
    if (conn->wop.task != NULL) {
        return; /* it sends what is gathered first */
    }
    while (n > 0 && ql__gathered(conn) > 0) {
        n = ql__cork_send(conn);
    }
    if (n == NGX_AGAIN) {
        n = ql_park(&conn->c->write, on_writable, &nobody);
    }
    if (n != NGX_AGAIN) {
        ql__unpark_event(conn->c->loop, &conn->c->write);
    }
    if (n == NGX_ERROR) {
        cork_failed(conn, errno);
    }
}

static void
on_writable(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;

    flush(c->data);
}

static void
on_turn(ql_event_t *ev)
{
    flush(ev->data);
}

bool
ql__cork_gather(ql_conn_t *conn, const struct iovec *iov, int pieces,
                size_t size)
{
    ql_cork_t *cork = conn->cork;

    if (cork == NULL || !cork->on || size > cork->limit
        || ql_buffer_room(&conn->core->buffers, &cork->out, (uint32_t) size,
                          cork->limit)
               != NGX_OK)
    {
        return false;
    }
    for (int i = 0; i < pieces; i++) {
        memcpy(cork->out.data + cork->out.end, iov[i].iov_base, iov[i].iov_len);
        cork->out.end += (uint32_t) iov[i].iov_len;
    }
    ql__cork_resume(conn);
    return true;
}

void
ql__cork_sent(ql_conn_t *conn, size_t n)
{
    ql_buffer_consume(&conn->cork->out, (uint32_t) n);
    if (ql__gathered(conn) == 0) {
        cork_drop(conn);
    }
}

ssize_t
ql__cork_send(ql_conn_t *conn)
{
    const ql_buffer_t *out = &conn->cork->out;
    ssize_t n = conn->c->io->send(conn->c, ql_buffer_bytes(out),
                                  ql_buffer_unread(out));

    if (n > 0) {
        ql__cork_sent(conn, (size_t) n);
    } else if (n == NGX_ERROR) {
        errno = conn->c->err;
    }
    return n == 0 ? NGX_AGAIN : n;
}

int
ql__cork_drain(ql_conn_t *conn, ql_event_handler_pt on_event)
{
    ssize_t n;

    while (ql__gathered(conn) > 0) {
        n = ql__cork_send(conn);
        if (n == NGX_ERROR) {
            conn->wop.err = errno;
            return NGX_ERROR;
        }
        if (n == NGX_AGAIN) {
            return ql_park(&conn->c->write, on_event, &conn->wop);
        }
        conn->wop.progress = 1;
    }
    return NGX_OK;
}

bool
ql__cork_emptied(ql_conn_t *conn)
{
    if (ql__gathered(conn) > 0) {
        flush(conn);
    }
    return ql__gathered(conn) == 0 && !conn->wbroken;
}

void
ql__cork_resume(ql_conn_t *conn)
{
    if (ql__gathered(conn) == 0) {
        return;
    }
    if (conn->wbroken) {
        cork_drop(conn);
    } else if (conn->c->write.handler != on_writable) {
        ql_post_last_event(conn->c->loop, &conn->cork->flush);
    }
}

int
ql__cork_error(ql_conn_t *conn)
{
    int err;

    cork_claim(conn);
    err = conn->cork->err;
    conn->cork->err = 0;
    return err;
}

void
ql__cork_close(ql_conn_t *conn)
{
    ssize_t n = 1;

    if (conn->cork == NULL) {
        return;
    }
    cork_claim(conn);
    while (n > 0 && !conn->wbroken && ql__gathered(conn) > 0) {
        n = ql__cork_send(conn);
    }
    if (ql__gathered(conn) > 0) {
        ql_log_error(conn->c->loop, QL_LOG_WARN, 0,
                     "a connection was closed with %u gathered bytes that "
                     "were not sent",
                     ql__gathered(conn));
    }
    cork_drop(conn);
    if (!conn->cork->lent) {
        free(conn->cork);
    }
    conn->cork = NULL;
}

void
ql__cork_init(ql_conn_t *conn, ql_cork_t *cork)
{
    *cork = (ql_cork_t){.flush = {.data = conn, .handler = on_turn},
                        .pid = ql_loop_pid(conn->c->loop)};
    conn->cork = cork;
}

/* ---------------------------------------------------------- methods ---- */

static ql_cork_t *
cork_new(ql_conn_t *conn)
{
    ql_cork_t *cork = malloc(sizeof(*cork));

    if (cork != NULL) {
        ql__cork_init(conn, cork);
    }
    return cork;
}

/* cork(self, [n]) -> true | nil, err, CODE */
static int
connection_cork(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "cork");
    uint32_t limit = QL__CORK_SIZE;

    if (!lua_isnoneornil(L, 2)) {
        limit = (uint32_t) ql_check_whole(L, 2, "n", "cork", 1, QL__CORK_MAX);
    }
    if (conn->handle.closed) {
        return ql_push_error(L, conn->handle.closed);
    }
    if (conn->cork == NULL && cork_new(conn) == NULL) {
        return ql_push_error(L, ENOMEM);
    }
    conn->cork->on = 1;
    conn->cork->limit = limit;
    lua_pushboolean(L, 1);
    return 1;
}

/* gathered(self) -> bytes */
static int
connection_gathered(lua_State *L)
{
    const ql_conn_t *conn = ql__connection_check(L, 1, "shutdown");

    lua_pushinteger(L, ql__gathered(conn));
    return 1;
}

const luaL_Reg ql__cork_functions[] = {
    {"cork", connection_cork}, {"gathered", connection_gathered}, {NULL, NULL}};
