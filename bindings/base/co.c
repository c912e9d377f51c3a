/*
 * co.c: where coroutines stop and go on. The only lua_yield and the only
 * lua_resume of quoll are here.
 */
#include "misuse.h"
#include "state.h"

/* What a resumed wait returns at first. No operation returns the registry, and
 * pushing it neither allocates nor searches, as a light userdata would. */
static const int MARK = LUA_REGISTRYINDEX;

/* ---------------------------------------------------------- parking ---- */

static void
co_let_go(ql_op_t *op)
{
    op->pending = 0;
    if (op->type->free != NULL) {
        op->type->free(op);
    }
}

/* The results of a wait, or its cancellation. */
static int
co_finish(lua_State *L, ql_task_t *t, ql_op_t *op)
{
    bool cancelled = op->err == QL_E_CANCELLED;
    int n = 0;

    if (!cancelled) {
        op->pending = 0;
        op->pushing = 1;
        n = op->type->push(L, op, op->rc);
        op->pushing = 0;
    }
    co_let_go(op);
    return cancelled ? ql__cancel_raise(L, t) : n;
}

/* What waits for work is timed by the turn's clock: to be exact would take a look
 * at the clock for each request. */
static void
co_park(ql_task_t *t, ql_op_t *op)
{
    t->op = op;
    op->task = t;
    op->progress = 0;
    op->pending = 1;
    t->state = QL_TASK_WAITING;
    t->parked = ql_nsec(t->lua->loop);
    if (op->timeout == QL_TIMER_INFINITE) {
        return;
    }
    if (op->idle) {
        ql_add_timer_at(t->lua->loop, &t->event, t->parked + op->timeout);
    } else {
        ql_add_timer_nsec(t->lua->loop, &t->event, op->timeout);
    }
}

/* Its event may have a timer and be posted at once: the other must not end the
 * next wait. */
void
ql__unpark(ql_task_t *t)
{
    t->op->task = NULL;
    ql__check_unparked(t);
    t->state = QL_TASK_READY;
    if (t->event.timer_set) {
        ql_del_timer(t->lua->loop, &t->event);
    }
    if (t->event.posted) {
        ql_delete_posted_event(t->lua->loop, &t->event);
    }
    t->event.timedout = 0;
}

void
ql__unpost(ql_task_t *t)
{
    ql_delete_posted_event(t->lua->loop, &t->event);
    ql_queue_remove(&t->event.queue);
}

/*
 * Its slice is spent: the finished result waits, the task goes to the back of
 * the next turn, so that a fast peer starves nobody.
 */
static void
co_postpone(ql_task_t *t, ql_op_t *op)
{
    t->op = op;
    op->task = NULL;
    op->pending = 1;
    t->state = QL_TASK_READY;
    ql_post_next_event(t->lua->loop, &t->event);
}

/* From a coroutine within t's own, quoll.coroutine sees the mark and passes
 * the yield on to here. */
int
ql__yield(lua_State *L, ql_task_t *t, int n)
{
    t->inner = L;
    if (L != t->L) {
        lua_pushvalue(L, MARK);
        lua_insert(L, -(++n));
    }
    return lua_yield(L, n);
}

/* below runs the loop further down the stack, and op waits for it. */
static int
co_refuse(lua_State *L, ql_op_t *op, const ql_task_t *below)
{
    char title[64] = "the main chunk";

    if (below->id != 0) {
        ql__task_title(below, title, sizeof(title));
    }
    co_let_go(op);
    return ql_raise(L,
                    "cannot wait here: %s runs the loop further down and goes "
                    "on only after this",
                    title);
}

/* A wait where no coroutine can yield: the loop runs inside this call. */
static int
co_drive(lua_State *L, ql_task_t *t, ql_op_t *op)
{
    const ql_task_t *below;

    ql__loads_note(L, t->lua);
    below = ql__drive(L, t);
    ql__check_kept(t);
    ql__check_over(t);
    t->op = NULL;
    if (below != NULL) {
        return co_refuse(L, op, below);
    }
    return co_finish(L, t, op);
}

/* --------------------------------------------------------- awaiting ---- */

/* A generator may have yielded out of the scope that was cancelled. */
static bool
co_cancelled(ql_task_t *t)
{
    ql__scope_innermost(t);
    return t->cancelled;
}

int
ql_await(lua_State *L, ql_op_t *op, int anchors)
{
    ql_lua_t *lua = op->lua;
    bool drive;
    ql_task_t *t;

    QL_CHECK_OP(op);
    t = ql__waiter(L, lua, &drive);
    if (t->op != NULL) { /* a finaliser, or an error cut that wait off */
        return ql_raise(L, "cannot wait here: the task waits already");
    }
    QL_DEBUG_CHECK(op->task == NULL, "'%s' waits already, in task %llu",
                   op->type->name, (unsigned long long) op->task->id);
    QL_DEBUG_CHECK(!op->pending, "the last result of '%s' was not taken yet",
                   op->type->name);
    ql__check_anchors(L, op, anchors);
    if (t->cancelled && co_cancelled(t)) {
        op->rc = NGX_ERROR;
        op->err = QL_E_CANCELLED;
        return co_finish(L, t, op);
    }
    op->err = 0;
    op->rc = op->type->attempt(op);
    if (op->rc == NGX_AGAIN && op->timeout == 0) {
        op->type->cancel(op);
        op->rc = NGX_ERROR;
        op->err = QL_E_TIMEOUT;
    }
    if (op->rc == NGX_AGAIN) {
        co_park(t, op);
    } else if (!ql__slice_spend(lua)) {
        return co_finish(L, t, op);
    } else {
        co_postpone(t, op);
    }
    ql__check_begun(L, t, op);
    if (drive) {
        return co_drive(L, t, op);
    }
    return ql__yield(L, t, anchors);
}

/* take(anchors...): the results of the wait from which the task comes. */
static int
co_take(lua_State *L)
{
    ql_task_t *t = ql__upvalue(L)->current;
    ql_op_t *op = t->op;

    if (op == NULL || t->inner != L) {
        return luaL_error(L, "take: no wait has ended here");
    }
    ql__check_kept(t);
    ql__check_over(t);
    t->op = NULL;
    return co_finish(L, t, op);
}

/* drop(anchors...): as take, when the coroutine that waited has been resumed by
 * somebody else meanwhile. */
static int
co_drop(lua_State *L)
{
    ql_task_t *t = ql__upvalue(L)->current;
    ql_op_t *op = t->op;

    if (op != NULL) {
        ql__check_over(t);
        t->op = NULL;
        co_let_go(op);
    }
    return 0;
}

void
ql__co_register(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {
        {"take", co_take}, {"drop", co_drop}, {NULL, NULL}};

    ql__register(L, lua, fns);
    lua_pushvalue(L, MARK);
    lua_setfield(L, -2, "mark");
}

/* --------------------------------------------------------- resuming ---- */

/* The mark comes first, the anchors of the wait behind it. Never allocates. */
static int
co_args(ql_task_t *t)
{
    if (t->inner == t->L) {
        lua_pushvalue(t->L, MARK);
        lua_insert(t->L, 1);
    }
    return lua_gettop(t->L);
}

/*
 * An error (no memory, a hook's) came between the wait of a generator and the
 * yield of the task: the wait ends with the coroutine. Unless it is parked, the
 * handle of the operation may be gone.
 */
static void
co_abandon(ql_task_t *t)
{
    ql_op_t *op = t->op;

    if (t->state == QL_TASK_WAITING) {
        op->type->cancel(op);
        ql__unpark(t);
        co_let_go(op);
    } else if (op == &t->own.op) {
        co_let_go(op);
    }
    ql__unpost(t);
    ql__check_over(t);
    t->op = NULL;
}

static void
co_enter(ql_task_t *t, int nargs)
{
    ql_lua_t *lua = t->lua;
    ql_task_t *previous = lua->current;
    int status;

    lua->current = t;
    lua->resumes++;
    t->state = QL_TASK_RUNNING;
    ql__slice_begin(lua);
    status = lua_resume(t->L, nargs);
    ql__account_charge(t);
    lua->current = previous;
    if (status == LUA_YIELD && t->op != NULL) {
        return;
    }
    if (t->op != NULL) {
        co_abandon(t);
    }
    ql__task_returned(t, status);
}

/* Back to the wait, unless a script has resumed the coroutine of the task. */
static void
co_back(ql_task_t *t)
{
    if (lua_status(t->L) == LUA_YIELD) {
        co_enter(t, co_args(t));
        return;
    }
    t->op->pending = 0;
    if (t->unwinding) {
        ql__defer_returned(t, 0);
        return;
    }
    t->fault = QL_FAULT_RESUMED;
    ql__task_close(t, QL_TASK_FAILED);
}

/* The wait of t has ended, or t starts: go on in its coroutine. */
static void
co_resume(ql_task_t *t)
{
    int nargs;

    if (ql__drive_holds(t)) {
        return;
    }
    if (t->lua->load_left) {
        ql__loads_settle(t->lua->driver, t->lua);
    }
    if (t->state != QL_TASK_STARTING) {
        co_back(t);
    } else if (t->cancelled && !t->unwinding) {
        ql__task_close(t, QL_TASK_CANCELLED);
    } else if (ql__task_start(t, &nargs)) {
        co_enter(t, nargs);
    } else {
        ql__task_close(t, QL_TASK_FAILED);
    }
}

/* Attempts the parked operation again; data wins over a timeout. */
static void
co_again(ql_task_t *t, ql_op_t *op, bool timedout)
{
    ql__check_kept(t);
    op->rc = op->type->attempt(op);
    if (op->rc == NGX_AGAIN && timedout && !op->progress) {
        op->type->cancel(op);
        op->rc = NGX_ERROR;
        op->err = QL_E_TIMEOUT;
    }
    if (op->rc != NGX_AGAIN) {
        ql__unpark(t);
        co_resume(t);
    } else if (op->progress && op->timeout != QL_TIMER_INFINITE) {
        op->progress = 0;
        ql_add_timer_at(t->lua->loop, &t->event,
                        ql_nsec(t->lua->loop) + op->timeout);
    }
}

void
ql__task_event(ql_event_t *ev)
{
    ql_task_t *t = ev->data;
    bool timedout = ev->timedout;

    ev->timedout = 0;
    if (t->state == QL_TASK_WAITING) {
        co_again(t, t->op, timedout);
    } else {
        co_resume(t);
    }
}

void
ql_op_ready(ql_op_t *op)
{
    QL_CHECK_OP(op);
    if (op->task != NULL) {
        co_again(op->task, op, false);
    }
}
