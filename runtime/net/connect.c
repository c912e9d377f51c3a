/*
 * connect.c: outgoing connections.
 */
#include "../core/loop.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

static void
set_nodelay(ql_loop_t *loop, int fd, int family)
{
    int one = 1;

    if (family != AF_UNIX
        && loop->sys->setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
                                 sizeof(one))
               == -1)
    {
        ql_log_error(loop, QL_LOG_WARN, errno, "TCP_NODELAY not set");
    }
}

/* The port is chosen at connect(2), when the peer is known: more of them. */
static int
bind_local(ql_loop_t *loop, int fd, const ql_sockaddr_t *addr)
{
    int one = 1;

    if (addr->u.sa.sa_family != AF_UNIX) {
        (void) loop->sys->setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT,
                                     &one, sizeof(one));
    }
    if (loop->sys->bind(fd, &addr->u.sa, addr->len) == -1) {
        ql_log_error(loop, QL_LOG_INFO, errno, "bind() failed");
        return NGX_ERROR;
    }
    return NGX_OK;
}

static void
keep_peer(ql_connection_t *c, const ql_sockaddr_t *addr)
{
    if (addr->u.sa.sa_family == AF_UNIX) {
        c->peer.sa.sa_family = AF_UNIX;
    } else {
        memcpy(&c->peer, &addr->u, sizeof(c->peer));
    }
}

/* In the set after connect(2): before it, the kernel reports a hang-up. */
static int
start(ql_connection_t *c, const ql_sockaddr_t *addr)
{
    ql_loop_t *loop = c->loop;
    char text[QL_SOCKADDR_STRLEN];

    if (loop->sys->connect(c->fd, &addr->u.sa, addr->len) == 0) {
        return NGX_OK;
    }
    if (errno == EINPROGRESS || errno == EINTR) {
        return ql_handle_write_event(&c->write) == NGX_OK ? NGX_AGAIN
                                                          : NGX_ERROR;
    }
    ql_log_error(loop, QL_LOG_INFO, errno, "connect() to %s failed",
                 ql_sockaddr_text(&addr->u.sa, addr->len, text));
    return NGX_ERROR;
}

int
ql_event_connect_peer(ql_loop_t *loop, const ql_sockaddr_t *addr,
                      const ql_connect_opts_t *opts, ql_connection_t **c)
{
    static const ql_connect_opts_t none;
    int family = addr->u.sa.sa_family, fd, rc, err;

    QL_CHECK_THREAD(loop);
    fd = loop->sys->socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                           0);
    if (fd == -1) {
        ql_log_error(loop, QL_LOG_ERR, errno, "socket() failed");
        return NGX_ERROR;
    }
    opts = opts != NULL ? opts : &none;
    set_nodelay(loop, fd, family);
    if (ql__set_sockopts(loop, fd, opts->options, opts->noptions, QL_LOG_INFO)
            != NGX_OK
        || (opts->bind != NULL && bind_local(loop, fd, opts->bind) != NGX_OK))
    {
        goto failed;
    }
    *c = ql_get_connection(loop, fd);
    if (*c == NULL) {
        goto failed;
    }
    keep_peer(*c, addr);
    rc = start(*c, addr);
    if (rc == NGX_ERROR) {
        err = errno;
        ql_close_connection(*c);
        *c = NULL;
        errno = err;
    }
    return rc;

failed:
    err = errno;
    (void) loop->sys->close(fd);
    *c = NULL;
    errno = err;
    return NGX_ERROR;
}

static int
connect_failed(ql_connection_t *c, int err)
{
    ql_log_error(c->loop, QL_LOG_INFO, err, "connect() failed");
    c->err = err;
    c->write.error = 1;
    c->write.ready = 0;
    errno = err;
    return NGX_ERROR;
}

int
ql_test_connect(ql_connection_t *c)
{
    const ql_sys_t *sys = c->loop->sys;
    struct sockaddr_storage peer;
    socklen_t len = sizeof(int);
    int err = 0;

    QL_CHECK_THREAD(c->loop);
    /* The kernel tells of a failure once; its event may come twice. */
    if (c->write.error || (c->write.active && !c->write.ready)) {
        return (int) ql__io_not_ready(c, &c->write);
    }
    if (sys->getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1) {
        err = errno;
    }
    if (err != 0) {
        return connect_failed(c, err);
    }
    /* SO_ERROR is 0 while it is under way, too. */
    len = sizeof(peer);
    if (sys->getpeername(c->fd, (struct sockaddr *) &peer, &len) == 0) {
        return NGX_OK;
    }
    if (errno != ENOTCONN) {
        return connect_failed(c, errno);
    }
    c->write.ready = 0;
    return NGX_AGAIN;
}
