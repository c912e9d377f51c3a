/* one_byte.c: EAGAIN, then one byte; and the kernel's contract kept. After
 * SINGLE moves a direction gets LARGE bytes, so that megabytes have an end. */
#include "script.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

enum {
    DESCRIPTORS = 65536,
    SINGLE = 512,
    LARGE = 4096
};

/* How a descriptor was last registered. One that was closed since is refused
 * by the kernel (ENOENT, EBADF), which is fine. */
typedef struct {
    struct epoll_event ee;
    int ep;
    bool tracked;
    bool refused[2];   /* the last attempt, by direction */
    unsigned moves[2]; /* since it was registered, by direction */
} descriptor_t;

static descriptor_t descriptors[DESCRIPTORS];

bool
one_byte__applies(int fd, int flags)
{
    int type = 0;
    socklen_t len = sizeof type;
    int err = errno;
    bool stream = fd >= 0 && fd < DESCRIPTORS && !(flags & MSG_PEEK)
               && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0
               && type == SOCK_STREAM;
    bool nonblocking = stream
                    && (flags & MSG_DONTWAIT
                        || fcntl(fd, F_GETFL) & O_NONBLOCK);

    errno = err;
    return nonblocking;
}

void
one_byte__track(int ep, int op, int fd, const struct epoll_event *ee)
{
    if (fd < 0 || fd >= DESCRIPTORS) {
        return;
    }
    descriptor_t *d = &descriptors[fd];
    d->tracked = op != EPOLL_CTL_DEL;
    if (d->tracked) {
        d->ep = ep;
        d->ee = *ee;
    }
    if (op == EPOLL_CTL_ADD) {
        d->moves[ONE_BYTE_READ] = 0;
        d->moves[ONE_BYTE_WRITE] = 0;
    }
}

void
one_byte__rearm(const ql_sys_t *base, int fd)
{
    if (fd < 0 || fd >= DESCRIPTORS) {
        return;
    }
    descriptor_t *d = &descriptors[fd];
    uint32_t edge = d->ee.events & (EPOLLET | EPOLLONESHOT);
    if (d->tracked && edge == EPOLLET) {
        struct epoll_event ee = d->ee;
        base->epoll_ctl(d->ep, EPOLL_CTL_MOD, fd, &ee);
    }
}

bool
one_byte__refuse(const ql_sys_t *base, int fd, int direction)
{
    bool *refused = &descriptors[fd].refused[direction];

    *refused = !*refused;
    if (*refused) {
        one_byte__rearm(base, fd);
        errno = EAGAIN;
    }
    return *refused;
}

size_t
one_byte__limit(int fd, int direction)
{
    return descriptors[fd].moves[direction]++ < SINGLE ? 1 : LARGE;
}

int
iov__cut(struct iovec *out, const struct iovec *iov, int n, uint64_t limit)
{
    int i;

    for (i = 0; i < n && i < IOV__MAX && limit > 0; i++) {
        out[i] = iov[i];
        if (out[i].iov_len > limit) {
            out[i].iov_len = limit;
        }
        limit -= out[i].iov_len;
    }
    return i;
}
