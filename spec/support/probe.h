/* probe.h: handlers in C for specs that call them very often, and the sizes
 * that cdef_spec compares. */
#ifndef QUOLL_PROBE_H
#define QUOLL_PROBE_H

#include "quoll.h"

typedef struct {
    ql_event_t *ev;
    uint64_t msec; /* the loop's clock; 0 when the event has no loop */
    int ready;
    int timedout;
} ql_probe_record_t;

/* Starts anew: the next `room` calls of ql_probe() are kept. -1: no memory. */
int ql_probe_start(ql_loop_t *probed, uint64_t room);
/* A handler that records its event; clears timedout, as a handler should. */
void ql_probe(ql_event_t *ev);
/* Calls since the start, kept or not, and the kept ones. */
uint64_t ql_probe_count(void);
const ql_probe_record_t *ql_probe_records(void);
void ql_probe_done(void);

/* A read handler: sends back each byte that comes; c->data counts down, at 0
 * the loop is stopped. */
void ql_probe_bounce(ql_event_t *ev);
/* Runs n loops, each in a thread of its own, until they are stopped; how many
 * of them ended with NGX_OK. -1: no thread. */
int ql_probe_run_loops(ql_loop_t **loops, int n);
/* Starts n threads; number k posts events[k * each] and the each - 1
 * after it, and calls ql_notify() after each. -1: no thread. */
int ql_probe_post_start(ql_loop_t *loop, ql_event_t **events, int n, int each);
/* Waits for their end. */
void ql_probe_post_join(void);

/* A log writer that keeps every line, "level text\n"; the text so far; the
 * end of it. Any thread. */
void ql_probe_writer(void *data, int level, const char *text);
const char *ql_probe_log(void);
void ql_probe_log_done(void);

/* A tick's handler that counts, and says that handlers run; or not. */
int ql_probe_tick_busy(ql_loop_t *ticked, const void *pc);
int ql_probe_tick_idle(ql_loop_t *ticked, const void *pc);
/* Ticks so far. */
int ql_probe_ticks(void);
/* Where the last one came. */
const void *ql_probe_tick_pc(void);
/* Keeps the processor for n steps; until there have been n ticks. */
void ql_probe_spin(uint64_t n);
void ql_probe_spin_until(int n);

/* sizeof the type of that name, 0 for one it does not know. */
size_t ql_probe_sizeof(const char *type);

#endif
