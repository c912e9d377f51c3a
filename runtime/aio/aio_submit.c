/*
 * aio_submit.c: reads are gathered while handlers run and sent together. What
 * the context has no room for stays gathered, in order.
 */
#include "../core/loop.h"

#include <errno.h>

enum {
    /* Requests that go out together while a turn goes on. More of them share
     * a system call and a doorbell of the disk, but it has less to do until
     * then: of fio's reads a second 1, 2, 4 and 8 brought 0.99, 0.98, 0.94 and
     * 0.89, for 1.10, 0.98, 0.95 and 0.95 of its CPU time. */
    AIO_BATCH = 2,
    SUBMIT_RETRY = 10 /* ms until the machine is asked again */
};

bool
ql__aio_pending(const ql_loop_t *loop)
{
    const ql_aio_t *aio = &loop->aio;

    return aio->queued > 0 && !aio->blocked && aio->in_flight < aio->requests;
}

/* As many as there is room for, from the head. */
static long
fill_batch(ql_aio_t *aio)
{
    uint32_t room = aio->requests - aio->in_flight;
    ql_queue_t *q = aio->gathered.next;
    uint32_t n;

    for (n = 0; n < room && q != &aio->gathered; n++, q = q->next) {
        aio->batch[n] = &ql_queue_data(q, ql_event_aio_t, link)->aiocb;
    }
    return n;
}

static int
timed_submit(ql_loop_t *loop, long n)
{
    ql_aio_t *aio = &loop->aio;
    uint64_t start = ql__clock(loop);
    const ql_event_aio_t *first = aio->batch[0]->data;
    int rc = loop->sys->io_submit(aio->ctx, n, aio->batch);

    loop->stats.aio_submits++;
    ql__slow(&loop->slow_submit, ql__clock(loop) - start, first->file);
    ql_log_debug(loop, QL_DEBUG_AIO, "io_submit: %d of %ld", rc, n);
    return rc;
}

static ql_event_aio_t *
take_first(ql_aio_t *aio)
{
    ql_event_aio_t *first = ql_queue_data(aio->gathered.next, ql_event_aio_t,
                                          link);

    ql_queue_remove(&first->link);
    first->gathered = 0;
    aio->queued--;
    return first;
}

static void
submitted(ql_loop_t *loop, int n)
{
    ql_aio_t *aio = &loop->aio;
    int i;

    for (i = 0; i < n; i++) {
        ql_queue_insert_tail(&aio->kernel, &take_first(aio)->link);
    }
    aio->in_flight += (uint32_t) n;
    loop->stats.aio_submitted += (uint64_t) n;
}

/* With reads of ours in flight a completion makes room; without, the
 * requests are used up elsewhere and no event of ours will tell. */
static void
wait_for_room(ql_loop_t *loop)
{
    ql_aio_t *aio = &loop->aio;

    loop->stats.aio_eagain++;
    aio->blocked = true;
    if (aio->in_flight == 0) {
        ql_add_timer(loop, &aio->retry, SUBMIT_RETRY);
    }
}

/* io_submit stops at the first iocb that it refuses; only when that comes
 * first does it say why. */
void
ql_aio_submit(ql_loop_t *loop)
{
    int rc;

    QL_CHECK_THREAD(loop);
    while (ql__aio_pending(loop)) {
        rc = timed_submit(loop, fill_batch(&loop->aio));
        if (rc > 0) {
            submitted(loop, rc);
        } else if (rc == 0 || rc == -EAGAIN) {
            wait_for_room(loop);
        } else {
            ql__aio_complete(take_first(&loop->aio), rc);
        }
    }
}

void
ql__aio_gather(ql_file_t *file, ql_event_aio_t *aio)
{
    ql_loop_t *loop = file->loop;

    io_set_eventfd(&aio->aiocb, loop->aio.eventfd);
    aio->aiocb.data = aio;
    /* Until it is complete: close(2) before the submit would let it reach
     * whatever gets the number next. */
    ql__file_hold(file);
    aio->file = file;
    aio->event.data = aio;
    aio->event.handler = ql_file_aio_event_handler;
    aio->event.active = 1;
    aio->event.complete = 0;
    aio->event.ready = 0;
    aio->gathered = 1;
    ql_queue_insert_tail(&loop->aio.gathered, &aio->link);
    loop->aio.queued++;
    if (loop->aio.in_flight == 0 || loop->aio.queued >= AIO_BATCH) {
        ql_aio_submit(loop);
    }
}

bool
ql__aio_cancel(ql_event_aio_t *aio)
{
    if (!aio->gathered) {
        return false;
    }
    ql_queue_remove(&aio->link);
    aio->gathered = 0;
    aio->event.active = 0;
    aio->file->loop->aio.queued--;
    ql__file_release(aio->file);
    return true;
}
