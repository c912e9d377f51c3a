/* aio.c: libaio's calls, which return -errno. */
#include "script.h"

#include <errno.h>

static unsigned res_countdown; /* 0: no event's res is changed */
static int64_t res_value;

void
ql_inject_aio_res(unsigned n, int64_t res)
{
    res_countdown = n;
    res_value = res;
}

void
inject__aio_reset(void)
{
    res_countdown = 0;
}

static int
answer(verdict_t verdict)
{
    return verdict.result == -1 ? -errno : (int) verdict.result;
}

static int
inject_io_setup(int n, io_context_t *ctx)
{
    verdict_t verdict = inject__judge(CALL_io_setup, -1);

    return verdict.decided ? answer(verdict) : inject__base()->io_setup(n, ctx);
}

static int
inject_io_destroy(io_context_t ctx)
{
    verdict_t verdict = inject__judge(CALL_io_destroy, -1);

    return verdict.decided ? answer(verdict) : inject__base()->io_destroy(ctx);
}

static int
inject_io_submit(io_context_t ctx, long n, struct iocb **iocbs)
{
    verdict_t verdict = inject__judge(CALL_io_submit, -1);

    if (verdict.decided) {
        return answer(verdict);
    }
    if ((uint64_t) n > verdict.limit) {
        n = (long) verdict.limit;
    }
    return inject__base()->io_submit(ctx, n, iocbs);
}

static int
inject_io_getevents(io_context_t ctx, long min, long n, struct io_event *events,
                    struct timespec *timeout)
{
    verdict_t verdict = inject__judge(CALL_io_getevents, -1);

    if (verdict.decided) {
        return answer(verdict);
    }
    if ((uint64_t) n > verdict.limit) {
        n = (long) verdict.limit;
    }
    int got = inject__base()->io_getevents(ctx, min < n ? min : n, n, events,
                                           timeout);
    for (int i = 0; i < got && res_countdown > 0; i++) {
        if (--res_countdown == 0) {
            events[i].res = (unsigned long) res_value;
        }
    }
    return got;
}

void
inject__aio(ql_sys_t *sys)
{
    sys->io_setup = inject_io_setup;
    sys->io_destroy = inject_io_destroy;
    sys->io_submit = inject_io_submit;
    sys->io_getevents = inject_io_getevents;
}
