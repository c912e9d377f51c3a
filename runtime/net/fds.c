/*
 * fds.c: descriptors that travel with the bytes of a unix stream. The io table
 * of a connection that keeps them receives by recvmsg(2), which any other read
 * throws away what it has no room for. The kernel ends a read behind the bytes
 * that a descriptor came with, so a short one with descriptors proves nothing.
 */
#include "../core/loop.h"

#include <errno.h>
#include <string.h>

enum {
    KERNEL_MAX = 253 /* descriptors with one message: SCM_MAX_FD */
};

/* A descriptor that nobody has taken yet. */
typedef struct {
    int fd;      /* -1: some were lost here */
    uint64_t at; /* bytes received, those that it came with included */
} passed_t;

/* c->transport */
typedef struct {
    uint64_t received;               /* bytes */
    uint32_t count;                  /* of passed */
    passed_t passed[QL_FDS_MAX + 1]; /* one more, for those that were lost */
} fds_t;

typedef union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(KERNEL_MAX * sizeof(int))];
} control_t;

/* --------------------------------------------------------- receiving ---- */

static void
keep(ql_connection_t *c, int fd)
{
    fds_t *fds = c->transport;
    bool lost = fds->count > 0 && fds->passed[fds->count - 1].fd == -1
             && fds->passed[fds->count - 1].at == fds->received;

    if (fds->count >= QL_FDS_MAX && fd != -1) {
        (void) c->loop->sys->close(fd);
        fd = -1;
    }
    if (fds->count > QL_FDS_MAX || (fd == -1 && lost)) {
        return;
    }
    fds->passed[fds->count++] = (passed_t){fd, fds->received};
}

/* True: the read may have ended early. */
static bool
collect(ql_connection_t *c, struct msghdr *msg)
{
    bool any = (msg->msg_flags & MSG_CTRUNC) != 0;
    struct cmsghdr *cmsg;

    for (cmsg = CMSG_FIRSTHDR(msg); cmsg != NULL; cmsg = CMSG_NXTHDR(msg, cmsg))
    {
        size_t n, i;
        int fd;

        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (i = 0; i < n; i++) {
            memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
            keep(c, fd);
        }
        any = true;
    }
    /* EMFILE, for one: the kernel does not say. */
    if ((msg->msg_flags & MSG_CTRUNC) != 0) {
        keep(c, -1);
    }
    return any;
}

static ssize_t
fds_recv_chain(ql_connection_t *c, const struct iovec *iov, int n)
{
    control_t control;
    struct msghdr msg = {.msg_iov = (struct iovec *) (uintptr_t) iov,
                         .msg_iovlen = (size_t) n,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};
    ql_event_t *rev = &c->read;
    fds_t *fds = c->transport;
    ssize_t got;

    if (rev->eof || ql_event_waits(rev) || rev->error) {
        return ql__io_not_ready(c, rev);
    }
    do {
        got = c->loop->sys->recvmsg(c->fd, &msg, MSG_CMSG_CLOEXEC);
    } while (got == -1 && errno == EINTR);
    ql_log_debug(c->loop, QL_DEBUG_NET, "recvmsg: fd:%d %zd", c->fd, got);
    if (got == -1) {
        return ql__io_failed(c, rev, "recvmsg");
    }
    fds->received += (uint64_t) got;
    if (!collect(c, &msg) && got == 0) {
        rev->ready = 0;
        rev->eof = 1;
    }
    return got;
}

static ssize_t
fds_recv(ql_connection_t *c, void *buf, size_t size)
{
    struct iovec iov = {buf, size};

    return fds_recv_chain(c, &iov, 1);
}

static void
fds_close(ql_connection_t *c)
{
    fds_t *fds = c->transport;
    uint32_t i;

    for (i = 0; i < fds->count; i++) {
        if (fds->passed[i].fd != -1) {
            (void) c->loop->sys->close(fds->passed[i].fd);
        }
    }
    ql__free(c->loop, fds);
    c->transport = NULL;
    c->io = &ql_os_io;
}

static const ql_os_io_t fds_io = {
    .recv = fds_recv,
    .recv_chain = fds_recv_chain,
    .udp_recv = ql_udp_unix_recv,
    .send = ql_unix_send,
    .send_chain = ql_writev_chain,
    .sendfile = ql_unix_sendfile,
    .close = fds_close,
};

int
ql_fds_travel(const ql_connection_t *c)
{
    QL_CHECK_THREAD(c->loop);
    return c->peer.sa.sa_family == AF_UNIX && !c->plain
        && (c->io == &ql_os_io || c->io == &fds_io);
}

int
ql_fds_keep(ql_connection_t *c)
{
    fds_t *fds;

    QL_CHECK_THREAD(c->loop);
    if (c->io == &fds_io) {
        return NGX_OK;
    }
    if (!ql_fds_travel(c)) {
        errno = EOPNOTSUPP;
        return NGX_ERROR;
    }
    fds = ql__alloc(c->loop, sizeof(*fds));
    if (fds == NULL) {
        errno = ENOMEM;
        return NGX_ERROR;
    }
    fds->received = 0;
    fds->count = 0;
    c->transport = fds;
    c->io = &fds_io;
    return NGX_OK;
}

int
ql_fds_next(const ql_connection_t *c, uint64_t *behind)
{
    const fds_t *fds = c->transport;

    QL_CHECK_THREAD(c->loop);
    if (c->io != &fds_io || fds->count == 0) {
        return NGX_DECLINED;
    }
    *behind = fds->received - fds->passed[0].at;
    return NGX_OK;
}

int
ql_fds_take(ql_connection_t *c)
{
    fds_t *fds = c->transport;
    int fd;

    QL_CHECK_THREAD(c->loop);
    fd = fds->passed[0].fd;
    fds->count--;
    memmove(fds->passed, fds->passed + 1, fds->count * sizeof(passed_t));
    errno = EMFILE;
    return fd;
}

/* ----------------------------------------------------------- sending ---- */

/* The connection is none the worse for what the kernel did not take. */
static ssize_t
refused(ql_connection_t *c)
{
    if (errno == EBADF || errno == ETOOMANYREFS || errno == EINVAL
        || errno == EOPNOTSUPP || errno == ENOMEM)
    {
        c->err = errno;
        return NGX_ERROR;
    }
    return ql__io_failed(c, &c->write, "sendmsg");
}

ssize_t
ql_fds_send(ql_connection_t *c, const void *buf, size_t size, const int *fds,
            unsigned n)
{
    struct iovec iov = {(void *) (uintptr_t) buf, size};
    control_t control;
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = CMSG_SPACE(n * sizeof(int))};
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
    ssize_t sent;

    QL_CHECK_THREAD(c->loop);
    if (!ql_fds_travel(c)) {
        errno = EOPNOTSUPP;
        return refused(c);
    }
    if (c->write.error || ql_event_waits(&c->write)) {
        return ql__io_not_ready(c, &c->write);
    }
    memset(&control, 0, sizeof(control));
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
    memcpy(CMSG_DATA(cmsg), fds, n * sizeof(int));
    do {
        sent = c->loop->sys->sendmsg(c->fd, &msg, MSG_NOSIGNAL);
    } while (sent == -1 && errno == EINTR);
    ql_log_debug(c->loop, QL_DEBUG_NET, "sendmsg: fd:%d %zd of %zu, %u fds",
                 c->fd, sent, size, n);
    if (sent == -1) {
        return refused(c);
    }
    if ((size_t) sent < size) {
        c->write.ready = 0;
    }
    return sent;
}
