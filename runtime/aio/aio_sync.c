/*
 * aio_sync.c: an fsync through the bridge. Call again, as with a read.
 */
#include "../core/loop.h"

#include <errno.h>

static int
result(ql_event_aio_t *aio)
{
    aio->event.complete = 0;
    aio->event.ready = 0;
    return aio->res >= 0 ? NGX_OK : NGX_ERROR;
}

int
ql_file_aio_sync(ql_file_t *file, ql_event_aio_t *aio, int data)
{
    ql_loop_t *loop = file->loop;

    QL_CHECK_THREAD(file->loop);
    if (aio->event.active) {
        return NGX_AGAIN;
    }
    if (aio->event.complete) {
        return result(aio);
    }
    if (ql_aio_init(loop) != NGX_OK) {
        return NGX_DECLINED;
    }
    if (loop->aio.queued >= loop->conf.aio_queue && !aio->patient) {
        return NGX_BUSY;
    }
    if (data) {
        io_prep_fdsync(&aio->aiocb, file->fd);
    } else {
        io_prep_fsync(&aio->aiocb, file->fd);
    }
    aio->fd = file->fd;
    aio->nbytes = 0;
    loop->stats.sync_aio++;
    ql__aio_gather(file, aio);
    return NGX_AGAIN;
}
