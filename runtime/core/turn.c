/*
 * turn.c: how long turns take, from the return of epoll_wait to their end: for
 * so long nobody else is served.
 */
#include "loop.h"

uint64_t
ql__turn_leave(ql_loop_t *loop)
{
    if (!loop->turning) {
        return 0;
    }
    loop->turning = false;
    return ql__clock(loop) - loop->turn_start;
}

uint64_t
ql__turn_begin(ql_loop_t *loop)
{
    loop->turning = true;
    /* With a resolution the cached clock stands still. */
    loop->turn_start = loop->resolution_set ? ql__clock(loop) : loop->nsec;
    return ++loop->stats.turns;
}

/* The bucket of ns. */
static unsigned
bucket(uint64_t ns)
{
    uint64_t us = ns / 1000;
    unsigned i = us == 0 ? 0 : 64 - (unsigned) __builtin_clzll(us);

    return i < QL_TURN_BUCKETS ? i : QL_TURN_BUCKETS - 1;
}

void
ql__turn_end(ql_loop_t *loop, uint64_t turn)
{
    ql_turns_t *turns = &loop->turns;
    uint64_t now = ql__clock(loop);
    uint64_t ns = now > loop->turn_start ? now - loop->turn_start : 0;

    turns->ns += ns;
    turns->lengths[bucket(ns)]++;
    if (ns > turns->longest) {
        turns->longest = ns;
        turns->longest_turn = turn;
        turns->longest_end = now;
    }
    loop->turning = false;
}

void
ql__turn_return(ql_loop_t *loop, uint64_t spent)
{
    loop->turning = true;
    loop->turn_start = ql__clock(loop) - spent;
}

uint64_t
ql_loop_turn(const ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    return loop->stats.turns;
}

const ql_turns_t *
ql_turns(const ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    return &loop->turns;
}

void
ql_turns_reset(ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    loop->turns.longest = 0;
    loop->turns.longest_turn = 0;
}

uint64_t
ql_turn(const ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    return loop->stats.turns;
}
