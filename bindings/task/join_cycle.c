/*
 * join_cycle.c: a wait for a task that cannot end before the one that waits. A
 * task ends after its children, those in the background aside, and goes on
 * after what it waits for, so on the waiting one depend its parent and who
 * waits for it, and so on. A select of one task alone is such a wait; one of
 * several objects may end by another.
 */
#include "../base/state.h"

enum {
    CYCLE_STEPS = 1000 /* tasks looked at by one wait, at most: thousands may
                          wait for one */
};

/* Adds the name of t to the text on top. */
static void
cycle_add(lua_State *L, const ql_task_t *t)
{
    lua_pushliteral(L, " -> ");
    ql__task_push(L, t);
    ql__task_push_title(L, lua_gettop(L));
    lua_remove(L, -2);
    lua_concat(L, 3);
}

static bool cycle_find(lua_State *L, ql_task_t *from, const ql_task_t *target,
                       int *steps);

/* Does the end of target depend on the one that op, if it is not NULL, makes
 * wait? With a timeout that ends anyway. */
static bool
cycle_behind(lua_State *L, const ql_op_t *op, const ql_task_t *target,
             int *steps)
{
    return op != NULL && op->task != NULL && op->timeout == QL_TIMER_INFINITE
        && cycle_find(L, op->task, target, steps);
}

/* Does the end of target depend on one that waits for t? */
static bool
cycle_among_waiters(lua_State *L, const ql_task_t *t, const ql_task_t *target,
                    int *steps)
{
    const ql_outcome_t *o = t->outcome;
    bool found = false;

    if (o == NULL) {
        return false;
    }
    for (ql_queue_t *q = o->waiters.next;
         !found && q != &o->waiters && *steps > 0; q = q->next)
    {
        found = cycle_behind(L, &ql_queue_data(q, ql_own_op_t, link)->op,
                             target, steps);
    }
    for (ql_queue_t *q = o->selectors.next;
         !found && q != &o->selectors && *steps > 0; q = q->next)
    {
        found = cycle_behind(L, ql__select_sole(q), target, steps);
    }
    return found;
}

/* Does the end of target depend on from? Then pushes the way from target to
 * from. */
static bool
cycle_find(lua_State *L, ql_task_t *from, const ql_task_t *target, int *steps)
{
    for (ql_scope_t *s = &from->scope; s != NULL && --*steps > 0;
         s = s->task->scope.background ? NULL : s->task->scope.parent)
    {
        ql_task_t *t = s->task;
        bool found = t == target;

        if (found) {
            lua_pushliteral(L, "");
        }
        found = found || cycle_among_waiters(L, t, target, steps);
        if (found) {
            cycle_add(L, t);
            if (t != from) {
                cycle_add(L, from);
            }
            return true;
        }
    }
    return false;
}

void
ql__cycle_check(lua_State *L, ql_task_t *t, const ql_task_t *target,
                uint64_t timeout)
{
    int steps = CYCLE_STEPS;

    /* One that has not begun waits for nothing yet. */
    if (t == &t->lua->root
        || (ql__task_starting(target) && target->scope.ntasks == 0)
        || (timeout != QL_TIMER_INFINITE && t != target))
    {
        return;
    }
    if (cycle_find(L, t, target, &steps)) {
        ql__task_push(L, t);
        ql__task_push_title(L, lua_gettop(L));
        ql_raise(L, "a task cannot wait for itself: %s%s", lua_tostring(L, -1),
                 lua_tostring(L, -3));
    }
}
