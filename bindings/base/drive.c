/*
 * drive.c: the loop runs below a wait where no coroutine can yield: of the main
 * chunk, or inside require and dofile. There not all tasks go on: hold.c.
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

/* Turns the loop until the wait of t has ended; the task further down for which
 * that would be for ever, or NULL. */
static const ql_task_t *
drive_wait(ql_task_t *t)
{
    ql_lua_t *lua = t->lua;
    const ql_task_t *below = NULL;

    ql__signals_enter(lua);
    while (!t->woken) {
        if (lua->drive != NULL) {
            below = ql__hold_blocked(t);
            if (below != NULL) {
                drive_fail(t, EDEADLK);
                break;
            }
            ql__hold_look(lua);
        }
        drive_turn(t, QL_TIMER_INFINITE);
        if (lua->drive != NULL) {
            ql__hold_tell(lua);
        }
    }
    ql__signals_leave(lua);
    drive_tell(t);
    return below;
}

const ql_task_t *
ql__drive(lua_State *L, ql_task_t *t)
{
    ql_lua_t *lua = t->lua;
    lua_State *driver = lua->driver;
    ql_task_t *drive = lua->drive;
    const ql_task_t *below = NULL;

    lua->driver = L;
    lua->drive = t == &lua->root ? drive : t;
    t->driving = 1;
    t->woken = 0;
    ql__account_enter(t);
    ql__hold_begin(lua);
    if (ql__stepping(t)) {
        drive_turn(t, ql__step_wait(t));
        ql__step_end(t);
    } else {
        below = drive_wait(t);
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
    ql__hold_end(lua);
    return below;
}

bool
ql__drive_holds(ql_task_t *t)
{
    if (t->driving) {
        t->woken = 1;
        return true;
    }
    return ql__hold(t);
}
