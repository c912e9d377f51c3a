/* clock.c: a clock that a spec moves. */
#include "script.h"

enum {
    CLOCKS = 16
};

static int64_t offset;
static bool frozen;
static struct timespec stopped[CLOCKS]; /* tv_sec 0: not read since */

void
ql_inject_clock(int64_t offset_ns)
{
    offset = offset_ns;
}

void
ql_inject_clock_freeze(int on)
{
    frozen = on != 0;
    for (int i = 0; i < CLOCKS; i++) {
        stopped[i].tv_sec = 0;
    }
}

void
inject__clock_reset(void)
{
    offset = 0;
    ql_inject_clock_freeze(0);
}

static int
read_clock(clockid_t clock, struct timespec *ts)
{
    if (!frozen || clock < 0 || clock >= CLOCKS) {
        return inject__base()->clock_gettime(clock, ts);
    }
    if (stopped[clock].tv_sec == 0
        && inject__base()->clock_gettime(clock, &stopped[clock]) == -1)
    {
        return -1;
    }
    *ts = stopped[clock];
    return 0;
}

static int
inject_clock_gettime(clockid_t clock, struct timespec *ts)
{
    verdict_t verdict = inject__judge(CALL_clock_gettime, -1);

    if (verdict.decided) {
        return (int) verdict.result;
    }
    int rc = read_clock(clock, ts);
    int64_t ns = (int64_t) ts->tv_sec * 1000000000 + ts->tv_nsec + offset;
    ts->tv_sec = ns / 1000000000;
    ts->tv_nsec = ns % 1000000000;
    return rc;
}

void
inject__clock(ql_sys_t *sys)
{
    sys->clock_gettime = inject_clock_gettime;
}
