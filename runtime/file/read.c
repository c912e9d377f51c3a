/*
 * read.c: a read down its lanes, on memory with two holders. The waiter has
 * it until ql_read_free(); the kernel or a thread, the executor, from its
 * submission to its completion. The last to let go frees it.
 */
#include "read.h"

#include <errno.h>

enum {
    READ_MAX = 1 << 30,
    /* Copied from the page cache by one attempt. */
    CACHED_SHARE = 256 * 1024
};

#define OFFSET_MAX ((off_t) 1 << 62)

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

void
ql__read_progress(ql__read_t *r, const ql_event_t *executor)
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

/* ---- the end of a read ---- */

static int
lane_done(ql__read_t *r)
{
    return r->rc;
}

int
ql__read_finish(ql__read_t *r)
{
    r->pub.data = r->data;
    r->pub.nbytes = r->have;
    r->rc = NGX_OK;
    r->lane = lane_done;
    return NGX_OK;
}

int
ql__read_fail(ql__read_t *r, int err)
{
    r->pub.err = err;
    r->rc = NGX_ERROR;
    r->lane = lane_done;
    return NGX_ERROR;
}

int
ql__read_fail_logged(ql__read_t *r, int err)
{
    ql_log_error(r->pub.file->loop, QL_LOG_ERR, err,
                 "read of %zu bytes at %lld failed", r->pub.size,
                 (long long) r->pub.offset);
    return ql__read_fail(r, err);
}

int
ql__read_busy(ql__read_t *r)
{
    r->pub.err = EBUSY;
    return NGX_ERROR;
}

/* ---- lane 1: page cache ---- */

static int
missed(ql__read_t *r)
{
    r->lane = r->align > 1 ? ql__read_direct : ql__read_thread;
    r->got = (size_t) (r->data - r->block) + r->have;
    return NGX_DECLINED;
}

static int
lane_cached(ql__read_t *r)
{
    size_t end = r->have + CACHED_SHARE;
    ssize_t n;

    if (r->pub.missed) {
        r->pub.missed = 0;
        return missed(r);
    }
    if (end > r->pub.size) {
        end = r->pub.size;
    }
    while (r->have < end) {
        n = ql_file_read_cached(r->pub.file, r->data + r->have, end - r->have,
                                r->pub.offset + (off_t) r->have);
        if (n == NGX_AGAIN) {
            return missed(r);
        }
        if (n == NGX_ERROR) {
            return ql__read_fail_logged(r, errno);
        }
        if (n == 0) {
            return ql__read_finish(r);
        }
        r->have += (size_t) n;
    }
    if (end < r->pub.size) {
        /* The rest may be there too, but others want their turn. */
        ql_post_next_event(r->pub.file->loop, &r->pub.event);
        return NGX_AGAIN;
    }
    return ql__read_finish(r);
}

/* ---- the waiter's side ---- */

static bool
may_go_direct(ql_file_t *file)
{
    return (file->direct || file->miss_direct) && !file->memory
        && ql__file_direct(file) != -1;
}

/* Memory and first lane. Direct: whole multiples of the alignment. */
static int
prepare(ql__read_t *r)
{
    ql_file_t *file = r->pub.file;
    size_t head = 0;

    r->lane = lane_cached;
    r->length = r->pub.size;
    r->align = 1;
    if (r->pub.size > 0 && may_go_direct(file)) {
        r->lane = file->direct ? ql__read_direct : lane_cached;
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

    QL_CHECK_THREAD(file->loop);
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
    r->aio.patient = !loop->conf.overflow_error;
    r->task.patient = r->aio.patient;
    if (prepare(r) != NGX_OK) {
        ql__free(loop, r);
        errno = ENOMEM;
        return NULL;
    }
    ql__file_hold(file);
    loop->stats.reads_live++;
    return &r->pub;
}

int
ql_read_attempt(ql_read_t *pub)
{
    ql__read_t *r = (ql__read_t *) (void *) pub;
    int rc;

    QL_CHECK_THREAD(pub->file->loop);
    do {
        rc = r->lane(r);
    } while (rc == NGX_DECLINED);
    return rc;
}

const char *
ql_read_lane(const ql_read_t *pub)
{
    ql__lane_pt lane = ((const ql__read_t *) (const void *) pub)->lane;

    QL_CHECK_THREAD(pub->file->loop);
    return lane == lane_cached     ? "cached"
         : lane == ql__read_direct ? "direct"
         : lane == ql__read_thread ? "thread"
                                   : "done";
}

void
ql_read_free(ql_read_t *pub)
{
    ql__read_t *r = (ql__read_t *) (void *) pub;
    ql_loop_t *loop = pub->file->loop;

    QL_CHECK_THREAD(pub->file->loop);
    ql_delete_posted_event(loop, &pub->event);
    ql_del_timer(loop, &pub->event);
    r->aio.event.abandoned = r->aio.event.active && !ql__aio_cancel(&r->aio);
    r->task.event.abandoned = r->task.event.active
                           && !ql__thread_task_reclaim(loop, &r->task);
    if (r->aio.event.abandoned || r->task.event.abandoned) {
        loop->stats.orphans++;
        return;
    }
    ql_delete_posted_event(loop, &r->aio.event);
    ql_delete_posted_event(loop, &r->task.event);
    destroy(r);
}
