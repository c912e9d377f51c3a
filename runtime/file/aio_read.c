/*
 * aio_read.c: one direct read through the bridge. Call again: the first call
 * gathers it, the call after its event has the result.
 */
#include "../core/loop.h"

#include <errno.h>

enum {
    /* Reads that go out together while a turn goes on. More of them share a
     * system call and a doorbell of the disk, but it has less to do until
     * then: of fio's reads a second 1, 2, 4 and 8 brought 0.99, 0.98, 0.94 and
     * 0.89, for 1.10, 0.98, 0.95 and 0.95 of its CPU time. */
    AIO_BATCH = 2
};

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

static void
gather(ql_file_t *file, ql_event_aio_t *aio)
{
    ql_loop_t *loop = file->loop;

    /* Until it is complete: close(2) before the submit would let it read
     * whatever gets the number next. */
    ql__file_hold(file);
    aio->event.active = 1;
    aio->event.complete = 0;
    aio->event.ready = 0;
    aio->gathered = 1;
    ql_queue_insert_tail(&loop->aio.gathered, &aio->link);
    loop->aio.queued++;
    loop->stats.read_direct++;
}

ssize_t
ql_file_aio_read(ql_file_t *file, ql_event_aio_t *aio, void *buf, size_t size,
                 off_t offset)
{
    ql_loop_t *loop = file->loop;

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
    if (loop->aio.queued >= loop->conf.aio_queue) {
        return NGX_BUSY;
    }
    io_prep_pread(&aio->aiocb, file->direct_fd, buf, size, offset);
    io_set_eventfd(&aio->aiocb, loop->aio.eventfd);
    /* A submit that would have to wait says EAGAIN: dirty pages, a lock. */
    aio->aiocb.aio_rw_flags = RWF_NOWAIT;
    aio->aiocb.data = aio;
    aio->file = file;
    aio->fd = file->direct_fd;
    aio->nbytes = size;
    aio->event.data = aio;
    aio->event.handler = ql_file_aio_event_handler;
    gather(file, aio);
    if (loop->aio.in_flight == 0 || loop->aio.queued >= AIO_BATCH) {
        ql_aio_submit(loop);
    }
    return NGX_AGAIN;
}
