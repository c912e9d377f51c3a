/*
 * recv.c: reading. `ready` is cleared by whatever proves that the kernel has
 * no more: EAGAIN, a short read, the end; then the next attempt costs no
 * system call. After EPOLLRDHUP (pending_eof) a short read proves nothing:
 * the end follows without another event. Nor does it where there is no socket
 * (plain): a terminal gives a line at a time, and a pipe's end comes in one
 * event with its last bytes. Nor where a byte was urgent, or came with a
 * descriptor: a read stops there, whatever follows.
 */
#include "../core/loop.h"

#include <errno.h>
#include <limits.h>

enum {
    ASK_FROM = 4096 /* bytes: a smaller full read is not worth FIONREAD */
};

ssize_t
ql__io_not_ready(ql_connection_t *c, const ql_event_t *ev)
{
    if (ev->eof) {
        return 0;
    }
    if (ev->error) {
        errno = c->err;
        return NGX_ERROR;
    }
    return NGX_AGAIN;
}

ssize_t
ql__io_failed(ql_connection_t *c, ql_event_t *ev, const char *call)
{
    int err = errno;

    if (err == EAGAIN) {
        ev->ready = 0;
        ql_log_debug(c->loop, QL_DEBUG_NET, "%s: fd:%d not ready", call, c->fd);
        return NGX_AGAIN;
    }
    /* A datagram's failure is its own: the next one may do better. */
    if (c->stream) {
        ev->ready = 0;
        ev->error = 1;
    }
    c->err = err;
    /* What a peer or the network does to us is no news. */
    ql_log_error(c->loop, QL_LOG_INFO, err, "%s() failed", call);
    errno = err;
    return NGX_ERROR;
}

/* Whether an attempt can be answered without a system call. */
static bool
exhausted(ql_event_t *rev)
{
    if (!rev->active) {
        return false;
    }
    if (rev->ready && rev->available == 0 && !rev->pending_eof) {
        rev->ready = 0;
    }
    return !rev->ready;
}

static void
count_down(ql_connection_t *c, ssize_t n, size_t size)
{
    ql_event_t *rev = &c->read;

    if (rev->available >= 0) {
        rev->available -= (int) n;
        /* More came after FIONREAD, so there will be an event for it. */
        if (rev->available < 0) {
            rev->available = 0;
            rev->ready = 0;
        }
    } else if ((size_t) n == size && size >= ASK_FROM
               && c->loop->sys->fionread(c->fd, &rev->available) == -1)
    {
        rev->available = -1;
    }
}

/* Books n > 0 bytes of size. */
static void
received(ql_connection_t *c, ssize_t n, size_t size)
{
    ql_event_t *rev = &c->read;

    if (c->plain || c->urgent) {
        return;
    }
    if ((size_t) n < size) {
        rev->available = 0;
        if (!rev->pending_eof) {
            rev->ready = 0;
        }
    } else {
        count_down(c, n, size);
    }
}

static ssize_t
end_of_file(ql_event_t *rev)
{
    rev->ready = 0;
    rev->eof = 1;
    rev->available = 0;
    return 0;
}

/* A read ends behind the bytes that a descriptor came with, which nobody here
 * wants: MSG_CTRUNC is all that is seen of it. */
static ssize_t
receive_unix(ql_connection_t *c, void *buf, size_t size)
{
    struct iovec iov = {buf, size};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n = c->loop->sys->recvmsg(c->fd, &msg, 0);

    if (n > 0 && (msg.msg_flags & MSG_CTRUNC) != 0) {
        c->urgent = 1;
    }
    return n;
}

static ssize_t
receive(ql_connection_t *c, void *buf, size_t size)
{
    const ql_sys_t *sys = c->loop->sys;
    ssize_t n;

    if (!c->plain) {
        n = c->peer.sa.sa_family == AF_UNIX ? receive_unix(c, buf, size)
                                            : sys->recv(c->fd, buf, size, 0);
        if (n != -1 || errno != ENOTSOCK) {
            return n;
        }
        c->plain = 1;
    }
    return sys->read(c->fd, buf, size);
}

ssize_t
ql_unix_recv(ql_connection_t *c, void *buf, size_t size)
{
    ql_event_t *rev = &c->read;
    ssize_t n;

    QL_CHECK_THREAD(c->loop);
    if (exhausted(rev)) {
        return ql__io_not_ready(c, rev);
    }
    do {
        n = receive(c, buf, size);
    } while (n == -1 && errno == EINTR);
    ql_log_debug(c->loop, QL_DEBUG_NET, "recv: fd:%d %zd of %zu", c->fd, n,
                 size);
    if (n > 0) {
        received(c, n, size);
        return n;
    }
    return n == 0 ? end_of_file(rev) : ql__io_failed(c, rev, "recv");
}

static size_t
total(const struct iovec *iov, int n)
{
    size_t size = 0;
    int i;

    for (i = 0; i < n; i++) {
        size += iov[i].iov_len;
    }
    return size;
}

ssize_t
ql_readv_chain(ql_connection_t *c, const struct iovec *iov, int n)
{
    struct msghdr msg = {.msg_iov = (struct iovec *) (uintptr_t) iov,
                         .msg_iovlen = n < IOV_MAX ? (size_t) n : IOV_MAX};
    ql_event_t *rev = &c->read;
    size_t size = total(iov, (int) msg.msg_iovlen);
    ssize_t got;

    QL_CHECK_THREAD(c->loop);
    if (c->plain || n == 1) {
        return ql_unix_recv(c, iov[0].iov_base, iov[0].iov_len);
    }
    if (exhausted(rev)) {
        return ql__io_not_ready(c, rev);
    }
    do {
        got = c->loop->sys->recvmsg(c->fd, &msg, 0);
    } while (got == -1 && errno == EINTR);
    ql_log_debug(c->loop, QL_DEBUG_NET, "recvmsg: fd:%d %zd of %zu", c->fd, got,
                 size);
    if (got > 0) {
        received(c, got, size);
        return got;
    }
    if (got == -1 && errno == ENOTSOCK) {
        return ql_unix_recv(c, iov[0].iov_base, iov[0].iov_len);
    }
    return got == 0 ? end_of_file(rev) : ql__io_failed(c, rev, "recvmsg");
}

/* A datagram: 0 bytes are no end, and a short one says nothing of the next. */
ssize_t
ql_udp_unix_recv(ql_connection_t *c, void *buf, size_t size)
{
    ql_event_t *rev = &c->read;
    ssize_t n;

    QL_CHECK_THREAD(c->loop);
    if (rev->active && !rev->ready) {
        return ql__io_not_ready(c, rev);
    }
    do {
        n = c->loop->sys->recv(c->fd, buf, size, 0);
    } while (n == -1 && errno == EINTR);
    ql_log_debug(c->loop, QL_DEBUG_NET, "recv: fd:%d datagram %zd", c->fd, n);
    return n >= 0 ? n : ql__io_failed(c, rev, "recv");
}
