/*
 * timer_resolution.c: an alarm that says when to look at the clock. The timer
 * carries its loop as its value. SIGALRM's former disposition comes back when
 * the loop is done, so two loops of one process that both use it have to end
 * in the reverse of the order in which they began.
 */
#include "../core/loop.h"

#include <errno.h>

static void
on_alarm(int signo, siginfo_t *info, void *context)
{
    ql_loop_t *loop = info->si_value.sival_ptr;

    (void) signo;
    (void) context;
    if (info->si_code == SI_TIMER && loop != NULL) {
        loop->timer_alarm = 1;
    }
}

/* Without SA_RESTART: epoll_wait must come back. */
static int
take_signal(ql_loop_t *loop)
{
    struct sigaction sa = {.sa_flags = SA_SIGINFO};

    if (loop->resolution_set) {
        return NGX_OK; /* a child after fork: only the timer is gone */
    }
    sa.sa_sigaction = on_alarm;
    (void) sigemptyset(&sa.sa_mask);
    if (loop->sys->sigaction(SIGALRM, &sa, &loop->resolution_old) == -1) {
        ql_log_error(loop, QL_LOG_ERR, errno, "sigaction(SIGALRM) failed");
        return NGX_ERROR;
    }
    loop->resolution_set = true;
    return NGX_OK;
}

/* Ignoring it first throws away an alarm that is still pending, which the
 * former disposition might die of. */
static void
give_signal_back(ql_loop_t *loop)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    (void) loop->sys->sigaction(SIGALRM, &ignore, NULL);
    (void) loop->sys->sigaction(SIGALRM, &loop->resolution_old, NULL);
    loop->resolution_set = false;
    loop->timer_alarm = 0;
}

int
ql__resolution_init(ql_loop_t *loop)
{
    uint32_t ms = loop->conf.timer_resolution;
    struct sigevent sev = {.sigev_notify = SIGEV_SIGNAL,
                           .sigev_signo = SIGALRM};
    struct itimerspec it;

    if (ms == 0) {
        return NGX_OK;
    }
    if (take_signal(loop) != NGX_OK) {
        return NGX_ERROR;
    }
    sev.sigev_value.sival_ptr = loop;
    it.it_interval.tv_sec = (time_t) (ms / 1000);
    it.it_interval.tv_nsec = (long) (ms % 1000) * 1000000;
    it.it_value = it.it_interval;
    if (loop->sys->timer_create(CLOCK_MONOTONIC, &sev, &loop->resolution_timer)
        == -1)
    {
        ql_log_error(loop, QL_LOG_ERR, errno, "timer_create() failed");
        goto failed;
    }
    if (loop->sys->timer_settime(loop->resolution_timer, 0, &it, NULL) == -1) {
        ql_log_error(loop, QL_LOG_ERR, errno, "timer_settime() failed");
        (void) loop->sys->timer_delete(loop->resolution_timer);
        goto failed;
    }
    return NGX_OK;

failed:
    give_signal_back(loop);
    return NGX_ERROR;
}

void
ql__resolution_done(ql_loop_t *loop)
{
    if (!loop->resolution_set) {
        return;
    }
    if (ql__loop_owned(loop)) {
        (void) loop->sys->timer_delete(loop->resolution_timer);
    }
    give_signal_back(loop);
}
