/*
 * join.c: waits for the end of other tasks.
 */
#include "../base/state.h"

#include <stdio.h>

/* ---------------------------------------------------------- task:wait ---- */

static int
join_attempt(ql_op_t *op)
{
    ql_own_op_t *own = ql__own(op);

    if (own->target->task == NULL) {
        ql_queue_remove(&own->link);
        return NGX_OK;
    }
    if (ql_queue_empty(&own->link)) {
        ql_queue_insert_tail(&own->target->waiters, &own->link);
    }
    return NGX_AGAIN;
}

static void
join_cancel(ql_op_t *op)
{
    ql_queue_remove(&ql__own(op)->link);
}

/* Copies the n topmost values of from; they stay for further waits. */
static int
join_copy(lua_State *L, lua_State *from, int n)
{
    int first = lua_gettop(from) - n + 1;

    if (!lua_checkstack(L, n) || !lua_checkstack(from, 1)) {
        return ql_raise(L, "too many results");
    }
    for (int i = 0; i < n; i++) {
        lua_pushvalue(from, first + i);
        lua_xmove(from, L, 1);
    }
    return n;
}

bool
ql__join_same(lua_State *L, const ql_outcome_t *o, int idx)
{
    bool same;

    if (o->fault != NULL) {
        return false;
    }
    join_copy(L, o->L, 1);
    same = lua_rawequal(L, -1, idx);
    lua_pop(L, 1);
    return same;
}

/* What a task that is done has returned. */
static int
join_results(lua_State *L, const ql_outcome_t *target)
{
    if (!target->kept) {
        return target->L == NULL
                 ? 0
                 : join_copy(L, target->L, lua_gettop(target->L));
    }
    if (target->value_type == LUA_TNUMBER) {
        lua_pushnumber(L, target->value);
    } else if (target->value_type == LUA_TBOOLEAN) {
        lua_pushboolean(L, target->value != 0);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

/* The userdata of the target, which has ended, is L's first value. */
static int
join_outcome(lua_State *L, const ql_outcome_t *target)
{
    if (target->state == QL_TASK_CANCELLED) {
        return ql_push_error(L, target->forced ? QL_E_FORCED : QL_E_CANCELLED);
    }
    if (target->state == QL_TASK_DONE) {
        return join_results(L, target);
    }
    return ql__failure_raise(L, 1);
}

static int
join_push(lua_State *L, ql_op_t *op, int rc)
{
    return rc == NGX_ERROR ? ql_push_error(L, op->err)
                           : join_outcome(L, ql__own(op)->target);
}

static void
join_describe(ql_op_t *op, char *text, size_t size)
{
    ql__outcome_title(ql__own(op)->target, text, size);
}

static const ql_op_type_t join_type = {
    "wait", join_attempt, join_push, join_cancel, NULL, join_describe};

ql_task_t *
ql__join_needs(ql_op_t *op)
{
    return op->type == &join_type ? ql__own(op)->target->task : NULL;
}

/* task_wait(task, [s]) */
static int
task_wait(lua_State *L)
{
    ql_outcome_t *target = ql__task_check(L, 1, "wait");
    uint64_t timeout = ql_check_timeout(L, 2, "s", "wait");
    ql_own_op_t *own;

    if (target->task != NULL) {
        ql__cycle_check(L, target->lua->current, target->task, timeout);
    }
    own = ql__own_op(L, target->lua, &join_type);
    own->op.timeout = timeout;
    own->target = target;
    lua_settop(L, 1);
    return ql_await(L, &own->op, 1);
}

/* task_outcome(task): as task_wait; that of an ended one also where the caller
 * has been cancelled meanwhile. */
static int
task_outcome(lua_State *L)
{
    const ql_outcome_t *target = ql__task_check(L, 1, "wait");

    lua_settop(L, 1);
    return target->task == NULL ? join_outcome(L, target) : task_wait(L);
}

bool
ql__join_awaited(const ql_task_t *t)
{
    return t->outcome != NULL && !ql_queue_empty(&t->outcome->waiters);
}

void
ql__join_ended(ql_task_t *t)
{
    ql_outcome_t *o = t->outcome;

    if (o == NULL) {
        return;
    }
    while (!ql_queue_empty(&o->waiters)) {
        ql_own_op_t *own = ql_queue_data(o->waiters.next, ql_own_op_t, link);

        ql_queue_remove(&own->link);
        ql_post_event(t->lua->loop, &own->op.task->event);
    }
    ql__selectors_leave(&o->selectors);
}

/* -------------------------------------------------------- room, leave ---- */

static int
room_attempt(ql_op_t *op)
{
    const ql_own_op_t *own = ql__own(op);

    return own->scope->ntasks < own->room ? NGX_OK : NGX_AGAIN;
}

static int
room_push(lua_State *L, ql_op_t *op, int rc)
{
    if (rc == NGX_ERROR) {
        return ql_push_error(L, op->err);
    }
    lua_pushboolean(L, 1);
    return 1;
}

static void
room_cancel(ql_op_t *op)
{
    (void) op;
}

static void
room_describe(ql_op_t *op, char *text, size_t size)
{
    uint32_t n = ql__own(op)->scope->ntasks;

    (void) snprintf(text, size, "%u %s", n, n == 1 ? "child" : "children");
}

static const ql_op_type_t room_type = {
    "room", room_attempt, room_push, room_cancel, NULL, room_describe};

/* task_room(n): waits until the innermost scope has fewer than n tasks. */
static int
task_room(lua_State *L)
{
    int64_t n = ql_check_whole(L, 1, "n", "room", 1, UINT32_MAX);
    ql_lua_t *lua = ql__upvalue(L);
    ql_own_op_t *own = ql__own_op(L, lua, &room_type);

    own->scope = lua->current->innermost;
    own->room = (uint32_t) n;
    lua_settop(L, 0);
    return ql_await(L, &own->op, 0);
}

static int
leave_attempt(ql_op_t *op)
{
    ql_scope_t *s = ql__own(op)->scope;

    if (s->ntasks != 0 && s->ntasks == s->nbackground && !s->alone) {
        ql__scope_alone(s);
    }
    return s->ntasks == 0 ? NGX_OK : NGX_AGAIN;
}

static const ql_op_type_t leave_type = {
    "leave",     leave_attempt, ql__block_results,
    room_cancel, NULL,          room_describe};

int
ql__join_leave(lua_State *L, ql_block_t *b)
{
    ql_own_op_t *own = ql__own_op(L, b->lua, &leave_type);

    own->scope = &b->scope;
    b->scope.leaving = 1;
    ql__scope_refresh(b->scope.task);
    return ql_await(L, &own->op, lua_gettop(L));
}

bool
ql__join_children(const ql_task_t *t)
{
    return t->op->type == &room_type || t->op->type == &leave_type;
}

void
ql__join_child(ql_scope_t *s)
{
    ql_task_t *t = s->task;

    if (t->state == QL_TASK_WAITING && ql__join_children(t) && t->own.scope == s
        && (t->op->type == &room_type || s->ntasks <= s->nbackground))
    {
        ql_post_event(t->lua->loop, &t->event);
    }
}

void
ql__join_register(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {{"task_wait", task_wait},
                                   {"task_outcome", task_outcome},
                                   {"task_room", task_room},
                                   {NULL, NULL}};

    ql__register(L, lua, fns);
}
