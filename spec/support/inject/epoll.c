/* epoll.c: what a wait reports, and in which order. */
#include "script.h"

#include <string.h>

enum {
    SCRIPTED = 64
};

static unsigned state;
static struct epoll_event scripted[SCRIPTED];
static int nscripted;

void
ql_inject_shuffle(unsigned seed)
{
    state = seed;
}

void
ql_inject_epoll_events(const struct epoll_event *events, int n)
{
    nscripted = n < SCRIPTED ? n : SCRIPTED;
    memcpy(scripted, events, (size_t) nscripted * sizeof *events);
}

void
inject__epoll_reset(void)
{
    state = 0;
    nscripted = 0;
}

static unsigned
next_random(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static void
shuffle(struct epoll_event *events, int n)
{
    for (int i = n - 1; i > 0; i--) {
        int j = (int) (next_random() % (unsigned) (i + 1));
        struct epoll_event swapped = events[i];
        events[i] = events[j];
        events[j] = swapped;
    }
}

static int
inject_epoll_create1(int flags)
{
    verdict_t verdict = inject__judge(CALL_epoll_create1, -1);

    return verdict.decided ? (int) verdict.result
                           : inject__base()->epoll_create1(flags);
}

static int
inject_epoll_ctl(int ep, int op, int fd, struct epoll_event *ee)
{
    verdict_t verdict = inject__judge(CALL_epoll_ctl, fd);

    if (verdict.decided) {
        return (int) verdict.result;
    }
    int rc = inject__base()->epoll_ctl(ep, op, fd, ee);
    if (rc == 0) {
        one_byte__track(ep, op, fd, ee);
    }
    return rc;
}

/* The scripted batch, if there is one; -1: the call is to be made. */
static int
take_scripted(struct epoll_event *events, int n)
{
    if (nscripted == 0) {
        return -1;
    }
    n = nscripted < n ? nscripted : n;
    memcpy(events, scripted, (size_t) n * sizeof *events);
    nscripted = 0;
    return n;
}

static int
most(int n, verdict_t verdict)
{
    return (uint64_t) n > verdict.limit ? (int) verdict.limit : n;
}

static int
reported(struct epoll_event *events, int n)
{
    if (state != 0) {
        shuffle(events, n);
    }
    return n;
}

static int
inject_epoll_wait(int ep, struct epoll_event *events, int n, int timeout)
{
    verdict_t verdict = inject__judge(CALL_epoll_wait, -1);

    if (verdict.decided) {
        return (int) verdict.result;
    }
    int got = take_scripted(events, most(n, verdict));
    if (got == -1) {
        got = inject__base()->epoll_wait(ep, events, most(n, verdict), timeout);
    }
    return reported(events, got);
}

static int
inject_epoll_pwait2(int ep, struct epoll_event *events, int n,
                    const struct timespec *timeout, const sigset_t *mask)
{
    verdict_t verdict = inject__judge(CALL_epoll_pwait2, -1);

    if (verdict.decided) {
        return (int) verdict.result;
    }
    int got = take_scripted(events, most(n, verdict));
    if (got == -1) {
        got = inject__base()->epoll_pwait2(ep, events, most(n, verdict),
                                           timeout, mask);
    }
    return reported(events, got);
}

void
inject__epoll(ql_sys_t *sys)
{
    sys->epoll_create1 = inject_epoll_create1;
    sys->epoll_ctl = inject_epoll_ctl;
    sys->epoll_wait = inject_epoll_wait;
    sys->epoll_pwait2 = inject_epoll_pwait2;
}
