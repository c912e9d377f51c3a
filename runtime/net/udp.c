/*
 * udp.c: datagrams, many by one system call. `ready` is cleared by EAGAIN and
 * by a batch that came short: the kernel had no more, and an error that it met
 * meanwhile has an event of its own on the way.
 */
#include "../core/loop.h"

#include <errno.h>

ql_connection_t *
ql_udp_open(ql_loop_t *loop, int family)
{
    ql_connection_t *c;
    int fd, err;

    QL_CHECK_THREAD(loop);
    fd = loop->sys->socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                           0);
    if (fd == -1) {
        ql_log_error(loop, QL_LOG_ERR, errno, "socket() failed");
        return NULL;
    }
    c = ql_get_connection(loop, fd);
    if (c == NULL) {
        err = errno;
        (void) loop->sys->close(fd);
        errno = err;
        return NULL;
    }
    c->stream = 0;
    c->peer.sa.sa_family = (sa_family_t) family;
    return c;
}

ql_connection_t *
ql_udp_adopt(ql_loop_t *loop, int fd)
{
    const ql_sys_t *sys = loop->sys;
    int type = ql__socket_option(sys, fd, SO_TYPE);
    ql_connection_t *c;

    QL_CHECK_THREAD(loop);
    if (type == -1) {
        return NULL;
    }
    if (type != SOCK_DGRAM) {
        errno = EINVAL;
        return NULL;
    }
    if (ql__set_nonblocking(sys, fd) != NGX_OK) {
        return NULL;
    }
    c = ql_get_connection(loop, fd);
    if (c != NULL) {
        c->stream = 0;
        c->shared = 1;
        c->peer.sa.sa_family = (sa_family_t) ql__socket_option(sys, fd,
                                                               SO_DOMAIN);
    }
    return c;
}

int
ql_udp_bind(ql_connection_t *c, const ql_sockaddr_t *addr)
{
    char text[QL_SOCKADDR_STRLEN];

    QL_CHECK_THREAD(c->loop);
    if (c->loop->sys->bind(c->fd, &addr->u.sa, addr->len) == -1) {
        ql_log_error(c->loop, QL_LOG_INFO, errno, "bind() to %s failed",
                     ql_sockaddr_text(&addr->u.sa, addr->len, text));
        return NGX_ERROR;
    }
    return NGX_OK;
}

int
ql_udp_connect(ql_connection_t *c, const ql_sockaddr_t *addr)
{
    static const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    const struct sockaddr *sa = addr != NULL ? &addr->u.sa : &nobody;
    socklen_t len = addr != NULL ? addr->len : sizeof(nobody);
    int rc;

    QL_CHECK_THREAD(c->loop);
    do {
        rc = c->loop->sys->connect(c->fd, sa, len);
    } while (rc == -1 && errno == EINTR);
    if (rc == -1) {
        ql_log_error(c->loop, QL_LOG_INFO, errno, "connect() failed");
        return NGX_ERROR;
    }
    return NGX_OK;
}

int
ql_udp_recv(ql_connection_t *c, struct mmsghdr *msgs, unsigned n)
{
    ql_event_t *rev = &c->read;
    int got;

    QL_CHECK_THREAD(c->loop);
    if (ql_event_waits(rev)) {
        return NGX_AGAIN;
    }
    do {
        /* MSG_TRUNC: msg_len is the datagram's, also of one that was cut. */
        got = c->loop->sys->recvmmsg(c->fd, msgs, n, MSG_TRUNC, NULL);
    } while (got == -1 && errno == EINTR);
    ql_log_debug(c->loop, QL_DEBUG_NET, "recvmmsg: fd:%d %d of %u", c->fd, got,
                 n);
    if (got == -1) {
        return (int) ql__io_failed(c, rev, "recvmmsg");
    }
    if ((unsigned) got < n) {
        rev->ready = 0;
    }
    return got;
}

int
ql_udp_send(ql_connection_t *c, struct mmsghdr *msgs, unsigned n)
{
    ql_event_t *wev = &c->write;
    int sent;

    QL_CHECK_THREAD(c->loop);
    if (ql_event_waits(wev)) {
        return NGX_AGAIN;
    }
    do {
        sent = c->loop->sys->sendmmsg(c->fd, msgs, n, MSG_NOSIGNAL);
    } while (sent == -1 && errno == EINTR);
    ql_log_debug(c->loop, QL_DEBUG_NET, "sendmmsg: fd:%d %d of %u", c->fd, sent,
                 n);
    return sent >= 0 ? sent : (int) ql__io_failed(c, wev, "sendmmsg");
}

/* The file of a unix socket that was bound; a child of fork leaves its
 * parent's alone. */
static void
unlink_name(const ql_connection_t *c)
{
    const ql_sys_t *sys = c->loop->sys;
    ql_sockaddr_t name = {.len = sizeof(name.u)};

    if (c->peer.sa.sa_family == AF_UNIX && !c->shared && !c->borrowed
        && ql__loop_owned(c->loop)
        && sys->getsockname(c->fd, &name.u.sa, &name.len) == 0
        && ql__socket_path(&name) != NULL)
    {
        (void) sys->unlink(ql__socket_path(&name));
    }
}

void
ql_udp_close(ql_connection_t *c)
{
    QL_CHECK_THREAD(c->loop);
    unlink_name(c);
    ql_close_connection(c);
}
