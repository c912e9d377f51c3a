/*
 * posted.c: queues of events whose handlers are to be called. A round is
 * moved to a list of the loop's own, so that a nested turn goes on with it.
 */
#include "../core/loop.h"

enum {
    BUDGET_EVENTS = 1024,
    BUDGET_NSEC = 1000000,
    LOOK_NSEC = 50000, /* between two looks at the clock */
    MAX_STRIDE = 8     /* events between them */
};

void
ql__posted_init(ql_loop_t *loop)
{
    ql_queue_init(&loop->posted_accept);
    ql_queue_init(&loop->posted);
    ql_queue_init(&loop->posted_next);
    ql_queue_init(&loop->posted_last);
    ql_queue_init(&loop->round);
    loop->stride = 1;
}

static void
post(ql_loop_t *loop, ql_queue_t *queue, ql_event_t *ev)
{
    if (ev->posted) {
        return;
    }
    ev->posted = 1;
    ql_queue_insert_tail(queue, &ev->queue);
    if (loop->wake) {
        ql__loop_wake(loop);
    }
    ql_log_debug(loop, QL_DEBUG_POSTED, "post event %p", (void *) ev);
}

void
ql_post_event(ql_loop_t *loop, ql_event_t *ev)
{
    QL_CHECK_THREAD(loop);
    QL_CHECK_EVENT(ev);
    post(loop, ev->accept ? &loop->posted_accept : &loop->posted, ev);
}

void
ql_post_next_event(ql_loop_t *loop, ql_event_t *ev)
{
    QL_CHECK_THREAD(loop);
    QL_CHECK_EVENT(ev);
    post(loop, &loop->posted_next, ev);
}

void
ql_post_last_event(ql_loop_t *loop, ql_event_t *ev)
{
    QL_CHECK_THREAD(loop);
    QL_CHECK_EVENT(ev);
    post(loop, &loop->posted_last, ev);
}

/* Out of its queue; readiness that waited with it is kept. */
static void
unpost(ql_event_t *ev)
{
    ql_queue_remove(&ev->queue);
    ev->posted = 0;
    if (ev->posted_ready) {
        ev->posted_ready = 0;
        ev->ready = 1;
    }
}

void
ql_delete_posted_event(ql_loop_t *loop, ql_event_t *ev)
{
    QL_CHECK_THREAD(loop);
    if (!ev->posted) {
        return;
    }
    unpost(ev);
    ql_log_debug(loop, QL_DEBUG_POSTED, "delete posted event %p", (void *) ev);
}

bool
ql__posted_pending(const ql_loop_t *loop)
{
    return !ql_queue_empty(&loop->posted)
        || !ql_queue_empty(&loop->posted_accept)
        || !ql_queue_empty(&loop->posted_next)
        || !ql_queue_empty(&loop->posted_last) || !ql_queue_empty(&loop->round);
}

static uint64_t
length(const ql_queue_t *head)
{
    const ql_queue_t *q;
    uint64_t n = 0;

    for (q = head->next; q != head; q = q->next) {
        n++;
    }
    return n;
}

uint64_t
ql__posted_count(const ql_loop_t *loop)
{
    return length(&loop->posted) + length(&loop->posted_accept)
         + length(&loop->posted_next) + length(&loop->posted_last)
         + length(&loop->round);
}

void
ql__posted_move_next(ql_loop_t *loop)
{
    ql_queue_t *q;
    ql_event_t *ev;

    for (q = loop->posted_next.next; q != &loop->posted_next; q = q->next) {
        ev = ql_queue_data(q, ql_event_t, queue);
        ev->ready = 1;
        ev->available = -1;
    }
    ql_queue_move(&loop->posted, &loop->posted_next);
}

static void
call_first(ql_loop_t *loop, ql_queue_t *queue)
{
    ql_event_t *ev = ql_queue_data(queue->next, ql_event_t, queue);

    unpost(ev);
    ql_log_debug(loop, QL_DEBUG_POSTED, "posted event %p", (void *) ev);
    /* Whoever was parked may have left since it was posted. */
    if (ev->handler != NULL) {
        ev->handler(ev);
    }
}

static void
process_once(ql_loop_t *loop, ql_queue_t *queue)
{
    uint64_t left = length(queue);

    for (; left > 0 && !ql_queue_empty(queue); left--) {
        call_first(loop, queue);
    }
}

void
ql__posted_process_accept(ql_loop_t *loop)
{
    process_once(loop, &loop->posted_accept);
}

void
ql__posted_process_last(ql_loop_t *loop)
{
    process_once(loop, &loop->posted_last);
}

/* The clock is looked at about every LOOK_NSEC: a slow event does not hide
 * behind quick ones. One that has updated loop->nsec itself tells at once. */
static void
adapt(ql_loop_t *loop, uint64_t passed)
{
    if (passed > LOOK_NSEC && loop->stride > 1) {
        loop->stride /= 2;
    } else if (passed <= LOOK_NSEC / 2 && loop->stride < MAX_STRIDE) {
        loop->stride *= 2;
    }
}

/* The turn has to end: its time is spent, or a timer is due. With a resolution
 * timers wait for the alarm, whatever the clock says. */
static bool
spent(ql_loop_t *loop, uint64_t start, uint64_t now)
{
    return now - start >= BUDGET_NSEC
        || (!loop->resolution_set
            && now - loop->nsec >= ql_event_find_timer(loop));
}

/* Moves what is posted to the round if that is empty; false: nothing is. */
static bool
next_round(ql_loop_t *loop)
{
    if (ql_queue_empty(&loop->round)) {
        ql_queue_move(&loop->round, &loop->posted);
    }
    return !ql_queue_empty(&loop->round);
}

void
ql__posted_process(ql_loop_t *loop)
{
    uint64_t start, now, last;
    unsigned n = 0, look = 0;

    if (!next_round(loop)) {
        return;
    }
    start = last = ql__clock(loop);
    while (n < BUDGET_EVENTS && next_round(loop)) {
        call_first(loop, &loop->round);
        n++;
        if (++look < loop->stride && loop->nsec < last + LOOK_NSEC) {
            continue;
        }
        now = ql__clock(loop);
        adapt(loop, now - last);
        if (spent(loop, start, now)) {
            return;
        }
        last = now;
        look = 0;
    }
}
