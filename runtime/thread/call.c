/*
 * call.c: a call that may block, made by a thread of the pool on memory with
 * two holders: the waiter has it until ql_call_free(), the executor (the pool,
 * or what its attempt has chosen) from the post to the return. The last to let
 * go releases it.
 */
#include "../core/loop.h"

#include <errno.h>
#include <string.h>

static void
destroy(ql_call_t *call)
{
    ql_loop_t *loop = call->loop;

    if (call->type->release != NULL) {
        call->type->release(call);
    }
    loop->stats.calls_live--;
    ql__free(loop, call);
}

/* On a thread. */
static void
run(ql_thread_task_t *task)
{
    ql_call_t *call = task->data;

    call->type->run(call);
}

/* On a thread. */
static void
undo(ql_thread_task_t *task)
{
    ql_call_t *call = task->data;

    call->type->undo(call);
}

static void
undone(ql_event_t *ev)
{
    ql_thread_task_t *task = ev->data;

    destroy(task->data);
}

/*
 * Nobody holds it any more. The pool never refuses a task that is abandoned;
 * the call is undone here only where the pool has ended, or cannot start a
 * single thread.
 */
static void
let_go(ql_call_t *call)
{
    ql_thread_task_t *task = &call->task;

    if (!call->undo) {
        destroy(call);
        return;
    }
    call->undo = 0;
    task->run = undo;
    task->event.handler = undone;
    task->event.abandoned = 1;
    if (ql_thread_task_post(call->loop, task) != NGX_OK) {
        undo(task);
        destroy(call);
    }
}

void
ql__call_returned(ql_call_t *call)
{
    if (call->executor->abandoned) {
        call->loop->stats.orphans--;
        let_go(call);
        return;
    }
    if (call->event.handler != NULL) {
        ql_post_event(call->loop, &call->event);
    }
}

static int
fail(ql_call_t *call, int err)
{
    call->res = -1;
    call->err = err;
    return NGX_ERROR;
}

/* By a fork: what there is to undo is the parent's. A descriptor that its
 * thread has open stays open in the child, too: which number it is, or whether
 * it was closed just then and is another's, the copy of its memory cannot
 * tell. */
static void
lose(ql_call_t *call)
{
    call->more = 0;
    call->undo = 0;
    (void) fail(call, ECANCELED);
}

/* Its event may be posted and not handled yet: it must not end what the call
 * does next. */
static void
settle(ql_call_t *call)
{
    ql_delete_posted_event(call->loop, call->executor);
    if (call->task.event.error) {
        lose(call);
    }
}

static void
returned(ql_event_t *ev)
{
    ql_thread_task_t *task = ev->data;

    settle(task->data);
    ql__call_returned(task->data);
}

void *
ql_call_create(ql_loop_t *loop, const ql_call_type_t *type, size_t size)
{
    ql_call_t *call = ql__alloc(loop, size);

    QL_CHECK_THREAD(loop);
    if (call == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    memset(call, 0, size);
    call->type = type;
    call->loop = loop;
    call->rc = NGX_AGAIN;
    call->executor = &call->task.event;
    call->task.run = run;
    call->task.patient = !loop->conf.overflow_error;
    call->task.data = call;
    call->task.event.data = &call->task;
    call->task.event.handler = returned;
    loop->stats.calls_live++;
    return call;
}

static int
post(ql_call_t *call)
{
    int rc;

    call->executor = &call->task.event;
    rc = ql_thread_task_post(call->loop, &call->task);
    if (rc == NGX_OK) {
        return NGX_AGAIN;
    }
    return fail(call, rc == NGX_BUSY ? EBUSY : errno);
}

static int
first(ql_call_t *call)
{
    int rc = NGX_DECLINED;

    if (call->type->attempt != NULL) {
        rc = call->type->attempt(call);
    }
    return rc == NGX_DECLINED ? post(call) : rc;
}

int
ql_call_attempt(ql_call_t *call)
{
    QL_CHECK_THREAD(call->loop);
    if (call->executor->active || call->rc != NGX_AGAIN) {
        return call->rc;
    }
    settle(call);
    if (call->task.event.complete && !call->more) {
        call->rc = call->res == -1 ? NGX_ERROR : NGX_OK;
    } else {
        call->more = 0;
        call->rc = first(call);
    }
    return call->rc;
}

int
ql_call_withdraw(ql_call_t *call)
{
    QL_CHECK_THREAD(call->loop);
    if (call->executor != &call->task.event || !call->executor->active) {
        return NGX_DECLINED;
    }
    return ql__thread_task_cancel(call->loop, &call->task) ? NGX_OK
                                                           : NGX_DECLINED;
}

void
ql_call_again(ql_call_t *call)
{
    QL_CHECK_THREAD(call->loop);
    call->rc = NGX_AGAIN;
    call->task.event.complete = 0;
}

/* The executor has it still. */
static bool
under_way(ql_call_t *call)
{
    if (!call->executor->active) {
        return false;
    }
    return call->executor != &call->task.event
        || !ql__thread_task_reclaim(call->loop, &call->task);
}

void
ql_call_free(ql_call_t *call)
{
    ql_loop_t *loop = call->loop;

    QL_CHECK_THREAD(call->loop);
    ql_delete_posted_event(loop, &call->event);
    ql_del_timer(loop, &call->event);
    if (under_way(call)) {
        call->executor->abandoned = 1;
        loop->stats.orphans++;
        if (call->type->abandon != NULL) {
            call->type->abandon(call);
        }
        return;
    }
    settle(call);
    let_go(call);
}
