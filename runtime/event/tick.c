/*
 * tick.c: a signal to the loop's thread now and then while handlers run: who
 * sets it can see that one runs too long. The timer carries its loop as its
 * value. No tick disturbs a long wait: the first one that comes there stops the
 * timer until the wait is over.
 */
#include "../core/loop.h"

#include <errno.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id /* glibc before 2.38 */
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* SIGRTMIN + 8 is the bindings' note of SIGINT and SIGTERM. */
static int
tick_signal(void)
{
    return SIGRTMIN + 9;
}

/* The instruction that comes next; NULL: of this processor it is not known. */
static const void *
interrupted_at(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (const void *) (uintptr_t) context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (const void *) (uintptr_t) context->uc_mcontext.pc;
#else
    (void) context;
    return NULL;
#endif
}

static void
on_tick(int signo, siginfo_t *info, void *context)
{
    ql_loop_t *loop = info->si_value.sival_ptr;
    int err = errno;

    (void) signo;
    if (info->si_code == SI_TIMER && loop != NULL) {
        loop->tick.idle = !loop->tick.handler(loop, interrupted_at(context));
    }
    errno = err;
}

/*
 * The handler stays when the ticks stop: another loop of the process may want
 * it, and without a timer nobody sends the signal. SA_RESTART: what a script
 * calls shall not see them; epoll_wait is never restarted.
 */
static int
take_signal(ql_loop_t *loop)
{
    struct sigaction old, sa = {.sa_flags = SA_SIGINFO | SA_RESTART};

    sa.sa_sigaction = on_tick;
    (void) sigemptyset(&sa.sa_mask);
    if (loop->sys->sigaction(tick_signal(), NULL, &old) == -1) {
        return NGX_ERROR;
    }
    if (old.sa_sigaction == on_tick) {
        return NGX_OK;
    }
    if (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN) {
        errno = EBUSY;
        return NGX_ERROR;
    }
    return loop->sys->sigaction(tick_signal(), &sa, NULL) == -1 ? NGX_ERROR
                                                                : NGX_OK;
}

static int
tick_arm(ql_loop_t *loop, uint64_t nsec)
{
    struct itimerspec it;

    it.it_interval.tv_sec = (time_t) (nsec / 1000000000);
    it.it_interval.tv_nsec = (long) (nsec % 1000000000);
    it.it_value = it.it_interval;
    return loop->sys->timer_settime(loop->tick.timer, 0, &it, NULL);
}

/* To this thread: no other one may touch what the handler looks at. */
static int
tick_start(ql_loop_t *loop)
{
    struct sigevent sev = {.sigev_notify = SIGEV_THREAD_ID,
                           .sigev_signo = tick_signal()};
    sigset_t set;

    sev.sigev_value.sival_ptr = loop;
    sev.sigev_notify_thread_id = gettid();
    if (take_signal(loop) != NGX_OK
        || loop->sys->timer_create(CLOCK_MONOTONIC, &sev, &loop->tick.timer)
               == -1)
    {
        return NGX_ERROR;
    }
    if (tick_arm(loop, loop->tick.nsec) == -1) {
        int err = errno;

        (void) loop->sys->timer_delete(loop->tick.timer);
        errno = err;
        return NGX_ERROR;
    }
    (void) sigemptyset(&set);
    (void) sigaddset(&set, tick_signal());
    (void) pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    loop->tick.pid = loop->sys->getpid();
    return NGX_OK;
}

/* A tick that is still pending would name a loop that is no more. */
static void
tick_stop(ql_loop_t *loop)
{
    struct timespec now = {0};
    sigset_t set, saved;

    if (loop->tick.pid == loop->sys->getpid()) {
        (void) sigemptyset(&set);
        (void) sigaddset(&set, tick_signal());
        (void) pthread_sigmask(SIG_BLOCK, &set, &saved);
        (void) loop->sys->timer_delete(loop->tick.timer);
        while (sigtimedwait(&set, NULL, &now) > 0) {
        }
        (void) pthread_sigmask(SIG_SETMASK, &saved, NULL);
    }
    loop->tick.pid = 0;
    loop->tick.nsec = 0;
    loop->tick.idle = 0;
}

int
ql_loop_tick(ql_loop_t *loop, uint64_t nsec, ql_tick_pt handler)
{
    QL_CHECK_THREAD(loop);
    if (loop->tick.nsec != 0) {
        tick_stop(loop);
    }
    if (nsec == 0) {
        return NGX_OK;
    }
    loop->tick.handler = handler;
    loop->tick.nsec = nsec;
    if (tick_start(loop) != NGX_OK) {
        loop->tick.nsec = 0;
        return NGX_ERROR;
    }
    return NGX_OK;
}

void
ql__tick_forked(ql_loop_t *loop)
{
    if (loop->tick.nsec != 0 && loop->tick.pid != loop->sys->getpid()
        && tick_start(loop) != NGX_OK)
    {
        ql_log_error(loop, QL_LOG_ERR, errno,
                     "the watchdog's timer could not be made in the child");
    }
}

bool
ql__tick_pause(ql_loop_t *loop)
{
    int err = errno;

    if (!loop->tick.idle || loop->timer_alarm
        || loop->tick.pid != loop->sys->getpid())
    {
        return false;
    }
    loop->tick.idle = 0;
    (void) tick_arm(loop, 0);
    errno = err;
    return true;
}

void
ql__tick_resume(ql_loop_t *loop)
{
    (void) tick_arm(loop, loop->tick.nsec);
}
