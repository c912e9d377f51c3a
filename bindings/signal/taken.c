/*
 * taken.c: signals that a script takes: each taker has those that it asked for,
 * one of a kind at a time. While somebody takes a signal its handler sends the
 * loop a note (signal.c); afterwards its disposition, and whether it was
 * blocked, are what they were.
 */
#include "../base/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    ql_handle_t handle;
    ql_op_t op;
    ql_queue_t link;  /* in signals.takers; self-linked when closed */
    uint32_t wanted;  /* 1 << signo */
    uint32_t pending; /* that came, and nobody was told of */
    bool parked;      /* op waits for one */
} taker_t;

static taker_t *
taker_of(ql_op_t *op)
{
    return ql_queue_data(op, taker_t, op);
}

/* ------------------------------------------------------ dispositions ---- */

/* SIGINT, SIGTERM and SIGQUIT have handlers while the loop runs, as ever. */
static void
on_taken(int signo)
{
    int err = errno;

    ql__signal_note(signo);
    errno = err;
}

static void
take(ql_taken_t *taken, int signo)
{
    struct sigaction act = {.sa_handler = on_taken, .sa_flags = SA_RESTART};
    sigset_t set, old;

    sigemptyset(&set);
    sigaddset(&set, signo);
    if (!ql__signal_ours(signo)) {
        sigaction(signo, &act, &taken->old);
    }
    pthread_sigmask(SIG_UNBLOCK, &set, &old);
    taken->blocked = sigismember(&old, signo) == 1;
}

static void
give_back(const ql_taken_t *taken, int signo)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signo);
    if (taken->blocked) {
        pthread_sigmask(SIG_BLOCK, &set, NULL);
    }
    if (!ql__signal_ours(signo)) {
        sigaction(signo, &taken->old, NULL);
    }
}

static void
take_all(ql_lua_t *lua, uint32_t wanted)
{
    for (int signo = 1; signo < QL__SIGNAL_MAX; signo++) {
        ql_taken_t *taken = &lua->signals.taken[signo];

        if ((wanted & 1U << signo) != 0 && taken->takers++ == 0) {
            take(taken, signo);
            ql__signals_refresh(lua);
        }
    }
}

static void
give_back_all(ql_lua_t *lua, uint32_t wanted)
{
    for (int signo = 1; signo < QL__SIGNAL_MAX; signo++) {
        ql_taken_t *taken = &lua->signals.taken[signo];

        if ((wanted & 1U << signo) != 0 && --taken->takers == 0) {
            give_back(taken, signo);
            ql__signals_refresh(lua);
        }
    }
}

/* ------------------------------------------------------------- notes ---- */

bool
ql__taken_tell(ql_lua_t *lua, int signo)
{
    ql_queue_t *q;

    /* Whoever may signal this process can send a note of any number. */
    if (signo < 1 || signo >= QL__SIGNAL_MAX
        || lua->signals.taken[signo].takers == 0)
    {
        return false;
    }
    for (q = lua->signals.takers.next; q != &lua->signals.takers; q = q->next) {
        taker_t *t = ql_queue_data(q, taker_t, link);

        t->pending |= t->wanted & 1U << signo;
    }
    return true;
}

static taker_t *
next_ready(ql_lua_t *lua)
{
    ql_queue_t *q;

    for (q = lua->signals.takers.next; q != &lua->signals.takers; q = q->next) {
        taker_t *t = ql_queue_data(q, taker_t, link);

        if (t->parked && t->pending != 0) {
            return t;
        }
    }
    return NULL;
}

/* Who goes on may close any of them. */
void
ql__taken_wake(ql_lua_t *lua)
{
    taker_t *t;

    while ((t = next_ready(lua)) != NULL) {
        ql_op_ready(&t->op);
    }
}

/* -------------------------------------------------------- operation ---- */

static int
taker_attempt(ql_op_t *op)
{
    taker_t *t = taker_of(op);

    t->parked = t->pending == 0;
    return t->parked ? NGX_AGAIN : NGX_OK;
}

/* -> number */
static int
taker_push(lua_State *L, ql_op_t *op, int rc)
{
    taker_t *t = taker_of(op);
    int signo;

    if (rc == NGX_ERROR) {
        return ql_push_error(L, op->err);
    }
    signo = ffs((int) t->pending) - 1;
    t->pending &= ~(1U << signo);
    lua_pushinteger(L, signo);
    return 1;
}

static void
taker_cancel(ql_op_t *op)
{
    taker_of(op)->parked = false;
}

static void
taker_describe(ql_op_t *op, char *text, size_t size)
{
    const taker_t *t = taker_of(op);
    size_t n = (size_t) snprintf(text, size, "signal");

    for (int signo = 1; signo < QL__SIGNAL_MAX && n < size; signo++) {
        if ((t->wanted & 1U << signo) != 0) {
            n += (size_t) snprintf(text + n, size - n, " SIG%s",
                                   sigabbrev_np(signo));
        }
    }
}

static void
taker_close(ql_handle_t *h, int err)
{
    taker_t *t = ql_queue_data(h, taker_t, handle);

    ql_op_end(&t->op, err);
    ql_queue_remove(&t->link);
    give_back_all(h->lua, t->wanted);
    if (h->lua->loop != NULL) {
        ql__signals_unlisten(h->lua);
    }
}

static const ql_handle_type_t taker_type = {"signal taker", taker_close, NULL};
static const ql_op_type_t taker_op = {
    .name = "signal",
    .attempt = taker_attempt,
    .push = taker_push,
    .cancel = taker_cancel,
    .describe = taker_describe,
};

/* -------------------------------------------------------- functions ---- */

/* take({number, ...}) -> taker | nil, err, CODE; close() gives them back */
static int
signals_take(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);
    taker_t *t;

    if (ql_lua_ready(lua, L) == NULL) {
        return ql_push_error(L, errno);
    }
    t = ql_handle_new(L, lua, &taker_type, sizeof(*t));
    ql_queue_init(&t->link);
    ql_op_init(&t->op, &taker_op, lua);
    for (int i = 1; i <= (int) lua_objlen(L, 1); i++) {
        lua_rawgeti(L, 1, i);
        t->wanted |= 1U << lua_tointeger(L, -1);
        lua_pop(L, 1);
    }
    if (!ql__signals_listen(lua)) {
        return ql_push_error(L, errno);
    }
    ql_queue_insert_tail(&lua->signals.takers, &t->link);
    take_all(lua, t->wanted);
    ql_handle_open(&t->handle);
    return 1;
}

/* taken(taker, [s]) -> number | nil, err, CODE */
static int
signals_taken(lua_State *L)
{
    taker_t *t = ql_handle_check(L, 1, &taker_type, "wait");

    t->op.timeout = ql_check_timeout(L, 2, "s", "wait");
    if (t->handle.closed) {
        return ql_push_error(L, t->handle.closed);
    }
    lua_settop(L, 1);
    return ql_await(L, &t->op, 1);
}

/* hand(taker, task): closed with that task */
static int
signals_hand(lua_State *L)
{
    taker_t *t = ql_handle_check(L, 1, &taker_type, "on");

    ql_handle_own(&t->handle, ql__task_check(L, 2, "on")->task);
    return 0;
}

/* give_back(taker) */
static int
signals_give_back(lua_State *L)
{
    taker_t *t = ql_handle_check(L, 1, &taker_type, "wait");

    ql_handle_close(&t->handle, QL_E_CLOSED);
    return 0;
}

/* signal_failed(text): the error of a signal's function */
static int
signals_failed(lua_State *L)
{
    ql_log_error(ql__upvalue(L)->loop, QL_LOG_ERR, 0, "signal: %s",
                 luaL_checkstring(L, 1));
    return 0;
}

void
ql__taken_register(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {{"signal_take", signals_take},
                                   {"signal_taken", signals_taken},
                                   {"signal_hand", signals_hand},
                                   {"signal_give_back", signals_give_back},
                                   {"signal_failed", signals_failed},
                                   {NULL, NULL}};

    ql__register(L, lua, fns);
}
