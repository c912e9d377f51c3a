/*
 * scope.c: the tree of scopes.
 */
#include "../base/state.h"

#include <string.h>

static void
scope_insert(ql_scope_t *s, ql_scope_t *parent)
{
    s->parent = parent;
    ql_queue_insert_tail(&parent->children, &s->sibling);
    parent->ntasks += !s->block;
}

void
ql__scope_init(ql_scope_t *s, ql_task_t *t, ql_scope_t *parent)
{
    s->task = t;
    s->ref = LUA_NOREF;
    ql_queue_init(&s->children);
    ql_queue_init(&s->sibling);
    if (parent != NULL) {
        s->cause = s->shield ? NULL : parent->cause;
        scope_insert(s, parent);
    }
}

ql_scope_t *
ql__scope_next(ql_scope_t *s, const ql_scope_t *top, bool down)
{
    if (down && !ql_queue_empty(&s->children)) {
        return ql_queue_data(s->children.next, ql_scope_t, sibling);
    }
    while (s != top) {
        if (s->sibling.next != &s->parent->children) {
            return ql_queue_data(s->sibling.next, ql_scope_t, sibling);
        }
        s = s->parent;
    }
    return NULL;
}

ql_task_t *
ql__task_next(ql_task_t *t, const ql_task_t *top)
{
    ql_scope_t *s = &t->scope;

    do {
        s = ql__scope_next(s, &top->scope, true);
    } while (s != NULL && s->block);
    return s != NULL ? s->task : NULL;
}

void
ql__scope_remove(ql_scope_t *s)
{
    ql_scope_t *parent = s->parent;

    ql_queue_remove(&s->sibling);
    parent->ntasks--;
    parent->nbackground -= s->background;
    s->background = 0;
}

/* A cancellation that came from further up than the new parent is its own from
 * now on: that scope may end first. Its reason stays when C gave it. */
void
ql__scope_move(ql_scope_t *s, ql_scope_t *parent)
{
    ql_scope_t *cause = s->cause;

    ql__scope_remove(s);
    scope_insert(s, parent);
    if (cause == NULL || cause == s || cause == parent->cause) {
        return;
    }
    s->why = cause->why;
    for (ql_scope_t *next = s; next != NULL;) {
        bool same = next->cause == cause;

        if (same) {
            next->cause = s;
        }
        next = ql__scope_next(next, s, same);
    }
}

static void
scope_abandon(ql_scope_t *s)
{
    ql_scope_t *parent = s->parent;

    s->task->innermost = parent; /* what it waits for is not inside */
    ql__scope_cancel(s, "the scope was left before its tasks had ended");
    while (!ql_queue_empty(&s->children)) {
        ql__scope_move(ql_queue_data(s->children.next, ql_scope_t, sibling),
                       parent);
    }
    ql__block_abandon(ql__block(s));
}

void
ql__scope_unwind(ql_task_t *t, const ql_scope_t *s)
{
    while (t->innermost != s) {
        scope_abandon(t->innermost);
    }
}

bool
ql__scope_left(ql_scope_t *s)
{
    const ql_block_t *b = ql__block(s);
    lua_State *L = b->lua->driver;
    lua_Debug ar;
    bool left;

    if (b->L == s->task->L
        || (lua_status(b->L) == 0 && lua_getstack(b->L, 0, &ar))) {
        return false;
    }
    ql__scope_push(L, s);
    lua_getfenv(L, -1);
    lua_rawgeti(L, -1, QL_TASK_THREAD);
    left = ql__waiter_outside(L, b->lua);
    lua_pop(L, 2);
    return left;
}

ql_scope_t *
ql__scope_innermost(ql_task_t *t)
{
    while (t->innermost->block && ql__scope_left(t->innermost)) {
        scope_abandon(t->innermost);
    }
    return t->innermost;
}
