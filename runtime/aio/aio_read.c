/*
 * aio_read.c: one direct read through the bridge. Call again: the first call
 * gathers it, the call after its event has the result.
 */
#include "../core/loop.h"

#include <errno.h>

void
ql_file_aio_event_handler(ql_event_t *ev)
{
    ql_event_aio_t *aio = ev->data;

    aio->handler(ev);
}

static bool
other_lane_may(int err)
{
    return err == EAGAIN || err == EINVAL || err == EOPNOTSUPP || err == ENOSYS
        || err == EPERM || err == ECANCELED;
}

static ssize_t
result(ql_file_t *file, ql_event_aio_t *aio)
{
    /* Asked before its event was handled: that must not end what comes next. */
    ql_delete_posted_event(file->loop, &aio->event);
    aio->event.complete = 0;
    aio->event.ready = 0;
    if (aio->res >= 0) {
        return (ssize_t) aio->res;
    }
    if (!other_lane_may(aio->err)) {
        ql_log_error(file->loop, QL_LOG_ERR, aio->err,
                     "direct read of %zu bytes at %lld failed", aio->nbytes,
                     aio->aiocb.u.c.offset);
    }
    return NGX_ERROR;
}

ssize_t
ql_file_aio_read(ql_file_t *file, ql_event_aio_t *aio, void *buf, size_t size,
                 off_t offset)
{
    ql_loop_t *loop = file->loop;

    QL_CHECK_THREAD(file->loop);
    if (aio->event.active) {
        return NGX_AGAIN;
    }
    if (aio->event.complete) {
        return result(file, aio);
    }
    if (file->memory || ql__file_direct(file) == -1
        || ql_aio_init(loop) != NGX_OK) {
        return NGX_DECLINED;
    }
    if (loop->aio.queued >= loop->conf.aio_queue && !aio->patient) {
        return NGX_BUSY;
    }
    io_prep_pread(&aio->aiocb, file->direct_fd, buf, size, offset);
    /* A submit that would have to wait says EAGAIN: dirty pages, a lock. */
    aio->aiocb.aio_rw_flags = RWF_NOWAIT;
    aio->fd = file->direct_fd;
    aio->nbytes = size;
    loop->stats.read_direct++;
    ql__aio_gather(file, aio);
    return NGX_AGAIN;
}
