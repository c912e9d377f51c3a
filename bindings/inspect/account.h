/*
 * account.h: the time that tasks take. One look at the processor's counter for
 * each resume of a coroutine: where one ends the next begins, and the first of
 * a turn begins with the turn.
 */
#ifndef QUOLL_ACCOUNT_H
#define QUOLL_ACCOUNT_H

#include "../quoll_lua.h"

#include <stdbool.h>
#include <time.h>

#ifdef __x86_64__
#include <x86intrin.h>
#endif

/* A long resume. */
typedef struct {
    uint64_t turn;  /* its number; 0: none */
    uint64_t ticks; /* its length */
    char task[48];  /* "task 12 'reader'" */
    char where[96]; /* "file:line" of the script where it stopped; of one
                       that has returned "spawned at file:line" */
} ql_resume_t;

typedef struct {
    bool counter;        /* the processor's counter is steady */
    uint64_t ticks;      /* it said this */
    uint64_t ns;         /* when CLOCK_MONOTONIC said that: their ratio */
    uint64_t mark;       /* ticks: who runs is charged from here on */
    uint64_t turn;       /* number of the turn in which mark was set */
    uint64_t least;      /* ticks: a shorter resume is not worth naming; known
                            once the loop runs */
    ql_resume_t current; /* the longest of its turn so far */
    ql_resume_t longest; /* the longest of the longest turn */
} ql_account_t;

static inline uint64_t
ql__monotonic(void)
{
    struct timespec ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

/* 8 ns where clock_gettime takes 22. */
static inline uint64_t
ql__ticks(const ql_account_t *a)
{
#if defined(__x86_64__)
    if (a->counter) {
        return __rdtsc();
    }
#elif defined(__aarch64__)
    uint64_t ticks;

    if (a->counter) {
        __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
        return ticks;
    }
#endif
    return ql__monotonic();
}

/* A coroutine is about to be resumed. */
static inline void
ql__account_begin(ql_account_t *a, const ql_loop_t *loop)
{
    uint64_t turn = ql_loop_turn(loop);

    if (turn != a->turn) {
        a->turn = turn;
        a->mark = ql__ticks(a);
    }
}

/* Ticks since the mark, which is set anew. */
static inline uint64_t
ql__account_take(ql_account_t *a)
{
    uint64_t now = ql__ticks(a);
    uint64_t spent = now > a->mark ? now - a->mark : 0;

    a->mark = now;
    return spent;
}

void ql__account_init(ql_account_t *a);
/* Ticks as seconds. */
double ql__account_seconds(const ql_account_t *a, uint64_t ticks);
/* t, which waits, begins to run the loop. */
void ql__account_enter(ql_task_t *t);
/* The coroutine of t has just stopped. */
void ql__account_charge(ql_task_t *t);
/* The longest turn's longest resume, NULL when none was long. */
const ql_resume_t *ql__account_longest(ql_account_t *a, const ql_loop_t *loop);

#endif
