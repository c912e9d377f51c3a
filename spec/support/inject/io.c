/* io.c: the calls that move bytes: rules may cut their count. */
#include "script.h"

#include <errno.h>

static bool one_byte;

void
ql_inject_one_byte(int on)
{
    one_byte = on != 0;
}

static uint64_t
smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What becomes of a receive or send of `size` bytes. */
static verdict_t
judge_socket(int call, int fd, int direction, int flags, size_t size)
{
    verdict_t verdict = inject__judge(call, fd);

    if (!verdict.decided && one_byte && one_byte__applies(fd, flags)) {
        if (one_byte__refuse(inject__base(), fd, direction)) {
            verdict.decided = true;
            verdict.result = -1;
        } else {
            verdict.limit = smaller(verdict.limit,
                                    one_byte__limit(fd, direction));
        }
    }
    verdict.limit = smaller(verdict.limit, size);
    return verdict;
}

/* A count that was cut: the edge has to come again. */
static ssize_t
moved(int fd, ssize_t n, uint64_t limit, size_t size)
{
    int err = errno;

    if (n > 0 && limit < size) {
        one_byte__rearm(inject__base(), fd);
    }
    errno = err;
    return n;
}

static ssize_t
inject_recv(int fd, void *buf, size_t size, int flags)
{
    verdict_t verdict = judge_socket(CALL_recv, fd, ONE_BYTE_READ, flags, size);

    if (verdict.decided) {
        return verdict.result;
    }
    ssize_t n = inject__base()->recv(fd, buf, verdict.limit, flags);
    return moved(fd, n, verdict.limit, size);
}

static ssize_t
inject_send(int fd, const void *buf, size_t size, int flags)
{
    verdict_t verdict = judge_socket(CALL_send, fd, ONE_BYTE_WRITE, flags,
                                     size);

    if (verdict.decided) {
        return verdict.result;
    }
    ssize_t n = inject__base()->send(fd, buf, verdict.limit, flags);
    return moved(fd, n, verdict.limit, size);
}

static ssize_t
inject_recvmsg(int fd, struct msghdr *msg, int flags)
{
    verdict_t verdict = judge_socket(CALL_recvmsg, fd, ONE_BYTE_READ, flags,
                                     SIZE_MAX);
    struct iovec iov[IOV__MAX];

    if (verdict.decided) {
        return verdict.result;
    }
    if (verdict.limit == SIZE_MAX) {
        return inject__base()->recvmsg(fd, msg, flags);
    }
    struct msghdr cut = *msg;
    cut.msg_iov = iov;
    cut.msg_iovlen = (size_t) iov__cut(iov, msg->msg_iov, (int) msg->msg_iovlen,
                                       verdict.limit);
    ssize_t n = inject__base()->recvmsg(fd, &cut, flags);
    msg->msg_namelen = cut.msg_namelen;
    msg->msg_controllen = cut.msg_controllen;
    msg->msg_flags = cut.msg_flags;
    return moved(fd, n, verdict.limit, SIZE_MAX);
}

static ssize_t
inject_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    verdict_t verdict = judge_socket(CALL_sendmsg, fd, ONE_BYTE_WRITE, flags,
                                     SIZE_MAX);
    struct iovec iov[IOV__MAX];

    if (verdict.decided) {
        return verdict.result;
    }
    struct msghdr cut = *msg;
    cut.msg_iov = iov;
    cut.msg_iovlen = (size_t) iov__cut(iov, msg->msg_iov, (int) msg->msg_iovlen,
                                       verdict.limit);
    ssize_t n = inject__base()->sendmsg(fd, &cut, flags);
    return moved(fd, n, verdict.limit, SIZE_MAX);
}

/* These two are cut to a number of messages. */
static int
inject_recvmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags,
                struct timespec *timeout)
{
    verdict_t verdict = inject__judge(CALL_recvmmsg, fd);

    if (verdict.decided) {
        return (int) verdict.result;
    }
    unsigned cut = (unsigned) smaller(n, verdict.limit);
    int got = inject__base()->recvmmsg(fd, msgs, cut, flags, timeout);
    return (int) moved(fd, got, cut, n);
}

static int
inject_sendmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags)
{
    verdict_t verdict = inject__judge(CALL_sendmmsg, fd);

    if (verdict.decided) {
        return (int) verdict.result;
    }
    n = (unsigned) smaller(n, verdict.limit);
    return inject__base()->sendmmsg(fd, msgs, n, flags);
}

static ssize_t
inject_sendfile(int to, int from, off_t *offset, size_t size)
{
    verdict_t verdict = judge_socket(CALL_sendfile, to, ONE_BYTE_WRITE, 0,
                                     size);

    if (verdict.decided) {
        return verdict.result;
    }
    ssize_t n = inject__base()->sendfile(to, from, offset, verdict.limit);
    return moved(to, n, verdict.limit, size);
}

static ssize_t
inject_read(int fd, void *buf, size_t size)
{
    verdict_t verdict = inject__judge(CALL_read, fd);

    if (verdict.decided) {
        return verdict.result;
    }
    return inject__base()->read(fd, buf, smaller(size, verdict.limit));
}

static ssize_t
inject_write(int fd, const void *buf, size_t size)
{
    verdict_t verdict = inject__judge(CALL_write, fd);

    if (verdict.decided) {
        return verdict.result;
    }
    return inject__base()->write(fd, buf, smaller(size, verdict.limit));
}

static ssize_t
inject_pread(int fd, void *buf, size_t size, off_t offset)
{
    verdict_t verdict = inject__judge(CALL_pread, fd);

    if (verdict.decided) {
        return verdict.result;
    }
    return inject__base()->pread(fd, buf, smaller(size, verdict.limit), offset);
}

static ssize_t
inject_preadv2(int fd, const struct iovec *iov, int n, off_t offset, int flags)
{
    verdict_t verdict = inject__judge(CALL_preadv2, fd);
    struct iovec cut[IOV__MAX];

    if (verdict.decided) {
        return verdict.result;
    }
    n = iov__cut(cut, iov, n, verdict.limit);
    return inject__base()->preadv2(fd, cut, n, offset, flags);
}

static ssize_t
inject_pwritev2(int fd, const struct iovec *iov, int n, off_t offset, int flags)
{
    verdict_t verdict = inject__judge(CALL_pwritev2, fd);
    struct iovec cut[IOV__MAX];

    if (verdict.decided) {
        return verdict.result;
    }
    n = iov__cut(cut, iov, n, verdict.limit);
    return inject__base()->pwritev2(fd, cut, n, offset, flags);
}

static ssize_t
inject_copy_file_range(int from, off_t *from_at, int to, off_t *to_at,
                       size_t size, unsigned flags)
{
    verdict_t verdict = inject__judge(CALL_copy_file_range, from);

    if (verdict.decided) {
        return verdict.result;
    }
    return inject__base()->copy_file_range(from, from_at, to, to_at,
                                           smaller(size, verdict.limit), flags);
}

void
inject__io(ql_sys_t *sys)
{
    sys->recv = inject_recv;
    sys->send = inject_send;
    sys->recvmsg = inject_recvmsg;
    sys->sendmsg = inject_sendmsg;
    sys->recvmmsg = inject_recvmmsg;
    sys->sendmmsg = inject_sendmmsg;
    sys->sendfile = inject_sendfile;
    sys->read = inject_read;
    sys->write = inject_write;
    sys->pread = inject_pread;
    sys->preadv2 = inject_preadv2;
    sys->pwritev2 = inject_pwritev2;
    sys->copy_file_range = inject_copy_file_range;
}
