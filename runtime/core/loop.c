/*
 * loop.c: the life of a loop and one turn of it.
 */
#include "loop.h"

#include <errno.h>
#include <string.h>

ql_loop_t *
ql_loop_create(const ql_conf_t *conf, const ql_sys_t *sys)
{
    ql_loop_t *loop;

    if (sys == NULL) {
        sys = &ql_sys_default;
    }
    loop = sys->malloc(sizeof(*loop));
    if (loop == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    memset(loop, 0, sizeof(*loop));
    loop->sys = sys;
    loop->thread = pthread_self();
    loop->actions = &ql_epoll_actions;
    loop->ep = -1;
    loop->outer = -1;
    if (conf != NULL) {
        loop->conf = *conf;
    } else {
        ql_conf_create(&loop->conf);
    }
    ql_conf_init(&loop->conf);
    ql__log_init(&loop->log);
    ql_time_update(loop);
    ql__posted_init(loop);
    ql__wheel_init(&loop->wheel, loop->nsec);
    ql__connections_init(loop);
    ql__listenings_init(loop);
    ql__aio_create(loop);
    ql__notify_create(loop);
    ql__thread_pool_init(&loop->pool);
    ql__cache_init(loop);
    ql_queue_init(&loop->processes);
    ql__keepalives_init(loop);
    return loop;
}

/* false: the kernel or a thread still has memory that hangs off the loop. */
static bool
drain(ql_loop_t *loop)
{
    uint64_t deadline;
    bool reaped;

    ql_time_update(loop);
    deadline = loop->msec + loop->conf.drain;
    ql_aio_done(loop);
    reaped = loop->aio.in_flight == 0;
    return ql__thread_pool_done(loop, deadline) && reaped;
}

void
ql_loop_destroy(ql_loop_t *loop)
{
    const ql_sys_t *sys;
    bool drained;

    if (loop == NULL) {
        return;
    }
    QL_CHECK_THREAD(loop);
    sys = loop->sys;
    (void) ql_loop_tick(loop, 0, NULL);
    if (loop->ep != -1 && !ql__loop_owned(loop)) {
        ql__epoll_drop(loop);
    }
    ql__processes_done(loop);
    ql_open_cache_drop(loop);
    drained = drain(loop);
    ql_open_cache_drop(loop); /* opens that ended meanwhile */
    while (!ql_queue_empty(&loop->listenings)) {
        ql_listening_close(
            ql_queue_data(loop->listenings.next, ql_listening_t, link));
    }
    ql__keepalives_done(loop);
    ql__connections_close(loop);
    ql__log_flush(loop, true);
    if (!drained) {
        return; /* said in the log by whoever is late */
    }
    loop->actions->done(loop);
    ql__connections_done(loop);
    ql__blocks_done(loop);
    (void) pthread_mutex_destroy(&loop->notify.mutex);
    sys->free(loop);
}

int
ql_loop_init(ql_loop_t *loop)
{
    if (ql__loop_owned(loop) && loop->nevents >= loop->conf.epoll.events) {
        QL_CHECK_THREAD(loop);
        return NGX_OK;
    }
    if (!ql__loop_owned(loop)) {
        loop->thread = pthread_self();
    }
    return loop->actions->init(loop);
}

ql_conf_t *
ql_loop_conf(ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    return &loop->conf;
}

/* ns; max_wait: ms */
static uint64_t
turn_timeout(ql_loop_t *loop, uint64_t max_wait)
{
    uint64_t resolution, most, timer;

    if (ql__posted_pending(loop) || ql__aio_pending(loop)) {
        return 0;
    }
    /* What was left out of the log is said once its second is over. */
    if (loop->log.dropping && max_wait > QL__LOG_PERIOD) {
        max_wait = QL__LOG_PERIOD;
    }
    most = max_wait < QL_TIMER_INFINITE / QL__MSEC ? max_wait * QL__MSEC
                                                   : QL_TIMER_INFINITE;
    if (loop->wheel.count == 0) {
        return most;
    }
    /* Handlers have taken their time since the clock was cached. */
    if (!loop->resolution_set || loop->timer_alarm) {
        ql_time_update(loop);
    }
    timer = ql_event_find_timer(loop);
    /* The cached clock stands still until the alarm: so does what is due. */
    resolution = (uint64_t) loop->conf.timer_resolution * QL__MSEC;
    if (loop->resolution_set && timer > 0 && timer < resolution) {
        timer = resolution;
    }
    return timer < most ? timer : most;
}

uint64_t
ql_loop_timeout(ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    return turn_timeout(loop, QL_TIMER_INFINITE);
}

static int
wait_events(ql_loop_t *loop, uint64_t max_wait)
{
    uint32_t flags = QL_POST_EVENTS;
    uint64_t timer;

    ql__posted_process_last(loop);
    ql_aio_submit(loop);
    timer = turn_timeout(loop, max_wait);
    /* With a resolution the clock is looked at when the alarm went off. */
    if (!loop->resolution_set) {
        flags |= QL_UPDATE_TIME;
    }
    if (loop->actions->process_events(loop, timer, flags) == NGX_ERROR
        && errno != EINTR)
    {
        return NGX_ERROR;
    }
    return NGX_OK;
}

/* What has come. A handler may run turns of its own. */
static void
turn(ql_loop_t *loop)
{
    uint64_t number = ql__turn_begin(loop);

    ql__posted_move_next(loop);
    ql__posted_process_accept(loop);
    ql_event_expire_timers(loop);
    ql__posted_process(loop);
    if (loop->log.dropping) {
        ql__log_flush(loop, false);
    }
    ql__turn_end(loop, number);
}

int
ql_process_events_and_timers(ql_loop_t *loop, uint64_t max_wait)
{
    bool nested = loop->turning;
    uint64_t spent;
    int rc;

    QL_CHECK_THREAD(loop);
    if (ql_loop_init(loop) != NGX_OK) {
        return NGX_ERROR;
    }
    if (loop->watched) {
        ql__loop_woken(loop);
    }
    spent = ql__turn_leave(loop);
    rc = wait_events(loop, max_wait);
    if (rc == NGX_OK) {
        turn(loop);
    }
    if (nested) {
        ql__turn_return(loop, spent);
    } else {
        loop->wake = loop->watched;
    }
    return rc;
}

int
ql_loop_run(ql_loop_t *loop)
{
    pthread_t owner = loop->thread;
    bool nested = loop->running;
    int rc = NGX_OK;

    QL_DEBUG_CHECK(!nested || ql_loop_own_thread(loop), QL_FOREIGN_THREAD);
    loop->thread = pthread_self();
    loop->running = true;
    loop->stop = false;
    while (!loop->stop && rc == NGX_OK) {
        rc = ql_process_events_and_timers(loop, QL_TIMER_INFINITE);
    }
    loop->running = nested;
    loop->thread = owner;
    return rc;
}

void
ql_loop_stop(ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    loop->stop = true;
}

pid_t
ql_loop_pid(const ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    return ql__loop_owned(loop) ? loop->pid : loop->sys->getpid();
}

const ql_sys_t *
ql_loop_sys(const ql_loop_t *loop)
{
    return loop->sys;
}

void
ql_loop_set_data(ql_loop_t *loop, void *data)
{
    QL_CHECK_THREAD(loop);
    loop->data = data;
}

void *
ql_loop_data(const ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    return loop->data;
}

void
ql_stats(const ql_loop_t *loop, ql_stats_t *stats)
{
    QL_CHECK_THREAD(loop);
    *stats = loop->stats;
    stats->timers = loop->wheel.count;
    stats->posted = ql__posted_count(loop);
    stats->aio_in_flight = loop->aio.in_flight;
    stats->aio_queued = loop->aio.queued;
    stats->aio_slow = loop->slow_submit.count;
}
