/*
 * send.c: writing. A short write fills the kernel's buffer, so it clears
 * `ready`: the event for free room is on its way.
 */
#include "../core/loop.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>

static void
sigpipe(sigset_t *set)
{
    (void) sigemptyset(set);
    (void) sigaddset(set, SIGPIPE);
}

void
ql__sigpipe_hold(sigset_t *saved)
{
    sigset_t broken;

    sigpipe(&broken);
    (void) pthread_sigmask(SIG_BLOCK, &broken, saved);
}

void
ql__sigpipe_release(const sigset_t *saved, bool came)
{
    struct timespec now = {0, 0};
    sigset_t broken;
    int err = errno;

    if (came) {
        sigpipe(&broken);
        (void) sigtimedwait(&broken, NULL, &now);
    }
    (void) pthread_sigmask(SIG_SETMASK, saved, NULL);
    errno = err;
}

/* A pipe has no MSG_NOSIGNAL. */
static ssize_t
write_quietly(const ql_sys_t *sys, int fd, const void *buf, size_t size)
{
    sigset_t saved;
    ssize_t n;

    ql__sigpipe_hold(&saved);
    n = sys->write(fd, buf, size);
    ql__sigpipe_release(&saved, n == -1 && errno == EPIPE);
    return n;
}

static ssize_t
transmit(ql_connection_t *c, const void *buf, size_t size)
{
    const ql_sys_t *sys = c->loop->sys;
    ssize_t n;

    if (!c->plain) {
        n = sys->send(c->fd, buf, size,
                      MSG_NOSIGNAL | (c->more ? MSG_MORE : 0));
        if (n != -1 || errno != ENOTSOCK) {
            return n;
        }
        c->plain = 1;
    }
    return write_quietly(sys, c->fd, buf, size);
}

static ssize_t
sent(ql_connection_t *c, ssize_t n, size_t size)
{
    if ((size_t) n < size) {
        c->write.ready = 0;
    }
    return n == 0 && size > 0 ? NGX_AGAIN : n;
}

ssize_t
ql_unix_send(ql_connection_t *c, const void *buf, size_t size)
{
    ql_event_t *wev = &c->write;
    ssize_t n;

    QL_CHECK_THREAD(c->loop);
    if (wev->active && !wev->ready) {
        return ql__io_not_ready(c, wev);
    }
    do {
        n = transmit(c, buf, size);
    } while (n == -1 && errno == EINTR);
    ql_log_debug(c->loop, QL_DEBUG_NET, "send: fd:%d %zd of %zu", c->fd, n,
                 size);
    return n >= 0 ? sent(c, n, size) : ql__io_failed(c, wev, "send");
}

/* No socket: piece by piece, as far as it goes. */
static ssize_t
send_pieces(ql_connection_t *c, const struct iovec *iov, int count)
{
    ssize_t n, all = 0;
    int i;

    for (i = 0; i < count; i++) {
        n = ql_unix_send(c, iov[i].iov_base, iov[i].iov_len);
        if (n < 0) {
            return all > 0 ? all : n;
        }
        all += n;
        if ((size_t) n < iov[i].iov_len) {
            break;
        }
    }
    return all;
}

ssize_t
ql_writev_chain(ql_connection_t *c, const struct iovec *iov, int count)
{
    struct msghdr msg = {.msg_iov = (struct iovec *) (uintptr_t) iov};
    ql_event_t *wev = &c->write;
    size_t size = 0;
    ssize_t n;
    int i;

    QL_CHECK_THREAD(c->loop);
    if (c->plain) {
        return send_pieces(c, iov, count);
    }
    if (wev->active && !wev->ready) {
        return ql__io_not_ready(c, wev);
    }
    for (i = 0; i < count && i < IOV_MAX; i++) {
        size += iov[i].iov_len;
    }
    msg.msg_iovlen = (size_t) i;
    do {
        n = c->loop->sys->sendmsg(c->fd, &msg, MSG_NOSIGNAL);
    } while (n == -1 && errno == EINTR);
    ql_log_debug(c->loop, QL_DEBUG_NET, "sendmsg: fd:%d %zd of %zu", c->fd, n,
                 size);
    if (n == -1 && errno == ENOTSOCK) {
        c->plain = 1;
        return send_pieces(c, iov, count);
    }
    return n >= 0 ? sent(c, n, size) : ql__io_failed(c, wev, "sendmsg");
}
