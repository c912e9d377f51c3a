/*
 * watch.c: inotify. What looks a path up or waits for the kernel's readers
 * (add, remove, and closing: 23 ms were seen) is done by a thread; the
 * descriptor lives until the last of them is done.
 */
#include "../core/loop.h"

#include <errno.h>
#include <string.h>

enum {
    WATCH_READ = 64 * 1024 /* bytes of events taken by one read */
};

/* An add or a remove. */
typedef struct {
    ql_call_t call; /* first */
    ql_watch_t *watch;
    uint32_t mask; /* add */
    int wd;        /* remove */
    char path[];   /* add */
} watch_call_t;

/* On a thread. */
static void
close_run(ql_thread_task_t *task)
{
    ql_watch_t *w = task->data;

    w->closed = 1;
    (void) w->loop->sys->close(w->fd);
}

static void
closed(ql_event_t *ev)
{
    ql_thread_task_t *task = ev->data;
    ql_watch_t *w = task->data;

    if (!w->closed) { /* a child's: the thread was its parent's */
        close_run(task);
    }
    ql__free(w->loop, w);
}

static void
release(ql_watch_t *w)
{
    ql_thread_task_t *task = &w->closing;

    if (--w->refs != 0) {
        return;
    }
    task->run = close_run;
    task->data = w;
    task->event.data = task;
    task->event.handler = closed;
    /* Nobody waits: the loop's end delivers it too. */
    task->event.abandoned = 1;
    if (ql_thread_task_post(w->loop, task) != NGX_OK) {
        close_run(task);
        ql__free(w->loop, w);
    }
}

ql_watch_t *
ql_watch_create(ql_loop_t *loop)
{
    ql_watch_t *w = ql__alloc(loop, sizeof(*w));
    int err = ENOMEM;

    QL_CHECK_THREAD(loop);
    if (w == NULL) {
        goto failed;
    }
    *w = (ql_watch_t){.loop = loop, .refs = 1};
    w->fd = loop->sys->inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->fd == -1) {
        err = errno;
        goto failed_init;
    }
    w->connection = ql_get_connection(loop, w->fd);
    if (w->connection == NULL) {
        err = errno;
        goto failed_connection;
    }
    w->connection->borrowed = 1;
    return w;

failed_connection:
    (void) loop->sys->close(w->fd);
failed_init:
    ql__free(loop, w);
failed:
    errno = err;
    return NULL;
}

static void
drop_buffer(ql_watch_t *w)
{
    ql__free(w->loop, w->buf);
    w->buf = NULL;
    w->pos = w->end = 0;
}

void
ql_watch_close(ql_watch_t *w)
{
    QL_CHECK_THREAD(w->loop);
    drop_buffer(w);
    ql_close_connection(w->connection);
    w->connection = NULL;
    release(w);
}

static int
wait_for_more(ql_watch_t *w)
{
    ql_event_t *rev = &w->connection->read;

    drop_buffer(w); /* an idle watch has none */
    rev->ready = 0;
    return ql_handle_read_event(rev, 0) == NGX_OK ? NGX_AGAIN : NGX_ERROR;
}

static int
fill(ql_watch_t *w)
{
    ql_loop_t *loop = w->loop;
    ssize_t n;

    if (w->buf == NULL) {
        w->buf = ql__alloc(loop, WATCH_READ);
        if (w->buf == NULL) {
            errno = ENOMEM;
            return NGX_ERROR;
        }
    }
    do {
        n = loop->sys->read(w->fd, w->buf, WATCH_READ);
    } while (n == -1 && errno == EINTR);
    if (n <= 0) {
        return n == -1 && errno != EAGAIN ? NGX_ERROR : wait_for_more(w);
    }
    w->pos = 0;
    w->end = (uint32_t) n;
    return NGX_OK;
}

int
ql_watch_read(ql_watch_t *w)
{
    int rc = NGX_OK;

    QL_CHECK_THREAD(w->loop);
    if (w->pos == w->end) {
        rc = fill(w);
    }
    /* The kernel pads names: events stay aligned. */
    w->event = rc == NGX_OK ? (void *) (w->buf + w->pos) : NULL;
    return rc;
}

void
ql_watch_next(ql_watch_t *w)
{
    QL_CHECK_THREAD(w->loop);
    w->pos += (uint32_t) sizeof(*w->event) + w->event->len;
    w->event = NULL;
}

static void
call_release(ql_call_t *call)
{
    release(((watch_call_t *) (void *) call)->watch);
}

static void
add_run(ql_call_t *call)
{
    watch_call_t *a = (watch_call_t *) (void *) call;
    ql_watch_t *w = a->watch;

    ql__call_result(call,
                    w->loop->sys->inotify_add_watch(w->fd, a->path, a->mask));
}

static void
remove_run(ql_call_t *call)
{
    watch_call_t *r = (watch_call_t *) (void *) call;
    ql_watch_t *w = r->watch;

    ql__call_result(call, w->loop->sys->inotify_rm_watch(w->fd, r->wd));
}

static const ql_call_type_t add_type = {"watch add",  NULL, add_run,
                                        call_release, NULL, NULL};
static const ql_call_type_t remove_type = {"watch remove", NULL, remove_run,
                                           call_release,   NULL, NULL};

static watch_call_t *
create_call(ql_watch_t *w, const ql_call_type_t *type, size_t length)
{
    watch_call_t *call = ql_call_create(w->loop, type,
                                        sizeof(*call) + length + 1);

    if (call != NULL) {
        call->watch = w;
        w->refs++;
    }
    return call;
}

ql_call_t *
ql_watch_add(ql_watch_t *w, const char *path, uint32_t mask)
{
    size_t length = strlen(path);
    watch_call_t *a;

    QL_CHECK_THREAD(w->loop);
    a = create_call(w, &add_type, length);
    if (a == NULL) {
        return NULL;
    }
    a->mask = mask;
    memcpy(a->path, path, length + 1);
    return &a->call;
}

ql_call_t *
ql_watch_remove(ql_watch_t *w, int wd)
{
    watch_call_t *r;

    QL_CHECK_THREAD(w->loop);
    r = create_call(w, &remove_type, 0);
    if (r == NULL) {
        return NULL;
    }
    r->wd = wd;
    return &r->call;
}
