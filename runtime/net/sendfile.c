/*
 * sendfile.c: a part of a file from the page cache into a socket. sendfile(2)
 * waits for the disk whatever the flags of its descriptors, so it is given
 * only what has been proven to be there.
 */
#include "../core/loop.h"

#include <errno.h>

enum {
    /* Sent at a time: a task's share of a turn. What is not known to be there
     * is proven by 64 KiB: no more than one proof too many when the socket is
     * full. */
    SENDFILE_PART = 256 * 1024
};

/* Neither the peer's nor the network's: a read does without, or tells. */
static bool
of_the_file(int err)
{
    switch (err) {
    case EINVAL:
    case ENOSYS:
    case EOPNOTSUPP:
    case EPERM:
    case EOVERFLOW:
    case EIO:
    case ENOMEM:
        return true;
    default:
        return false;
    }
}

static ssize_t
transmit(ql_connection_t *c, const ql_file_t *file, off_t offset, size_t size)
{
    sigset_t saved;
    ssize_t n;

    ql__sigpipe_hold(&saved);
    do {
        n = c->loop->sys->sendfile(c->fd, file->fd, &offset, size);
    } while (n == -1 && errno == EINTR);
    /* A peer that goes in the middle leaves the signal beside a count. */
    ql__sigpipe_release(&saved, n == -1 ? errno == EPIPE : (size_t) n < size);
    ql_log_debug(c->loop, QL_DEBUG_NET, "sendfile: fd:%d %zd of %zu", c->fd, n,
                 size);
    return n;
}

/* A short count says nothing of the socket: `ready` stays. */
ssize_t
ql_unix_sendfile(ql_connection_t *c, ql_file_t *file, off_t offset, size_t size)
{
    ql_event_t *wev = &c->write;
    ssize_t n;

    QL_CHECK_THREAD(c->loop);
    if (wev->active && !wev->ready) {
        return ql__io_not_ready(c, wev);
    }
    size = ql__file_resident(file, offset,
                             size < SENDFILE_PART ? size : SENDFILE_PART);
    if (size == 0) {
        return NGX_DECLINED;
    }
    n = transmit(c, file, offset, size);
    if (n >= 0) {
        c->loop->stats.sendfiles++;
        return n;
    }
    if (!of_the_file(errno)) {
        return ql__io_failed(c, wev, "sendfile");
    }
    ql__fallback(file, QL__FALLBACK_SENDFILE);
    return NGX_DECLINED;
}
