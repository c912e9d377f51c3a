/*
 * adopt.c: a connection of a descriptor that was opened elsewhere: a pipe, a
 * terminal, a socket that another process made.
 */
#include "../core/loop.h"

#include <errno.h>
#include <fcntl.h>

static int
refuse(const char **why, const char *words, int err)
{
    *why = words;
    errno = err;
    return NGX_ERROR;
}

static int
check_socket(const ql_sys_t *sys, int fd, const char **why)
{
    int type = ql__socket_option(sys, fd, SO_TYPE);

    if (type == -1) {
        return NGX_ERROR;
    }
    if (type != SOCK_STREAM && type != SOCK_SEQPACKET) {
        return refuse(why, "a datagram socket is no connection", EINVAL);
    }
    if (ql__socket_option(sys, fd, SO_ACCEPTCONN) == 1) {
        return refuse(why, "a listening socket is no connection", EINVAL);
    }
    return NGX_OK;
}

/* What epoll refuses has no EAGAIN either: to wait for a file or a directory
 * would block. */
static int
check(const ql_sys_t *sys, int fd, const struct stat *st, int flags,
      const char **why)
{
    switch (st->st_mode & S_IFMT) {
    case S_IFREG:
        return (flags & QL_ADOPT_SHARED) != 0
                 ? NGX_OK
                 : refuse(why, "a regular file is no connection", EPERM);
    case S_IFDIR:
        return refuse(why, "a directory is no connection", EPERM);
    case S_IFBLK:
        return refuse(why, "a block device is no connection", EPERM);
    case S_IFSOCK:
        return check_socket(sys, fd, why);
    default:
        return NGX_OK;
    }
}

int
ql__set_nonblocking(const ql_sys_t *sys, int fd)
{
    int flags = sys->fcntl(fd, F_GETFL, 0);

    if (flags == -1 || (flags & O_NONBLOCK) != 0) {
        return flags == -1 ? NGX_ERROR : NGX_OK;
    }
    return sys->fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ? NGX_ERROR
                                                             : NGX_OK;
}

static ql_connection_t *
adopt(ql_loop_t *loop, int fd, const struct stat *st)
{
    ql_connection_t *c = ql_get_connection(loop, fd);
    socklen_t len = sizeof(c->peer);

    if (c == NULL) {
        return NULL;
    }
    c->shared = 1;
    if (!S_ISSOCK(st->st_mode)) {
        c->plain = 1;
    } else if (loop->sys->getpeername(fd, &c->peer.sa, &len) == -1) {
        c->peer.sa.sa_family = AF_UNSPEC;
    }
    return c;
}

ql_connection_t *
ql_adopt_connection(ql_loop_t *loop, int fd, int flags, const char **why)
{
    const ql_sys_t *sys = loop->sys;
    ql_connection_t *c = NULL;
    struct stat st;
    int err;

    QL_CHECK_THREAD(loop);
    *why = NULL;
    if (sys->fstat(fd, &st) == -1 || check(sys, fd, &st, flags, why) != NGX_OK)
    {
        return NULL;
    }
    if ((flags & QL_ADOPT_DUP) != 0) {
        fd = sys->dup(fd);
        if (fd == -1) {
            return NULL;
        }
    }
    if ((flags & QL_ADOPT_SHARED) != 0
        || ql__set_nonblocking(sys, fd) == NGX_OK) {
        c = adopt(loop, fd, &st);
    }
    if (c != NULL && (flags & QL_ADOPT_SHARED) != 0) {
        c->io = &ql_shared_io;
    }
    if (c == NULL && (flags & QL_ADOPT_DUP) != 0) {
        err = errno;
        (void) sys->close(fd);
        errno = err;
    }
    return c;
}
