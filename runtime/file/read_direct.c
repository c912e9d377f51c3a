/*
 * read_direct.c: lane 2, O_DIRECT through the AIO.
 */
#include "read.h"

#include <errno.h>

enum {
    /* io_submit maps the buffer: 0.1 ms for this much. Also a power of two
     * above any alignment. */
    DIRECT_CALL = 1 << 20
};

static void
aio_handler(ql_event_t *ev)
{
    ql_event_aio_t *aio = ev->data;

    ql__read_progress(aio->data, ev);
}

static int
direct_failed(ql__read_t *r)
{
    ql_file_t *file = r->pub.file;

    switch (r->aio.err) {
    case EAGAIN:
        file->loop->stats.read_dirty++;
        break;
    case EINVAL:
        ql__file_no_direct(file, false);
        break;
    case EOPNOTSUPP:
    case ENOSYS:
    case EPERM:
        ql__file_no_direct(file, true);
        break;
    default:
        return ql__read_fail(r, r->aio.err);
    }
    r->lane = ql__read_thread;
    return NGX_DECLINED;
}

/* n of the `part` bytes asked for have come to block + from. */
static int
direct_progress(ql__read_t *r, size_t from, size_t part, size_t n)
{
    size_t head = (size_t) (r->data - r->block);
    size_t before = r->got;
    int64_t size;

    r->got = from + n;
    r->have = r->got > head ? r->got - head : 0;
    if (r->have > r->pub.size) {
        r->have = r->pub.size;
    }
    if (n == 0 || r->have == r->pub.size) {
        return ql__read_finish(r);
    }
    if (n == part) {
        return NGX_DECLINED;
    }
    /* Short: the end of the file, unless there is more by now. What is not
     * local would ask a server for its size: a thread's read finds out. */
    if (!r->pub.file->local) {
        r->lane = ql__read_thread;
        return NGX_DECLINED;
    }
    size = ql_file_size(r->pub.file);
    if (size == -1) {
        return ql__read_fail_logged(r, errno);
    }
    if (r->pub.offset - (off_t) head + (off_t) r->got >= size) {
        return ql__read_finish(r);
    }
    if (r->got <= before) {
        r->lane = ql__read_thread;
    }
    return NGX_DECLINED;
}

int
ql__read_direct(ql__read_t *r)
{
    ql_file_t *file = r->pub.file;
    size_t from = r->got - r->got % file->off_align;
    size_t left = r->length - from;
    size_t part = left < DIRECT_CALL ? left : DIRECT_CALL;
    ssize_t n;

    r->aio.data = r;
    r->aio.handler = aio_handler;
    n = ql_file_aio_read(file, &r->aio, r->block + from, part,
                         r->pub.offset + (off_t) from - (r->data - r->block));
    switch (n) {
    case NGX_AGAIN:
        return NGX_AGAIN;
    case NGX_BUSY:
        return ql__read_busy(r);
    case NGX_DECLINED:
        r->lane = ql__read_thread;
        return NGX_DECLINED;
    case NGX_ERROR:
        return direct_failed(r);
    default:
        return direct_progress(r, from, part, (size_t) n);
    }
}
