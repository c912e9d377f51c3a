/*
 * read_thread.c: lane 3, a thread of the pool.
 */
#include "read.h"

#include <errno.h>

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
        count_fallback(r);
        return NGX_AGAIN;
    }
    return rc == NGX_BUSY ? ql__read_busy(r) : ql__read_fail(r, errno);
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
        return task_post(r); /* error: lost by a fork */
    }
    r->task.event.complete = 0;
    if (r->task_got == -1) {
        return ql__read_fail_logged(r, r->task_err);
    }
    r->have += (size_t) r->task_got;
    return ql__read_finish(r);
}
