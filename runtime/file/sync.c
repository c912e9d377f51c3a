/*
 * sync.c: what was written reaches the disk. The kernel's AIO waits for it
 * where it can, so that no thread has to.
 */
#include "../core/loop.h"

#include <errno.h>

typedef struct {
    ql_call_t call; /* first */
    ql_file_t *file;
    ql_event_aio_t aio;
    int fd;
    bool data; /* fdatasync */
} sync_t;

static sync_t *
sync_of(ql_call_t *call)
{
    return (sync_t *) (void *) call;
}

/* No iocb of this kind here: refused by the submit, or the file system has no
 * fsync at all; EAGAIN: the context was the parent's. The disk says none of
 * these. */
static bool
refused(int err)
{
    return err == EINVAL || err == EOPNOTSUPP || err == ENOSYS || err == EPERM
        || err == EAGAIN;
}

static void
sync_handler(ql_event_t *ev)
{
    ql_event_aio_t *aio = ev->data;

    ql__call_returned(aio->data);
}

static void
sync_run(ql_call_t *call)
{
    const ql_sys_t *sys = call->loop->sys;
    sync_t *s = sync_of(call);
    int rc;

    do {
        rc = s->data ? sys->fdatasync(s->fd) : sys->fsync(s->fd);
    } while (rc == -1 && errno == EINTR);
    ql__call_result(call, rc);
}

static int
by_thread(sync_t *s, int reason)
{
    ql__fallback(s->file, reason);
    return NGX_DECLINED;
}

/* Nothing to wait for in memory. */
static int
sync_memory(ql_call_t *call)
{
    sync_run(call);
    return call->res == -1 ? NGX_ERROR : NGX_OK;
}

static int
sync_attempt(ql_call_t *call)
{
    sync_t *s = sync_of(call);
    int rc;

    if (s->file->memory) {
        return sync_memory(call);
    }
    rc = ql_file_aio_sync(s->file, &s->aio, s->data);
    switch (rc) {
    case NGX_AGAIN:
        call->executor = &s->aio.event;
        return NGX_AGAIN;
    case NGX_OK:
        call->res = 0;
        return NGX_OK;
    case NGX_ERROR:
        call->res = -1;
        call->err = s->aio.err;
        return refused(call->err) ? by_thread(s, QL__FALLBACK_SYNC) : NGX_ERROR;
    case NGX_BUSY:
        return by_thread(s, QL__FALLBACK_SYNC_FULL);
    default:
        return by_thread(s, QL__FALLBACK_SYNC);
    }
}

static void
sync_release(ql_call_t *call)
{
    ql__file_release(sync_of(call)->file);
}

static const ql_call_type_t sync_type = {.name = "sync",
                                         .attempt = sync_attempt,
                                         .run = sync_run,
                                         .release = sync_release};

ql_call_t *
ql_sync_create(ql_file_t *file, int data)
{
    sync_t *s;

    QL_CHECK_THREAD(file->loop);
    s = ql_call_create(file->loop, &sync_type, sizeof(*s));
    if (s == NULL) {
        return NULL;
    }
    s->file = file;
    s->fd = file->fd;
    s->data = data != 0;
    s->aio.data = s;
    s->aio.handler = sync_handler;
    ql__file_hold(file);
    return &s->call;
}
