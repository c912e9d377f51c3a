/*
 * drive.c: the loop runs below a wait where no coroutine can yield: of the main
 * chunk, or inside require and dofile. There only the task that waits and what
 * it has started go on; the others are held back until it returns.
 */
#include "state.h"

#include <errno.h>

/* The loop cannot turn any more: the wait that runs it ends with the error. */
static void
drive_fail(ql_task_t *t, int err)
{
    if (t->state == QL_TASK_WAITING) {
        t->op->type->cancel(t->op);
        ql__unpark(t);
    }
    ql__unpost(t);
    t->op->rc = NGX_ERROR;
    t->op->err = err;
    t->woken = 1;
}

static void
drive_turn(ql_task_t *t, uint64_t max_wait)
{
    ql_loop_t *loop = t->lua->loop;

    if (ql_loop_init(loop) == NGX_ERROR
        || ql_process_events_and_timers(loop, max_wait) == NGX_ERROR)
    {
        drive_fail(t, errno);
    }
}

/* What the drive held back goes on. */
static void
drive_release(ql_lua_t *lua)
{
    while (!ql_queue_empty(&lua->deferred)) {
        ql_queue_t *q = lua->deferred.next;

        ql_queue_remove(q);
        ql_post_event(lua->loop, ql_queue_data(q, ql_event_t, queue));
    }
}

/* These turns were made behind the back of who waits for the descriptor, and
 * may have armed timers. */
static void
drive_tell(const ql_task_t *t)
{
    const ql_lua_t *lua = t->lua;

    if (lua->watched && t == &lua->root) {
        (void) ql_notify(lua->loop);
    }
}

void
ql__drive(lua_State *L, ql_task_t *t)
{
    ql_lua_t *lua = t->lua;
    lua_State *driver = lua->driver;
    ql_task_t *drive = lua->drive;

    lua->driver = L;
    lua->drive = t == &lua->root ? drive : t;
    t->driving = 1;
    t->woken = 0;
    ql__account_enter(t);
    if (ql__stepping(t)) {
        drive_turn(t, ql__step_wait(t));
        ql__step_end(t);
    } else {
        ql__signals_enter(lua);
        while (!t->woken) {
            drive_turn(t, QL_TIMER_INFINITE);
        }
        ql__signals_leave(lua);
        drive_tell(t);
    }
    if (t == &lua->root) { /* spared while it waited */
        ql__scope_refresh(t);
    }
    t->driving = 0;
    t->state = QL_TASK_RUNNING;
    lua->driver = driver;
    lua->drive = drive;
    lua->current = t;
    lua->resumes++; /* t goes on as if it had been resumed */
    ql__slice_begin(lua);
    lua->load_left = lua->loading;
    drive_release(lua);
}

/* Is t the task that runs the loop inside require, or started by it? */
static bool
drive_within(const ql_task_t *t, const ql_task_t *drive)
{
    const ql_scope_t *s = &t->scope;

    while (s != NULL && s->task != drive) {
        s = s->parent;
    }
    return s != NULL;
}

bool
ql__drive_holds(ql_task_t *t)
{
    ql_lua_t *lua = t->lua;

    if (t->driving) {
        t->woken = 1;
        return true;
    }
    if (lua->drive != NULL && !drive_within(t, lua->drive)) {
        ql_queue_insert_tail(&lua->deferred, &t->event.queue);
        return true;
    }
    return false;
}
