#include "probe.h"
#include "core/loop.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static ql_loop_t *loop;
static ql_probe_record_t *records;
static uint64_t size;
static uint64_t count;

int
ql_probe_start(ql_loop_t *probed, uint64_t room)
{
    ql_probe_done();
    records = calloc(room + 1, sizeof *records);
    if (records == NULL) {
        return -1;
    }
    loop = probed;
    size = room;
    return 0;
}

void
ql_probe(ql_event_t *ev)
{
    if (count < size) {
        records[count] = (ql_probe_record_t){ev, ql_msec(loop), ev->ready,
                                             ev->timedout};
    }
    count++;
    ev->timedout = 0;
}

uint64_t
ql_probe_count(void)
{
    return count;
}

const ql_probe_record_t *
ql_probe_records(void)
{
    return records;
}

void
ql_probe_done(void)
{
    free(records);
    records = NULL;
    size = 0;
    count = 0;
}

static volatile sig_atomic_t ticks;
static const void *volatile last_tick;

int
ql_probe_tick_busy(ql_loop_t *ticked, const void *pc)
{
    (void) ticked;
    last_tick = pc;
    ticks++;
    return 1;
}

int
ql_probe_tick_idle(ql_loop_t *ticked, const void *pc)
{
    (void) ticked;
    last_tick = pc;
    ticks++;
    return 0;
}

int
ql_probe_ticks(void)
{
    return ticks;
}

const void *
ql_probe_tick_pc(void)
{
    return last_tick;
}

void
ql_probe_spin(uint64_t n)
{
    for (volatile uint64_t i = 0; i < n; i++) {
    }
}

void
ql_probe_spin_until(int n)
{
    while (ticks < n) {
    }
}

size_t
ql_probe_sizeof(const char *type)
{
    static const struct {
        const char *name;
        size_t size;
    } sizes[] = {
        {"struct epoll_event", sizeof(struct epoll_event)},
        {"struct io_event", sizeof(struct io_event)},
        {"struct iocb", sizeof(struct iocb)},
        {"struct iovec", sizeof(struct iovec)},
        {"struct itimerspec", sizeof(struct itimerspec)},
        {"struct sigaction", sizeof(struct sigaction)},
        {"struct msghdr", sizeof(struct msghdr)},
        {"ql_sockaddr_t", sizeof(ql_sockaddr_t)},
        {"ql_sys_t", sizeof(ql_sys_t)},
        {"ql_event_t", sizeof(ql_event_t)},
        {"ql_connection_t", sizeof(ql_connection_t)},
        {"ql_listening_t", sizeof(ql_listening_t)},
        {"ql_event_aio_t", sizeof(ql_event_aio_t)},
        {"ql_read_t", sizeof(ql_read_t)},
        {"ql_stats_t", sizeof(ql_stats_t)},
        {"ql_wheel_t", sizeof(ql_wheel_t)},
        {"ql_thread_pool_t", sizeof(ql_thread_pool_t)},
        {"ql_loop_t", sizeof(ql_loop_t)},
    };

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (strcmp(sizes[i].name, type) == 0) {
            return sizes[i].size;
        }
    }
    return 0;
}
