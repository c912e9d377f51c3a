/*
 * time.c: the monotonic clock and its cache.
 */
#include "loop.h"

uint64_t
ql__clock(const ql_loop_t *loop)
{
    struct timespec ts;

    (void) loop->sys->clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

void
ql_time_update(ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    loop->nsec = ql__clock(loop);
    loop->msec = loop->nsec / QL__MSEC;
}

uint64_t
ql_msec(const ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    return loop->msec;
}

uint64_t
ql_nsec(const ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    return loop->nsec;
}
