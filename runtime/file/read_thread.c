/*
 * read_thread.c: lane 3, threads of the pool, a part at a time: who is
 * cancelled holds a thread for the rest of one part only.
 */
#include "read.h"

#include <errno.h>

enum {
    THREAD_PART = 1 << 20
};

static void
task_handler(ql_event_t *ev)
{
    ql_thread_task_t *task = ev->data;

    ql__read_progress(task->data, ev);
}

/* On a thread. */
static void
task_run(ql_thread_task_t *task)
{
    ql__read_t *r = task->data;
    const ql_sys_t *sys = r->pub.file->loop->sys;
    size_t done = 0;
    ssize_t n;

    while (done < r->task_size) {
        n = sys->pread(r->fd, r->data + r->have + done, r->task_size - done,
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

/* A miss is none. */
static void
count_fallback(const ql__read_t *r)
{
    ql_file_t *file = r->pub.file;
    int reason = -1;

    if (r->aio.err == EAGAIN) {
        reason = QL__FALLBACK_DIRTY;
    } else if (r->aio.err == EINVAL) {
        reason = QL__FALLBACK_UNALIGNED;
    } else if (file->direct && file->no_direct) {
        reason = QL__FALLBACK_DIRECT;
    } else if (file->direct && r->align == 1) {
        reason = QL__FALLBACK_NO_FD;
    } else if (file->direct && file->loop->aio.refused) {
        reason = QL__FALLBACK_REFUSED;
    } else if (file->no_nowait) {
        reason = QL__FALLBACK_NOWAIT;
    }
    if (reason != -1) {
        ql__fallback(file, reason);
    }
}

static int
post_part(ql__read_t *r)
{
    size_t left = r->pub.size - r->have;
    int rc;

    r->fd = r->pub.file->fd;
    r->task_size = left < THREAD_PART ? left : THREAD_PART;
    r->task.run = task_run;
    r->task.data = r;
    r->task.event.data = &r->task;
    r->task.event.handler = task_handler;
    rc = ql_thread_task_post(r->pub.file->loop, &r->task);
    if (rc == NGX_OK) {
        return NGX_AGAIN;
    }
    return rc == NGX_BUSY ? ql__read_busy(r) : ql__read_fail(r, errno);
}

static int
post_first(ql__read_t *r)
{
    int rc = post_part(r);

    if (rc == NGX_AGAIN) {
        r->pub.file->loop->stats.read_pool++;
        count_fallback(r);
        r->task.patient = 1; /* what was begun is not refused */
    }
    return rc;
}

int
ql__read_thread(ql__read_t *r)
{
    if (r->task.event.active) {
        return NGX_AGAIN;
    }
    /* Asked before its event was handled: that must not end what comes next. */
    ql_delete_posted_event(r->pub.file->loop, &r->task.event);
    if (!r->task.event.complete || r->task.event.error) {
        return post_first(r); /* error: lost by a fork */
    }
    r->task.event.complete = 0;
    if (r->task_got == -1) {
        return ql__read_fail_logged(r, r->task_err);
    }
    r->have += (size_t) r->task_got;
    if ((size_t) r->task_got < r->task_size || r->have == r->pub.size) {
        return ql__read_finish(r);
    }
    return post_part(r);
}
