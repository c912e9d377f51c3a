/*
 * preload.c: LD_PRELOAD it and every nonblocking stream socket of the process
 * answers EAGAIN first and then moves one byte. The whole suite runs so.
 */
#include "script.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/sendfile.h>

static ql_sys_t next; /* what libc would have done */

static void *
find(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* A data pointer may hold a function on every system that has dlsym. */
__attribute__((constructor)) static void
find_next(void)
{
    *(void **) (void *) &next.recv = find("recv");
    *(void **) (void *) &next.send = find("send");
    *(void **) (void *) &next.recvmsg = find("recvmsg");
    *(void **) (void *) &next.sendmsg = find("sendmsg");
    *(void **) (void *) &next.sendfile = find("sendfile");
    *(void **) (void *) &next.epoll_ctl = find("epoll_ctl");
}

static size_t
limit(int fd, int direction, size_t size)
{
    size_t most = one_byte__limit(fd, direction);

    return size < most ? size : most;
}

static ssize_t
moved(int fd, ssize_t n)
{
    int err = errno;

    if (n > 0) {
        one_byte__rearm(&next, fd);
    }
    errno = err;
    return n;
}

/* libc names the parameters its own way. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */

int
epoll_ctl(int ep, int op, int fd, struct epoll_event *ee)
{
    int rc = next.epoll_ctl(ep, op, fd, ee);

    if (rc == 0) {
        one_byte__track(ep, op, fd, ee);
    }
    return rc;
}

ssize_t
recv(int fd, void *buf, size_t size, int flags)
{
    if (size == 0 || !one_byte__applies(fd, flags)) {
        return next.recv(fd, buf, size, flags);
    }
    if (one_byte__refuse(&next, fd, ONE_BYTE_READ)) {
        return -1;
    }
    return moved(fd, next.recv(fd, buf, limit(fd, ONE_BYTE_READ, size), flags));
}

ssize_t
send(int fd, const void *buf, size_t size, int flags)
{
    if (size == 0 || !one_byte__applies(fd, flags)) {
        return next.send(fd, buf, size, flags);
    }
    if (one_byte__refuse(&next, fd, ONE_BYTE_WRITE)) {
        return -1;
    }
    return moved(fd,
                 next.send(fd, buf, limit(fd, ONE_BYTE_WRITE, size), flags));
}

ssize_t
sendfile(int to, int from, off_t *offset, size_t size)
{
    if (size == 0 || !one_byte__applies(to, 0)) {
        return next.sendfile(to, from, offset, size);
    }
    if (one_byte__refuse(&next, to, ONE_BYTE_WRITE)) {
        return -1;
    }
    return moved(
        to, next.sendfile(to, from, offset, limit(to, ONE_BYTE_WRITE, size)));
}

ssize_t
recvmsg(int fd, struct msghdr *msg, int flags)
{
    struct iovec iov[IOV__MAX];

    if (msg->msg_iovlen == 0 || !one_byte__applies(fd, flags)) {
        return next.recvmsg(fd, msg, flags);
    }
    if (one_byte__refuse(&next, fd, ONE_BYTE_READ)) {
        return -1;
    }
    struct iovec *whole = msg->msg_iov;
    size_t n = msg->msg_iovlen;
    msg->msg_iovlen = (size_t) iov__cut(iov, whole, (int) n,
                                        one_byte__limit(fd, ONE_BYTE_READ));
    msg->msg_iov = iov;
    ssize_t got = next.recvmsg(fd, msg, flags);
    msg->msg_iov = whole;
    msg->msg_iovlen = n;
    return moved(fd, got);
}

ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
    struct iovec iov[IOV__MAX];

    if (msg->msg_iovlen == 0 || !one_byte__applies(fd, flags)) {
        return next.sendmsg(fd, msg, flags);
    }
    if (one_byte__refuse(&next, fd, ONE_BYTE_WRITE)) {
        return -1;
    }
    struct msghdr cut = *msg;
    cut.msg_iovlen = (size_t) iov__cut(iov, msg->msg_iov, (int) msg->msg_iovlen,
                                       one_byte__limit(fd, ONE_BYTE_WRITE));
    cut.msg_iov = iov;
    return moved(fd, next.sendmsg(fd, &cut, flags));
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
