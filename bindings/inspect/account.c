/*
 * account.c: whose coroutine ran how long, and which ran longest in the
 * longest turn.
 */
#include "../base/state.h"

#include <stdio.h>

#ifdef __x86_64__
#include <cpuid.h>
#endif

enum {
    LEAST_NS = 100 * 1000 /* a shorter resume is nothing to be named for */
};

/* Does the counter run at one speed, also while the processor sleeps? */
static bool
counter_is_steady(void)
{
#if defined(__x86_64__)
    unsigned a, b, c, d;

    return __get_cpuid(0x80000007, &a, &b, &c, &d) != 0 && (d & 1 << 8) != 0;
#elif defined(__aarch64__)
    return true;
#else
    return false;
#endif
}

void
ql__account_init(ql_account_t *a)
{
    *a = (ql_account_t){.counter = counter_is_steady()};
    a->ns = ql__monotonic();
    a->ticks = a->mark = ql__ticks(a);
    a->least = UINT64_MAX;
}

double
ql__account_seconds(const ql_account_t *a, uint64_t ticks)
{
    double ns = (double) (ql__monotonic() - a->ns);
    double passed = (double) (ql__ticks(a) - a->ticks);

    return passed > 0 ? (double) ticks * ns / passed / 1e9 : 0;
}

/* A first guess is good enough for what is worth a name. */
static void
account_measure(ql_account_t *a)
{
    double s = ql__account_seconds(a, 1 << 20);

    if (s > 0) {
        a->least = (uint64_t) (LEAST_NS / 1e9 / s * (1 << 20));
    }
}

void
ql__account_enter(ql_task_t *t)
{
    ql_account_t *a = &t->lua->account;

    t->ticks += ql__account_take(a);
    if (a->least == UINT64_MAX) {
        account_measure(a);
    }
}

/* That of the turn that is over is kept if that was the longest so far. */
static void
account_keep(ql_account_t *a, const ql_loop_t *loop)
{
    if (a->current.turn != 0 && a->current.turn == ql_turns(loop)->longest_turn)
    {
        a->longest = a->current;
    }
}

static void QL_COLD
account_long(ql_task_t *t, uint64_t ticks)
{
    ql_account_t *a = &t->lua->account;
    ql_resume_t *r = &a->current;
    lua_Debug ar;

    if (r->turn != a->turn) {
        account_keep(a, t->lua->loop);
    } else if (ticks <= r->ticks) {
        return;
    }
    r->turn = a->turn;
    r->ticks = ticks;
    ql__task_title(t, r->task, sizeof(r->task));
    if (ql__where(t->lua, ql__task_place(t), &ar)) {
        (void) snprintf(r->where, sizeof(r->where), "%s:%d", ar.short_src,
                        ar.currentline);
    } else { /* it has returned */
        ql__task_spawned(t, r->where, sizeof(r->where));
    }
}

void
ql__account_charge(ql_task_t *t)
{
    ql_account_t *a = &t->lua->account;
    uint64_t ticks = ql__account_take(a);

    t->ticks += ticks;
    if (ticks >= a->least) {
        account_long(t, ticks);
        ql__overrun_stopped(t);
    }
}

const ql_resume_t *
ql__account_longest(ql_account_t *a, const ql_loop_t *loop)
{
    account_keep(a, loop);
    return a->longest.turn != 0
                && a->longest.turn == ql_turns(loop)->longest_turn
             ? &a->longest
             : NULL;
}
