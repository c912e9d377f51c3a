/*
 * read.c: a read down its lanes, on memory with two holders. The waiter has
 * it until ql_read_free(); the kernel or a thread, the executor, from its
 * submission to its completion. The last to let go frees it.
 */
#include "../core/loop.h"

#include <errno.h>

enum {
    READ_MAX = 1 << 30,
    /* io_submit maps the buffer: 0.1 ms for this much. Also a power of two
     * above any alignment. */
    DIRECT_CALL = 1 << 20,
    /* Copied from the page cache by one attempt: 0.1 ms. */
    CACHED_SHARE = 1 << 20
};

#define OFFSET_MAX ((off_t) 1 << 62)

/* The lane the next attempt goes down; NGX_DECLINED: it has set another. */
typedef struct ql__read_s ql__read_t;
typedef int (*ql__lane_pt)(ql__read_t *r);

struct ql__read_s {
    ql_read_t pub; /* first */
    ql__lane_pt lane;
    char *block;   /* memory that data lies in; aligned for a direct read */
    char *data;    /* where the first byte asked for goes */
    size_t have;   /* right bytes at data so far */
    size_t got;    /* direct: bytes at block so far */
    size_t length; /* bytes at block; direct: asked for, rounded up */
    size_t align;  /* of block */
    ql_event_aio_t aio;
    ql_thread_task_t task;
    int fd;           /* task: to read from */
    ssize_t task_got; /* task: bytes or -1 */
    int task_err;     /* task: errno */
    int rc;           /* result when done */
};

static int lane_cached(ql__read_t *r);
static int lane_direct(ql__read_t *r);
static int lane_pool(ql__read_t *r);

static void
destroy(ql__read_t *r)
{
    ql_file_t *file = r->pub.file;
    ql_loop_t *loop = file->loop;

    ql__block_give(loop, r->block, r->length, r->align);
    ql__free(loop, r);
    loop->stats.reads_live--;
    ql__file_release(file);
}

static void
progress(ql__read_t *r, const ql_event_t *executor)
{
    if (executor->abandoned) {
        r->pub.file->loop->stats.orphans--;
        destroy(r);
        return;
    }
    if (r->pub.event.handler != NULL) {
        ql_post_event(r->pub.file->loop, &r->pub.event);
    }
}

static void
aio_handler(ql_event_t *ev)
{
    ql_event_aio_t *aio = ev->data;

    progress(aio->data, ev);
}

static void
task_handler(ql_event_t *ev)
{
    ql_thread_task_t *task = ev->data;

    progress(task->data, ev);
}

/* ---- the end of a read ---- */

static int
lane_done(ql__read_t *r)
{
    return r->rc;
}

static int
finish(ql__read_t *r)
{
    r->pub.data = r->data;
    r->pub.nbytes = r->have;
    r->rc = NGX_OK;
    r->lane = lane_done;
    return NGX_OK;
}

static int
fail(ql__read_t *r, int err)
{
    r->pub.err = err;
    r->rc = NGX_ERROR;
    r->lane = lane_done;
    return NGX_ERROR;
}

static int
fail_logged(ql__read_t *r, int err)
{
    ql_log_error(r->pub.file->loop, QL_LOG_ERR, err,
                 "read of %zu bytes at %lld failed", r->pub.size,
                 (long long) r->pub.offset);
    return fail(r, err);
}

/* A queue is full: nothing was begun, a later attempt may have more luck. */
static int
busy(ql__read_t *r)
{
    r->pub.err = EBUSY;
    return NGX_ERROR;
}

/* ---- lane 1: page cache ---- */

static int
lane_cached(ql__read_t *r)
{
    size_t end = r->have + CACHED_SHARE;
    ssize_t n;

    if (end > r->pub.size) {
        end = r->pub.size;
    }
    while (r->have < end) {
        n = ql_file_read_cached(r->pub.file, r->data + r->have, end - r->have,
                                r->pub.offset + (off_t) r->have);
        if (n == NGX_AGAIN) {
            r->lane = lane_pool;
            return NGX_DECLINED;
        }
        if (n == NGX_ERROR) {
            return fail_logged(r, errno);
        }
        if (n == 0) {
            return finish(r);
        }
        r->have += (size_t) n;
    }
    if (end < r->pub.size) {
        /* The rest may be there too, but others want their turn. */
        ql_post_next_event(r->pub.file->loop, &r->pub.event);
        return NGX_AGAIN;
    }
    return finish(r);
}

/* ---- lane 2: O_DIRECT through the AIO ---- */

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
        return fail(r, r->aio.err);
    }
    r->lane = lane_pool;
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
        return finish(r);
    }
    if (n == part) {
        return NGX_DECLINED;
    }
    /* Short: the end of the file, unless there is more by now. */
    size = ql_file_size(r->pub.file);
    if (size == -1) {
        return fail_logged(r, errno);
    }
    if (r->pub.offset - (off_t) head + (off_t) r->got >= size) {
        return finish(r);
    }
    if (r->got <= before) {
        r->lane = lane_pool;
    }
    return NGX_DECLINED;
}

static int
lane_direct(ql__read_t *r)
{
    ql_file_t *file = r->pub.file;
    size_t from = r->got - r->got % file->off_align;
    size_t left = r->length - from;
    size_t part = left < DIRECT_CALL ? left : DIRECT_CALL;
    ssize_t n;

    n = ql_file_aio_read(file, &r->aio, r->block + from, part,
                         r->pub.offset + (off_t) from - (r->data - r->block));
    switch (n) {
    case NGX_AGAIN:
        return NGX_AGAIN;
    case NGX_BUSY:
        return busy(r);
    case NGX_DECLINED:
        r->lane = lane_pool;
        return NGX_DECLINED;
    case NGX_ERROR:
        return direct_failed(r);
    default:
        return direct_progress(r, from, part, (size_t) n);
    }
}

/* ---- lane 3: a thread ---- */

/* On a thread. */
static void
task_run(ql_thread_task_t *task)
{
    ql__read_t *r = task->data;
    const ql_sys_t *sys = r->pub.file->loop->sys;
    size_t want = r->pub.size - r->have;
    size_t done = 0;
    ssize_t n;

    while (done < want) {
        n = sys->pread(r->fd, r->data + r->have + done, want - done,
                       r->pub.offset + (off_t) (r->have + done));
        if (n == 0) {
            break;
        }
        if (n > 0) {
            done += (size_t) n;
        } else if (errno != EINTR) {
            r->task_err = errno;
            r->task_got = -1;
            return;
        }
    }
    r->task_got = (ssize_t) done;
}

static int
task_post(ql__read_t *r)
{
    ql_loop_t *loop = r->pub.file->loop;
    int rc;

    r->fd = r->pub.file->fd;
    r->task.run = task_run;
    r->task.data = r;
    r->task.event.data = &r->task;
    r->task.event.handler = task_handler;
    rc = ql_thread_task_post(loop, &r->task);
    if (rc == NGX_OK) {
        loop->stats.read_pool++;
        return NGX_AGAIN;
    }
    return rc == NGX_BUSY ? busy(r) : fail(r, errno);
}

static int
lane_pool(ql__read_t *r)
{
    if (r->task.event.active) {
        return NGX_AGAIN;
    }
    if (!r->task.event.complete || r->task.event.error) {
        return task_post(r); /* error: lost by a fork */
    }
    r->task.event.complete = 0;
    if (r->task_got == -1) {
        return fail_logged(r, r->task_err);
    }
    r->have += (size_t) r->task_got;
    return finish(r);
}

/* ---- the waiter's side ---- */

/* Memory and first lane. Direct: whole multiples of the alignment. */
static int
prepare(ql__read_t *r)
{
    ql_file_t *file = r->pub.file;
    size_t head = 0;

    r->lane = lane_cached;
    r->length = r->pub.size;
    r->align = 1;
    if (file->direct && !file->memory && r->pub.size > 0
        && ql__file_direct(file) != -1)
    {
        r->lane = lane_direct;
        r->align = file->mem_align;
        head = (size_t) r->pub.offset % file->off_align;
        r->length = (head + r->pub.size + r->align - 1) / r->align * r->align;
    }
    r->block = ql__block_take(file->loop, r->length, r->align);
    r->data = r->block + head;
    return r->block == NULL ? NGX_ERROR : NGX_OK;
}

ql_read_t *
ql_read_create(ql_file_t *file, size_t size, off_t offset)
{
    ql_loop_t *loop = file->loop;
    ql__read_t *r;

    if (size > READ_MAX || offset < 0 || offset > OFFSET_MAX) {
        errno = EINVAL;
        return NULL;
    }
    r = ql__alloc(loop, sizeof(*r));
    if (r == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    *r = (ql__read_t){.pub = {.file = file, .size = size, .offset = offset}};
    if (prepare(r) != NGX_OK) {
        ql__free(loop, r);
        errno = ENOMEM;
        return NULL;
    }
    r->aio.data = r;
    r->aio.handler = aio_handler;
    ql__file_hold(file);
    loop->stats.reads_live++;
    return &r->pub;
}

int
ql_read_attempt(ql_read_t *pub)
{
    ql__read_t *r = (ql__read_t *) (void *) pub;
    int rc;

    do {
        rc = r->lane(r);
    } while (rc == NGX_DECLINED);
    return rc;
}

void
ql_read_free(ql_read_t *pub)
{
    ql__read_t *r = (ql__read_t *) (void *) pub;
    ql_loop_t *loop = pub->file->loop;

    ql_delete_posted_event(loop, &pub->event);
    ql_del_timer(loop, &pub->event);
    r->aio.event.abandoned = r->aio.event.active && !ql__aio_cancel(&r->aio);
    r->task.event.abandoned = r->task.event.active
                           && !ql__thread_task_cancel(loop, &r->task);
    if (r->aio.event.abandoned || r->task.event.abandoned) {
        loop->stats.orphans++;
        return;
    }
    ql_delete_posted_event(loop, &r->aio.event);
    ql_delete_posted_event(loop, &r->task.event);
    destroy(r);
}
