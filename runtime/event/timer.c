/*
 * timer.c: a hierarchical timing wheel. It counts ticks of 2^14 ns, to which
 * due times are rounded up. The level of a timer is the highest group of 6 bits
 * in which its due tick and the wheel's elapsed tick differ, its slot is the
 * value of that group in the due tick. So every timer of a level is due before
 * every timer of the next, and those of one tick are always in one slot, in the
 * order in which they were armed.
 */
#include "../core/loop.h"

enum {
    TICK = 14, /* bits of ns */
    BITS = 6,  /* of ticks a level */
    MASK = QL__WHEEL_SLOTS - 1,
    TOP = QL__WHEEL_LEVELS - 1,
    LOOK = 4 /* timers of a slot whose due times are compared */
};

static const uint64_t TICK_NSEC = (uint64_t) 1 << TICK;
static const uint64_t MAX_MSEC = (uint64_t) 1 << 42;
static const uint64_t MAX_AT = (uint64_t) 1 << 63; /* ns of the clock */

typedef struct {
    unsigned level;
    unsigned slot;
    uint64_t at; /* tick at which elapsed reaches the slot */
} ql_wheel_next_t;

void
ql__wheel_init(ql_wheel_t *wheel, uint64_t nsec)
{
    unsigned level, slot;

    wheel->elapsed = nsec >> TICK;
    wheel->count = 0;
    ql_queue_init(&wheel->due);
    for (level = 0; level < QL__WHEEL_LEVELS; level++) {
        wheel->occupied[level] = 0;
        for (slot = 0; slot < QL__WHEEL_SLOTS; slot++) {
            ql_queue_init(&wheel->slots[level][slot]);
        }
    }
}

static void
insert(ql_wheel_t *wheel, ql_event_t *ev)
{
    uint64_t tick = ev->due >> TICK;
    uint64_t due = tick > wheel->elapsed ? tick : wheel->elapsed;
    uint64_t differ = due ^ wheel->elapsed;
    unsigned level, slot;

    level = differ == 0 ? 0 : (63 - (unsigned) __builtin_clzll(differ)) / BITS;
    if (level >= TOP) {
        /* The top level is a ring: at most one round ahead. */
        level = TOP;
        if ((due >> (BITS * TOP)) - (wheel->elapsed >> (BITS * TOP)) > MASK) {
            due = wheel->elapsed + ((uint64_t) MASK << (BITS * TOP));
        }
    }
    slot = (due >> (BITS * level)) & MASK;
    wheel->occupied[level] |= (uint64_t) 1 << slot;
    ql_queue_insert_tail(&wheel->slots[level][slot], &ev->timer);
}

/* The first occupied slot at or after elapsed; bits turned so that bit 0 is
 * the slot of elapsed. Only on level 0 can that slot itself hold timers. */
static bool
next_in_level(ql_wheel_t *wheel, unsigned level, ql_wheel_next_t *next)
{
    uint64_t tick = wheel->elapsed >> (BITS * level), bits;
    unsigned now = tick & MASK, ahead;

    while (wheel->occupied[level] != 0) {
        bits = wheel->occupied[level] >> now;
        bits |= now == 0 ? 0 : wheel->occupied[level] << (64 - now);
        ahead = (unsigned) __builtin_ctzll(bits);
        next->slot = (now + ahead) & MASK;
        if (!ql_queue_empty(&wheel->slots[level][next->slot])) {
            next->level = level;
            next->at = ahead == 0 ? wheel->elapsed
                                  : (tick + ahead) << (BITS * level);
            return true;
        }
        wheel->occupied[level] &= ~((uint64_t) 1 << next->slot);
    }
    return false;
}

static bool
find_next(ql_wheel_t *wheel, ql_wheel_next_t *next)
{
    unsigned level;

    for (level = 0; level < QL__WHEEL_LEVELS; level++) {
        if (next_in_level(wheel, level, next)) {
            return true;
        }
    }
    return false;
}

/* Empties a reached slot: to the due list, or to the levels below. */
static void
reach(ql_wheel_t *wheel, const ql_wheel_next_t *next)
{
    ql_queue_t *slot = &wheel->slots[next->level][next->slot];
    ql_queue_t reached;
    ql_event_t *ev;

    wheel->elapsed = next->at;
    wheel->occupied[next->level] &= ~((uint64_t) 1 << next->slot);
    if (next->level == 0) {
        ql_queue_move(&wheel->due, slot);
        return;
    }
    ql_queue_init(&reached);
    ql_queue_move(&reached, slot);
    while (!ql_queue_empty(&reached)) {
        ev = ql_queue_data(reached.next, ql_event_t, timer);
        ql_queue_remove(&ev->timer);
        insert(wheel, ev);
    }
}

static void
advance(ql_wheel_t *wheel, uint64_t nsec)
{
    uint64_t now = nsec >> TICK;
    ql_wheel_next_t next;

    while (wheel->count > 0 && find_next(wheel, &next) && next.at <= now) {
        reach(wheel, &next);
    }
    if (wheel->elapsed < now) {
        wheel->elapsed = now;
    }
}

void
ql_add_timer_at(ql_loop_t *loop, ql_event_t *ev, uint64_t at)
{
    QL_CHECK_THREAD(loop);
    QL_CHECK_EVENT(ev);
    if (ev->timer_set) {
        ql_del_timer(loop, ev);
    }
    if (at > MAX_AT) {
        at = MAX_AT;
    }
    ev->due = (at + TICK_NSEC - 1) & ~(TICK_NSEC - 1);
    ev->timer_set = 1;
    loop->wheel.count++;
    insert(&loop->wheel, ev);
    if (loop->wake) {
        ql__loop_wake(loop);
    }
    ql_log_debug(loop, QL_DEBUG_TIMER, "timer add: %p, due %llu ns",
                 (void *) ev, (unsigned long long) ev->due);
}

void
ql_add_timer_nsec(ql_loop_t *loop, ql_event_t *ev, uint64_t nsec)
{
    uint64_t now = ql__clock(loop);

    QL_CHECK_THREAD(loop);
    QL_CHECK_EVENT(ev);
    ql_add_timer_at(loop, ev, nsec < MAX_AT - now ? now + nsec : MAX_AT);
}

static uint64_t
to_nsec(uint64_t ms)
{
    return (ms < MAX_MSEC ? ms : MAX_MSEC) * QL__MSEC;
}

void
ql_add_timer(ql_loop_t *loop, ql_event_t *ev, uint64_t ms)
{
    QL_CHECK_THREAD(loop);
    QL_CHECK_EVENT(ev);
    ql_add_timer_at(loop, ev, ql__clock(loop) + to_nsec(ms));
}

void
ql_add_timer_cached(ql_loop_t *loop, ql_event_t *ev, uint64_t ms)
{
    QL_CHECK_THREAD(loop);
    QL_CHECK_EVENT(ev);
    ql_add_timer_at(loop, ev, loop->nsec + to_nsec(ms));
}

void
ql_del_timer(ql_loop_t *loop, ql_event_t *ev)
{
    QL_CHECK_THREAD(loop);
    if (!ev->timer_set) {
        return;
    }
    ql_queue_remove(&ev->timer);
    ev->timer_set = 0;
    loop->wheel.count--;
    ql_log_debug(loop, QL_DEBUG_TIMER, "timer del: %p", (void *) ev);
}

/* When the first timer of the slot is due, if there are few; else when the slot
 * is reached, which tells. A slot of the ring on top may hold later rounds. */
static uint64_t
first_due(ql_wheel_t *wheel, const ql_wheel_next_t *next)
{
    ql_queue_t *slot = &wheel->slots[next->level][next->slot];
    uint64_t first = UINT64_MAX, due;
    ql_queue_t *q;
    unsigned n = 0;

    if (next->level == 0 || next->level == TOP) {
        return next->at << TICK;
    }
    for (q = slot->next; q != slot; q = q->next) {
        if (++n > LOOK) {
            return next->at << TICK;
        }
        due = ql_queue_data(q, ql_event_t, timer)->due;
        first = due < first ? due : first;
    }
    return first;
}

uint64_t
ql_event_find_timer(ql_loop_t *loop)
{
    ql_wheel_next_t next;
    uint64_t at;

    QL_CHECK_THREAD(loop);
    if (loop->wheel.count == 0) {
        return QL_TIMER_INFINITE;
    }
    /* Not empty: a nested turn is in the middle of an expiry. */
    if (!ql_queue_empty(&loop->wheel.due) || !find_next(&loop->wheel, &next)) {
        return 0;
    }
    at = first_due(&loop->wheel, &next);
    return at > loop->nsec ? at - loop->nsec : 0;
}

void
ql_event_expire_timers(ql_loop_t *loop)
{
    ql_wheel_t *wheel = &loop->wheel;
    ql_event_t *ev;

    QL_CHECK_THREAD(loop);
    advance(wheel, loop->nsec);
    while (!ql_queue_empty(&wheel->due)) {
        ev = ql_queue_data(wheel->due.next, ql_event_t, timer);
        ql_queue_remove(&ev->timer);
        ev->timer_set = 0;
        ev->timedout = 1;
        wheel->count--;
        ql_log_debug(loop, QL_DEBUG_TIMER, "timer expired: %p", (void *) ev);
        if (ev->handler != NULL) {
            ev->handler(ev);
        }
    }
}
