/*
 * posted.c: queues of events whose handlers are to be called. A round is
 * moved to a list of the loop's own, so that a nested turn goes on with it.
 */
#include "../core/loop.h"

enum {
    BUDGET_EVENTS = 1024,
    BUDGET_NSEC = 1000000,
    EVENTS_PER_LOOK = 8 /* at the clock */
};

void
ql__posted_init(ql_loop_t *loop)
{
    ql_queue_init(&loop->posted_accept);
    ql_queue_init(&loop->posted);
    ql_queue_init(&loop->posted_next);
    ql_queue_init(&loop->round);
}

static void
post(ql_loop_t *loop, ql_queue_t *queue, ql_event_t *ev)
{
    if (ev->posted) {
        return;
    }
    ev->posted = 1;
    ql_queue_insert_tail(queue, &ev->queue);
    ql_log_debug(loop, QL_DEBUG_POSTED, "post event %p", (void *) ev);
}

void
ql_post_event(ql_loop_t *loop, ql_event_t *ev)
{
    post(loop, ev->accept ? &loop->posted_accept : &loop->posted, ev);
}

void
ql_post_next_event(ql_loop_t *loop, ql_event_t *ev)
{
    post(loop, &loop->posted_next, ev);
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
        || !ql_queue_empty(&loop->posted_next) || !ql_queue_empty(&loop->round);
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
         + length(&loop->posted_next) + length(&loop->round);
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

void
ql__posted_process_accept(ql_loop_t *loop)
{
    uint64_t left = length(&loop->posted_accept);

    for (; left > 0 && !ql_queue_empty(&loop->posted_accept); left--) {
        call_first(loop, &loop->posted_accept);
    }
}

void
ql__posted_process(ql_loop_t *loop)
{
    uint64_t start;
    unsigned n = 0;

    if (ql_queue_empty(&loop->round) && ql_queue_empty(&loop->posted)) {
        return;
    }
    start = ql__clock(loop);
    for (;;) {
        if (ql_queue_empty(&loop->round)) {
            ql_queue_move(&loop->round, &loop->posted);
            if (ql_queue_empty(&loop->round)) {
                return;
            }
        }
        call_first(loop, &loop->round);
        n++;
        if (n == BUDGET_EVENTS
            || (n % EVENTS_PER_LOOK == 0
                && ql__clock(loop) - start >= BUDGET_NSEC))
        {
            return;
        }
    }
}
