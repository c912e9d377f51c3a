/*
 * shared.c: reading and writing where O_NONBLOCK is not ours to set: it belongs
 * to the open file, and a terminal's is that of the shell, of other programs
 * on it, and of io.write. So poll(2) is asked first, and then no more is asked
 * than what cannot block: what is there to be read, or a write of PIPE_BUF.
 * Regular files are always ready, and never wait for an event.
 */
#include "../core/loop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

static bool
possible(const ql_connection_t *c, short events)
{
    struct pollfd pfd = {.fd = c->fd, .events = events};
    int n;

    do {
        n = c->loop->sys->poll(&pfd, 1, 0);
    } while (n == -1 && errno == EINTR);
    return n > 0;
}

/* Asked anew after a signal: somebody else may have read it meanwhile. */
static ssize_t
read_piece(ql_connection_t *c, void *buf, size_t size)
{
    const ql_sys_t *sys = c->loop->sys;
    ssize_t n;

    do {
        if (!possible(c, POLLIN)) {
            errno = EAGAIN;
            return -1;
        }
        n = c->plain ? sys->read(c->fd, buf, size)
                     : sys->recv(c->fd, buf, size, MSG_DONTWAIT);
    } while (n == -1 && errno == EINTR);
    return n;
}

static ssize_t
shared_recv(ql_connection_t *c, void *buf, size_t size)
{
    ql_event_t *rev = &c->read;
    ssize_t n;

    QL_CHECK_THREAD(c->loop);
    if (ql_event_waits(rev) || rev->eof || rev->error) {
        return ql__io_not_ready(c, rev);
    }
    n = read_piece(c, buf, size);
    if (n == -1) {
        return ql__io_failed(c, rev, "read");
    }
    rev->eof = n == 0;
    return n;
}

static ssize_t
write_piece(ql_connection_t *c, const char *buf, size_t size)
{
    const ql_sys_t *sys = c->loop->sys;
    size_t piece = size < PIPE_BUF ? size : PIPE_BUF;
    sigset_t saved;
    ssize_t n;

    if (!possible(c, POLLOUT)) {
        errno = EAGAIN;
        return -1;
    }
    if (!c->plain) {
        return sys->send(c->fd, buf, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    ql__sigpipe_hold(&saved);
    n = sys->write(c->fd, buf, piece);
    ql__sigpipe_release(&saved, n == -1 && errno == EPIPE);
    return n;
}

static ssize_t
shared_send(ql_connection_t *c, const void *buf, size_t size)
{
    ql_event_t *wev = &c->write;
    size_t all = 0;
    ssize_t n = 0;

    QL_CHECK_THREAD(c->loop);
    if (ql_event_waits(wev) || wev->error) {
        return ql__io_not_ready(c, wev);
    }
    while (all < size) {
        n = write_piece(c, (const char *) buf + all, size - all);
        if (n >= 0) {
            all += (size_t) n;
        } else if (errno != EINTR) {
            break;
        }
    }
    if (n == -1 && (all == 0 || errno == EAGAIN)) {
        n = ql__io_failed(c, wev, "write");
    }
    return all > 0 ? (ssize_t) all : n;
}

static ssize_t
shared_recv_chain(ql_connection_t *c, const struct iovec *iov, int n)
{
    QL_CHECK_THREAD(c->loop);
    (void) n;
    return shared_recv(c, iov[0].iov_base, iov[0].iov_len);
}

/* Piece by piece, as far as it goes. */
static ssize_t
shared_send_chain(ql_connection_t *c, const struct iovec *iov, int count)
{
    ssize_t n = 0, all = 0;

    QL_CHECK_THREAD(c->loop);
    for (int i = 0; i < count; i++) {
        n = shared_send(c, iov[i].iov_base, iov[i].iov_len);
        if (n < 0 || (size_t) n < iov[i].iov_len) {
            all += n > 0 ? n : 0;
            break;
        }
        all += n;
    }
    return all > 0 ? all : n;
}

static ssize_t
shared_sendfile(ql_connection_t *c, ql_file_t *file, off_t offset, size_t size)
{
    QL_CHECK_THREAD(c->loop);
    (void) c;
    (void) file;
    (void) offset;
    (void) size;
    return NGX_DECLINED;
}

const ql_os_io_t ql_shared_io = {
    .recv = shared_recv,
    .recv_chain = shared_recv_chain,
    .udp_recv = ql_udp_unix_recv,
    .send = shared_send,
    .send_chain = shared_send_chain,
    .sendfile = shared_sendfile,
};
