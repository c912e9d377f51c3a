/*
 * hold.c: who goes on while a task runs the loop inside require. That task and
 * what it has started; who they wait for, where that is known; and everybody
 * once nothing but another task could end their waits. The others are held
 * back: one that requires the same module is to find it loaded.
 */
#include "state.h"

#include <stdio.h>

enum {
    HOLD_STEPS = 1000 /* tasks in a chain of waits that are looked at */
};

/* The task without which the wait of t does not end; NULL: none is known. */
static ql_task_t *
hold_needs(const ql_task_t *t)
{
    ql_task_t *need = NULL;

    if (t->state == QL_TASK_WAITING) {
        need = ql__join_needs(t->op);
        if (need == NULL) {
            need = ql__mutex_needs(t->op);
        }
    }
    return need;
}

static bool
hold_goes_on(const ql_task_t *t)
{
    const ql_lua_t *lua = t->lua;
    const ql_scope_t *s = &t->scope;

    while (s != NULL && s->task != lua->drive && !s->task->needed) {
        s = s->parent;
    }
    return s != NULL || lua->none_held;
}

bool
ql__held(const ql_task_t *t)
{
    return t->lua->drive != NULL && !t->driving && !t->event.posted
        && (t->state == QL_TASK_READY || t->state == QL_TASK_STARTING)
        && !ql_queue_empty(&t->event.queue);
}

bool
ql__hold(ql_task_t *t)
{
    ql_lua_t *lua = t->lua;

    if (lua->drive == NULL || hold_goes_on(t)) {
        return false;
    }
    if (lua->held_since == 0) {
        lua->held_since = ql_nsec(lua->loop);
    }
    ql_queue_insert_tail(&lua->deferred, &t->event.queue);
    return true;
}

void
ql__hold_release(ql_lua_t *lua)
{
    while (!ql_queue_empty(&lua->deferred)) {
        ql_queue_t *q = lua->deferred.next;

        ql_queue_remove(q);
        ql_post_event(lua->loop, ql_queue_data(q, ql_event_t, queue));
    }
}

/* Where those that go on are found. */
static ql_task_t *
hold_top(ql_lua_t *lua)
{
    return lua->some_needed ? &lua->root : lua->drive;
}

/* Marks who is waited for by those that go on; false: nobody new. */
static bool
hold_mark(ql_lua_t *lua)
{
    ql_task_t *top = hold_top(lua);
    bool found = false;

    for (ql_task_t *t = top; t != NULL; t = ql__task_next(t, top)) {
        ql_task_t *need = hold_needs(t);

        if (need != NULL && !need->driving && !hold_goes_on(need)
            && hold_goes_on(t)) {
            need->needed = 1;
            found = true;
        }
    }
    lua->some_needed |= found;
    return found;
}

/* Can only another task end the wait of t? */
static bool
hold_stuck(const ql_task_t *t)
{
    if (t->driving && t != t->lua->drive) {
        return true;
    }
    return t->state == QL_TASK_CLOSING
        || (t->state == QL_TASK_WAITING && !t->event.posted
            && ((t->op == &t->own.op && !ql__sleeps(t->op))
                || ql__selects(t->op)));
}

static bool
hold_all_stuck(ql_lua_t *lua)
{
    ql_task_t *top = hold_top(lua);
    ql_task_t *t = lua->drive;

    if (!hold_stuck(t)) {
        return false;
    }
    for (t = top; t != NULL; t = ql__task_next(t, top)) {
        if (t != &lua->root && !hold_stuck(t) && hold_goes_on(t)) {
            return false;
        }
    }
    return true;
}

void
ql__hold_look(ql_lua_t *lua)
{
    bool found = false;

    while (!lua->none_held && hold_mark(lua)) {
        found = true;
    }
    if (!found && !lua->none_held) {
        found = lua->none_held = hold_all_stuck(lua);
    }
    if (found) {
        ql__hold_release(lua);
    }
}

/* The first of t and its children that runs the loop further down. */
static const ql_task_t *
hold_below(ql_task_t *t)
{
    ql_task_t *below = t;

    while (below != NULL && (!below->driving || below == t->lua->drive)) {
        below = ql__task_next(below, t);
    }
    return below;
}

const ql_task_t *
ql__hold_blocked(ql_task_t *t)
{
    const ql_task_t *below = NULL;

    for (int i = 0; below == NULL && i < HOLD_STEPS; i++) {
        ql_task_t *need = t->event.timer_set ? NULL : hold_needs(t);

        if (need == NULL) {
            return NULL;
        }
        if (ql__join_needs(t->op) != NULL) { /* its end, and its children's */
            below = hold_below(need);
        } else if (need->driving && need != need->lua->drive) {
            below = need;
        }
        t = need;
    }
    return below;
}

void
ql__hold_begin(ql_lua_t *lua)
{
    if (ql_queue_empty(&lua->deferred) && lua->resumes != lua->held_resumes) {
        lua->held_since = 0;
        lua->held_told = false;
    }
}

void
ql__hold_end(ql_lua_t *lua)
{
    ql_task_t *root = &lua->root;

    lua->held_resumes = lua->resumes;
    if (lua->drive == NULL) {
        lua->none_held = false;
        if (lua->some_needed) {
            for (ql_task_t *t = root; t != NULL; t = ql__task_next(t, root)) {
                t->needed = 0;
            }
            lua->some_needed = false;
        }
    }
    ql__hold_release(lua);
}

void
ql__hold_tell(ql_lua_t *lua)
{
    uint64_t ns = ql_nsec(lua->loop) - lua->held_since;
    unsigned held = 0;
    char title[64];
    lua_Debug ar;

    if (lua->watchdog.slices.warn <= 0 || lua->held_told
        || ql_queue_empty(&lua->deferred) || ns < lua->watchdog.warn)
    {
        return;
    }
    for (ql_queue_t *q = lua->deferred.next; q != &lua->deferred; q = q->next) {
        held++;
    }
    ql__task_title(lua->drive, title, sizeof(title));
    if (!ql__where(lua, lua->driver, &ar)) {
        (void) snprintf(ar.short_src, sizeof(ar.short_src), "?");
        ar.currentline = 0;
    }
    ql_log_error(lua->loop, QL_LOG_WARN, 0,
                 "%s waits inside require at %s:%d: %u %s held back for "
                 "%.3f s so far",
                 title, ar.short_src, ar.currentline, held,
                 held == 1 ? "task" : "tasks", (double) ns / 1e9);
    lua->held_told = true;
}
