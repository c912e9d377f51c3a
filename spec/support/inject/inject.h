/*
 * inject.h: a table of system calls whose results a spec scripts.
 *
 * One script a process (the calls carry no context): ql_inject_new() starts
 * it, rules are added, ql_inject_calls() counts. Threads may call through the
 * table. A call is named by its member in ql_sys_t, "recv", "io_submit".
 */
#ifndef QUOLL_INJECT_H
#define QUOLL_INJECT_H

#include "quoll.h"

struct epoll_event;

/* The table, without rules and with counters at 0; under: where calls go that
 * no rule decides, NULL for the real ones. */
const ql_sys_t *ql_inject_new(const ql_sys_t *under);
/* Puts the table into a loop that exists, over the one it has. */
void ql_inject_install(ql_loop_t *loop);

/*
 * Rules. They apply to the calls number from..to (1 is the next; to 0: for
 * ever) of `call` with descriptor fd (-1: any). -1: no such call, or no room.
 *   fail    it fails with errno err (libaio: -err, allocations: NULL)
 *   result  it is not made and returns value
 *   cut     it is made with at most `count` bytes, messages, iocbs or events
 *   delay   it is made `us` later
 */
int ql_inject_fail(const char *call, int fd, unsigned from, unsigned to,
                   int err);
int ql_inject_result(const char *call, int fd, unsigned from, unsigned to,
                     int64_t value);
int ql_inject_cut(const char *call, int fd, unsigned from, unsigned to,
                  uint64_t count);
int ql_inject_delay(const char *call, int fd, unsigned from, unsigned to,
                    uint64_t us);
/* Forgets the rules; counters and clock stay. */
void ql_inject_clear(void);

/* Calls made since ql_inject_new(), decided by a rule or not. */
uint64_t ql_inject_calls(const char *call);
/* Of these, those of the thread that called ql_inject_new(): the loop's. */
uint64_t ql_inject_own_calls(const char *call);

/* Every receive and send on a nonblocking stream socket first fails with
 * EAGAIN, then moves one byte; the edge is armed again. */
void ql_inject_one_byte(int on);

/* Added to what clock_gettime says; frozen: the clock stands still. */
void ql_inject_clock(int64_t offset_ns);
void ql_inject_clock_freeze(int on);

/* Each batch of a wait in an order drawn from seed; 0: as it came. */
void ql_inject_shuffle(unsigned seed);
/* The next epoll_pwait2 or epoll_wait returns exactly these (n <= 64) and does
 * not wait. */
void ql_inject_epoll_events(const struct epoll_event *events, int n);

/* io_getevents reports `res` for its event number n (1 is the next). */
void ql_inject_aio_res(unsigned n, int64_t res);

#endif
