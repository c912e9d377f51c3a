/*
 * thread_pool.c: threads for what the kernel can only do blocking. A task is
 * waiting, running or done; the mutex guards these moves. Results come back
 * through one event, however many tasks were done by then.
 */
#include "../core/loop.h"

#include <errno.h>
#include <signal.h>

void
ql__thread_pool_init(ql_thread_pool_t *pool)
{
    *pool = (ql_thread_pool_t){.threads = 0};
    (void) pthread_mutex_init(&pool->mutex, NULL);
    (void) pthread_cond_init(&pool->cond, NULL);
    ql_queue_init(&pool->tasks);
    ql_queue_init(&pool->done);
    ql_queue_init(&pool->posted);
}

/* Mutex held. */
static void
run_next(ql_loop_t *loop)
{
    ql_thread_pool_t *pool = &loop->pool;
    ql_thread_task_t *task = ql_queue_data(pool->tasks.next, ql_thread_task_t,
                                           link);
    bool notify;

    ql_queue_remove(&task->link);
    pool->waiting--;
    task->waiting = 0;
    (void) pthread_mutex_unlock(&pool->mutex);
    task->run(task);
    (void) pthread_mutex_lock(&pool->mutex);
    ql_queue_insert_tail(&pool->done, &task->link);
    task->done = 1;
    notify = !pool->notified;
    pool->notified = true;
    if (notify) {
        (void) pthread_mutex_unlock(&pool->mutex);
        ql_post_from_thread(loop, &pool->event);
        (void) pthread_mutex_lock(&pool->mutex);
    }
}

static void *
thread_main(void *arg)
{
    ql_loop_t *loop = arg;
    ql_thread_pool_t *pool = &loop->pool;

    (void) pthread_mutex_lock(&pool->mutex);
    for (;;) {
        if (!ql_queue_empty(&pool->tasks)) {
            run_next(loop);
            continue;
        }
        if (pool->stop) {
            break;
        }
        pool->idle++;
        (void) pthread_cond_wait(&pool->cond, &pool->mutex);
        pool->idle--;
    }
    (void) pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

/* Signals are the loop's; only what a thread does to itself stays its own. */
static int
start_thread(ql_loop_t *loop)
{
    ql_thread_pool_t *pool = &loop->pool;
    sigset_t blocked, saved;
    int err;

    sigfillset(&blocked);
    sigdelset(&blocked, SIGILL);
    sigdelset(&blocked, SIGFPE);
    sigdelset(&blocked, SIGSEGV);
    sigdelset(&blocked, SIGBUS);
    (void) pthread_sigmask(SIG_SETMASK, &blocked, &saved);
    err = loop->sys->thread_create(&pool->ids[pool->threads], thread_main,
                                   loop);
    (void) pthread_sigmask(SIG_SETMASK, &saved, NULL);
    if (err == 0) {
        pool->threads++;
    }
    return err;
}

/* Gives back everything that is done. */
static void
take_done(ql_loop_t *loop)
{
    ql_thread_pool_t *pool = &loop->pool;
    ql_queue_t done;
    ql_thread_task_t *task;

    ql_queue_init(&done);
    (void) pthread_mutex_lock(&pool->mutex);
    pool->notified = false;
    ql_queue_move(&done, &pool->done);
    (void) pthread_mutex_unlock(&pool->mutex);
    while (!ql_queue_empty(&done)) {
        task = ql_queue_data(done.next, ql_thread_task_t, link);
        ql_queue_remove(&task->link);
        ql_queue_remove(&task->posted);
        task->event.active = 0;
        task->event.complete = 1;
        task->event.ready = 1;
        loop->stats.pool_pending--;
        loop->stats.pool_jobs += !task->event.error;
        ql__deliver(loop, &task->event);
    }
}

/* In a forked child what its parent's threads have left may be torn: it is
 * given back once the pool is dropped. */
static void
done_handler(ql_event_t *ev)
{
    if (ql__loop_owned(ev->data)) {
        take_done(ev->data);
    }
}

/*
 * The lists of a forked child's copy, and what its tasks have got done, may be
 * cut in the middle of another thread's work: `posted` alone is the loop's.
 */
void
ql__thread_pool_drop(ql_loop_t *loop)
{
    ql_thread_pool_t *pool = &loop->pool;
    ql_thread_task_t *task;
    ql_queue_t lost, *q;

    ql_queue_init(&lost);
    ql_queue_move(&lost, &pool->posted);
    ql_delete_posted_event(loop, &pool->event);
    ql__free(loop, pool->ids);
    ql__thread_pool_init(pool);
    ql_queue_move(&pool->posted, &lost);
    for (q = pool->posted.next; q != &pool->posted; q = q->next) {
        task = ql_queue_data(q, ql_thread_task_t, posted);
        task->event.error = 1;
        task->waiting = 0;
        task->done = 1;
        ql_queue_insert_tail(&pool->done, &task->link);
    }
    pool->event.data = loop;
    pool->event.handler = done_handler;
    if (!ql_queue_empty(&pool->done)) {
        pool->notified = true; /* no thread may post it a second time */
        ql_post_event(loop, &pool->event);
    }
}

/* The notification needs the loop's kernel objects; a forked child drops the
 * pool in there. */
static int
prepare(ql_loop_t *loop)
{
    ql_thread_pool_t *pool = &loop->pool;

    if (pool->stop) { /* this thread set it; the mutex may be gone */
        errno = ECANCELED;
        return NGX_ERROR;
    }
    if (ql_loop_init(loop) != NGX_OK) {
        return NGX_ERROR;
    }
    if (pool->ids != NULL) {
        return NGX_OK;
    }
    pool->ids = ql__alloc(loop, loop->conf.threads * sizeof(*pool->ids));
    if (pool->ids == NULL) {
        errno = ENOMEM;
        return NGX_ERROR;
    }
    pool->max = loop->conf.threads;
    pool->event.data = loop;
    pool->event.handler = done_handler;
    return NGX_OK;
}

/* One that nobody waits for is never refused: there is nobody to tell. */
static bool
is_refused(const ql_loop_t *loop, const ql_thread_task_t *task)
{
    return loop->pool.waiting >= loop->conf.thread_queue && !task->patient
        && !task->event.abandoned;
}

/* Mutex held. A task is never left without a thread to come to it. */
static int
enqueue(ql_loop_t *loop, ql_thread_task_t *task)
{
    ql_thread_pool_t *pool = &loop->pool;
    int err;

    if (is_refused(loop, task)) {
        return NGX_BUSY;
    }
    if (pool->idle <= pool->waiting && pool->threads < pool->max) {
        err = start_thread(loop);
        if (err != 0) {
            ql_log_error(loop, QL_LOG_ERR, err, "pool thread not started");
            if (pool->threads == 0) {
                errno = err;
                return NGX_ERROR;
            }
        }
    }
    ql_queue_insert_tail(&pool->tasks, &task->link);
    pool->waiting++;
    task->waiting = 1;
    task->done = 0;
    return NGX_OK;
}

int
ql_thread_task_post(ql_loop_t *loop, ql_thread_task_t *task)
{
    int rc;

    QL_CHECK_THREAD(loop);
    if (prepare(loop) != NGX_OK) {
        return NGX_ERROR;
    }
    task->event.active = 1;
    task->event.complete = 0;
    task->event.error = 0;
    task->event.ready = 0;
    (void) pthread_mutex_lock(&loop->pool.mutex);
    rc = enqueue(loop, task);
    (void) pthread_mutex_unlock(&loop->pool.mutex);
    if (rc != NGX_OK) {
        task->event.active = 0;
        return rc;
    }
    ql_queue_insert_tail(&loop->pool.posted, &task->posted);
    /* Not under the mutex, which the thread that wakes up takes first. */
    (void) pthread_cond_signal(&loop->pool.cond);
    loop->stats.pool_pending++;
    ql_log_debug(loop, QL_DEBUG_POOL, "pool post: %p", (void *) task);
    return NGX_OK;
}

static bool
take_back(ql_loop_t *loop, ql_thread_task_t *task, bool done_too)
{
    ql_thread_pool_t *pool = &loop->pool;
    bool ours;

    if (!ql__loop_owned(loop)) {
        ql__thread_pool_drop(loop);
    }
    (void) pthread_mutex_lock(&pool->mutex);
    ours = task->waiting || (done_too && task->done);
    if (ours) {
        ql_queue_remove(&task->link);
        pool->waiting -= (uint32_t) task->waiting;
        task->waiting = 0;
    }
    (void) pthread_mutex_unlock(&pool->mutex);
    if (ours) {
        ql_queue_remove(&task->posted);
        task->event.active = 0;
        loop->stats.pool_pending--;
        loop->stats.pool_jobs += task->done && !task->event.error;
    }
    return ours;
}

bool
ql__thread_task_cancel(ql_loop_t *loop, ql_thread_task_t *task)
{
    return take_back(loop, task, false);
}

bool
ql__thread_task_reclaim(ql_loop_t *loop, ql_thread_task_t *task)
{
    return take_back(loop, task, true);
}

/* Threads that are still at work at the deadline are left alone. */
static bool
join(ql_thread_pool_t *pool, uint64_t deadline)
{
    struct timespec ts = {.tv_sec = (time_t) (deadline / 1000),
                          .tv_nsec = (long) (deadline % 1000) * 1000000};
    bool all = true;
    uint32_t i;

    for (i = 0; i < pool->threads; i++) {
        if (pthread_clockjoin_np(pool->ids[i], NULL, CLOCK_MONOTONIC, &ts) != 0)
        {
            (void) pthread_detach(pool->ids[i]);
            all = false;
        }
    }
    pool->threads = 0;
    return all;
}

bool
ql__thread_pool_done(ql_loop_t *loop, uint64_t deadline)
{
    ql_thread_pool_t *pool = &loop->pool;

    (void) pthread_mutex_lock(&pool->mutex);
    pool->stop = true;
    (void) pthread_cond_broadcast(&pool->cond);
    (void) pthread_mutex_unlock(&pool->mutex);
    if (!join(pool, deadline)) {
        ql_log_error(loop, QL_LOG_WARN, 0,
                     "pool threads still at work, left behind");
        return false;
    }
    take_done(loop);
    ql__free(loop, pool->ids);
    (void) pthread_cond_destroy(&pool->cond);
    (void) pthread_mutex_destroy(&pool->mutex);
    return true;
}
