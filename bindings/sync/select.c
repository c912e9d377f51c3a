/*
 * select.c: one wait for several objects, which takes nothing out of any. Its
 * operation and a node for each object live in one userdata.
 */
#include "sync.h"

#include "../base/misuse.h"

#include <stdio.h>

enum {
    SELECT_SHOWN = 4 /* objects that quoll.tasks() tells, at most */
};

typedef struct {
    ql_op_t op;
    uint32_t count;
    uint32_t start;  /* node that is looked at first: chosen anew each time, so
                        that none comes last for ever */
    uint32_t chosen; /* what is ready */
    ql_select_t nodes[];
} selection_t;

/* In metatables: address -> ql_select_type_t. */
static const char select_key = 0;

/* ----------------------------------------------------------- nodes ---- */

void
ql_handle_selectable(lua_State *L, const ql_handle_type_t *type,
                     const ql_select_type_t *select)
{
    QL_CHECK_STATE(L);
    ql__handle_metatable(L, type);
    lua_pushlightuserdata(L, (void *) (uintptr_t) &select_key);
    lua_pushlightuserdata(L, (void *) (uintptr_t) select);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static void
wake(const ql_select_t *w)
{
    ql_task_t *t = w->op->task;

    if (t != NULL) {
        ql_post_event(t->lua->loop, &t->event);
    }
}

void
ql_select_ready(const ql_select_t *w)
{
    QL_CHECK_OP(w->op);
    wake(w);
}

void
ql_selectors_ready(const ql_queue_t *selectors)
{
    for (ql_queue_t *q = selectors->next; q != selectors; q = q->next) {
        const ql_select_t *w = ql_queue_data(q, ql_select_t, link);

        QL_CHECK_OP(w->op);
        wake(w);
    }
}

void
ql__selectors_leave(ql_queue_t *selectors)
{
    while (!ql_queue_empty(selectors)) {
        ql_select_t *w = ql_queue_data(selectors->next, ql_select_t, link);

        ql_queue_remove(&w->link);
        ql_select_ready(w);
    }
}

int
ql_select_park(ql_select_t *w, ql_queue_t *selectors)
{
    QL_CHECK_OP(w->op);
    if (ql_queue_empty(&w->link)) {
        ql_queue_insert_tail(selectors, &w->link);
    }
    return NGX_AGAIN;
}

void
ql_select_leave(ql_select_t *w)
{
    QL_CHECK_OP(w->op);
    ql_queue_remove(&w->link);
}

/* -------------------------------------------------------------- tasks ---- */

static int
task_attempt(ql_select_t *w)
{
    ql_outcome_t *o = w->object;

    return o->task == NULL ? NGX_OK : ql_select_park(w, &o->selectors);
}

static const ql_select_type_t task_select = {task_attempt, ql_select_leave};

/* ------------------------------------------------------------- select ---- */

static selection_t *
select_of(ql_op_t *op)
{
    return ql_queue_data(op, selection_t, op);
}

static void
select_cancel(ql_op_t *op)
{
    selection_t *s = select_of(op);

    for (uint32_t i = 0; i < s->count; i++) {
        s->nodes[i].type->cancel(&s->nodes[i]);
    }
}

static int
select_attempt(ql_op_t *op)
{
    selection_t *s = select_of(op);

    for (uint32_t n = 0; n < s->count; n++) {
        uint32_t i = (s->start + n) % s->count;
        int rc = s->nodes[i].type->attempt(&s->nodes[i]);

        if (rc != NGX_AGAIN) {
            s->chosen = i;
            select_cancel(op);
            return rc;
        }
    }
    return NGX_AGAIN;
}

/* The keys are at index 2. */
static int
select_push(lua_State *L, ql_op_t *op, int rc)
{
    if (rc != NGX_OK) {
        return ql_push_error(L, op->err);
    }
    lua_rawgeti(L, 2, (int) select_of(op)->chosen + 1);
    return 1;
}

/* "select of 2: channel 0x..., task 5 'reader'" */
static void
select_describe(ql_op_t *op, char *text, size_t size)
{
    const selection_t *s = select_of(op);
    char title[128];

    (void) snprintf(text, size, "select of %u:", s->count);
    for (uint32_t i = 0; i < s->count && i < SELECT_SHOWN; i++) {
        const ql_select_t *w = &s->nodes[i];
        const ql_handle_t *h = w->object;

        if (w->type == &task_select) {
            ql__outcome_title(w->object, title, sizeof(title));
        } else {
            (void) snprintf(title, sizeof(title), "%s %p", h->type->name,
                            w->object);
        }
        ql__sync_add(text, size, "%s%s", i == 0 ? " " : ", ", title);
    }
    if (s->count > SELECT_SHOWN) {
        ql__sync_add(text, size, ", ...");
    }
}

static const ql_op_type_t select_op = {.name = "select",
                                       .attempt = select_attempt,
                                       .push = select_push,
                                       .cancel = select_cancel,
                                       .describe = select_describe};

bool
ql__selects(const ql_op_t *op)
{
    return op->type == &select_op;
}

/* How the object on top of the stack is selected; NULL: it cannot be. */
static const ql_select_type_t *
select_type(lua_State *L, const ql_lua_t *lua)
{
    const ql_select_type_t *type;
    int top = lua_gettop(L);

    if (lua_type(L, top) != LUA_TUSERDATA || !lua_getmetatable(L, top)) {
        return NULL;
    }
    lua_pushlightuserdata(L, (void *) (uintptr_t) &select_key);
    lua_rawget(L, -2);
    type = lua_touserdata(L, -1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, lua->task_metatable);
    if (lua_rawequal(L, -1, top + 1)) {
        type = &task_select;
    }
    lua_settop(L, top);
    return type;
}

const ql_op_t *
ql__select_sole(ql_queue_t *link)
{
    const ql_select_t *w = ql_queue_data(link, ql_select_t, link);

    return select_of(w->op)->count == 1 ? w->op : NULL;
}

/* The running task never ends while it waits, nor does one that waits for it
 * where there is nothing else to end the wait. */
static void
select_check_task(lua_State *L, const selection_t *s, const ql_outcome_t *o)
{
    ql_task_t *t = s->op.lua->current;

    if (o->task == t || (o->task != NULL && s->count == 1)) {
        ql__cycle_check(L, t, o->task, s->op.timeout);
    }
}

static void
select_node(lua_State *L, selection_t *s, uint32_t i)
{
    ql_select_t *w = &s->nodes[i];

    lua_rawgeti(L, 1, (int) i + 1);
    w->type = select_type(L, s->op.lua);
    if (w->type == NULL) {
        lua_rawgeti(L, 2, (int) i + 1);
        ql_raise(L,
                 "bad argument 'set' to 'select' (at key '%s': a channel, "
                 "task, connection or the like expected, got %s)",
                 lua_isstring(L, -1) ? lua_tostring(L, -1)
                                     : luaL_typename(L, -1),
                 luaL_typename(L, -2));
    }
    w->object = lua_touserdata(L, -1);
    w->op = &s->op;
    ql_queue_init(&w->link);
    if (w->type == &task_select) {
        select_check_task(L, s, w->object);
    }
    lua_pop(L, 1);
}

/* Pseudo-random, from 0 to n - 1; the same in each run. */
static uint32_t
select_random(ql_lua_t *lua, uint32_t n)
{
    lua->random = lua->random * 1664525 + 1013904223;
    return (uint32_t) (((uint64_t) lua->random * n) >> 32);
}

/* select(objects, keys, [s]) -> key | nil, err, CODE; both are arrays */
static int
select_wait(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);
    uint64_t timeout = ql_check_timeout(L, 3, "s", "select");
    uint32_t n = (uint32_t) lua_objlen(L, 1);
    selection_t *s;

    lua_settop(L, 2);
    s = lua_newuserdata(L, sizeof(*s) + n * sizeof(s->nodes[0]));
    ql_op_init(&s->op, &select_op, lua);
    s->op.timeout = timeout;
    s->count = n;
    s->start = select_random(lua, n);
    for (uint32_t i = 0; i < n; i++) {
        select_node(L, s, i);
    }
    return ql_await(L, &s->op, 3);
}

void
ql__select_open(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {{"select", select_wait}, {NULL, NULL}};

    ql__register(L, lua, fns);
}
