/*
 * io.c: the io table of a connection with TLS on it. What OpenSSL has read
 * ahead keeps `ready` set, since epoll will not tell of it. A record that has
 * been made and did not go out whole is the connection's `held`.
 */
#include "tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <string.h>

static ssize_t
dead(ql_tls_t *t)
{
    t->c->err = t->err;
    errno = EPROTO;
    return NGX_ERROR;
}

static int
clamp(size_t size, size_t max)
{
    return (int) (size < max ? size : max);
}

static ssize_t
tls_recv(ql_connection_t *c, void *buf, size_t size)
{
    ql_tls_t *t = c->transport;
    int rc;

    if (t->err != 0) {
        return dead(t);
    }
    ERR_clear_error();
    t->reading = 1;
    rc = SSL_read(t->ssl, buf, clamp(size, INT_MAX));
    t->reading = 0;
    if (rc <= 0 && SSL_get_error(t->ssl, rc) == SSL_ERROR_WANT_WRITE) {
        t->err = ENOBUFS;
        return dead(t);
    }
    if (rc <= 0) {
        return ql_tls_result(t, &c->read, rc);
    }
    if (SSL_has_pending(t->ssl)) {
        c->read.ready = 1;
    }
    return rc;
}

static ssize_t
tls_recv_chain(ql_connection_t *c, const struct iovec *iov, int n)
{
    (void) n;
    return tls_recv(c, iov[0].iov_base, iov[0].iov_len);
}

/* A record at a time, one that is held by itself: SSL_write would go on to the
 * next, and where that does not go out, tell of neither. */
static ssize_t
tls_send(ql_connection_t *c, const void *buf, size_t size)
{
    ql_tls_t *t = c->transport;
    int record = clamp(size, c->held > 0 ? c->held : QL_TLS_RECORD);
    ssize_t n;
    int rc;

    if (t->err != 0) {
        return dead(t);
    }
    if (size == 0) {
        return 0;
    }
    /* Before a record is made that could not go out. */
    if (ql_event_waits(&c->write)) {
        return NGX_AGAIN;
    }
    ERR_clear_error();
    rc = SSL_write(t->ssl, buf, record);
    if (rc > 0) {
        c->held = 0;
        return rc;
    }
    n = ql_tls_result(t, &c->write, rc);
    c->held = (uint16_t) (n == NGX_AGAIN ? record : 0);
    return n;
}

static size_t
gather(char *to, const struct iovec *iov, int n)
{
    size_t size = 0;

    for (int i = 0; i < n && size < QL_TLS_RECORD; i++) {
        size_t part = (size_t) clamp(iov[i].iov_len, QL_TLS_RECORD - size);

        memcpy(to + size, iov[i].iov_base, part);
        size += part;
    }
    return size;
}

/* Small pieces share a record. */
static ssize_t
tls_send_chain(ql_connection_t *c, const struct iovec *iov, int n)
{
    char record[QL_TLS_RECORD];

    if (n == 1 || (n > 1 && iov[0].iov_len >= QL_TLS_RECORD)) {
        return tls_send(c, iov[0].iov_base, iov[0].iov_len);
    }
    return tls_send(c, record, gather(record, iov, n));
}

/* The bytes have to pass through here: they are read and sent. */
static ssize_t
tls_sendfile(ql_connection_t *c, ql_file_t *file, off_t offset, size_t size)
{
    (void) c;
    (void) file;
    (void) offset;
    (void) size;
    return NGX_DECLINED;
}

/* The socket takes more of what is late: nobody else writes any more. */
static void
on_late(ql_event_t *wev)
{
    ql_connection_t *c = wev->data;

    if (ql_tls_flush(c->transport) == NGX_AGAIN
        && ql_handle_write_event(wev) == NGX_OK)
    {
        return;
    }
    wev->handler = NULL;
    (void) ql_loop_sys(c->loop)->shutdown(c->fd, SHUT_WR);
}

static int
tls_finish(ql_connection_t *c)
{
    if (ql_tls_say_goodbye(c->transport) != NGX_AGAIN
        || ql_handle_write_event(&c->write) != NGX_OK)
    {
        return NGX_OK;
    }
    c->write.handler = on_late;
    return NGX_AGAIN;
}

/* Takes what has come meanwhile (tickets): close(2) of a socket with unread
 * bytes resets it, and the peer might lose what it was sent. Nothing comes
 * after its goodbye. */
static void
drain(ql_connection_t *c)
{
    const ql_tls_t *t = c->transport;
    char scrap[QL_TLS_RECORD];

    if ((SSL_get_shutdown(t->ssl) & SSL_RECEIVED_SHUTDOWN) != 0) {
        return;
    }
    c->read.ready = 1;
    c->read.available = -1;
    (void) ql_os_io.recv(c, scrap, sizeof(scrap));
}

/* In a forked child the stream is its parent's, who goes on with it. */
static void
tls_close(ql_connection_t *c)
{
    ql_tls_t *t = c->transport;

    if (t->pid == ql_loop_pid(c->loop)) {
        (void) ql_tls_say_goodbye(t);
        ql_tls_press(t);
        drain(c);
    }
    ql_tls_end(t);
}

const ql_os_io_t ql_tls_io = {
    .recv = tls_recv,
    .recv_chain = tls_recv_chain,
    .udp_recv = tls_recv,
    .send = tls_send,
    .send_chain = tls_send_chain,
    .sendfile = tls_sendfile,
    .finish = tls_finish,
    .close = tls_close,
};
