/*
 * misuse.c: what debug builds remember of a wait.
 */
#include "misuse.h"

#include "state.h"

int
ql__own_thread(const ql_lua_t *lua)
{
    return lua->loop == NULL || ql_loop_own_thread(lua->loop);
}

int
ql__own_state(lua_State *L)
{
    const ql_lua_t *lua = ql__lua_find(L);

    return lua == NULL || ql__own_thread(lua);
}

#ifdef QL_CHECKS

/* Is op in the memory of the full userdata at idx? */
static bool
holds(lua_State *L, int idx, const ql_op_t *op)
{
    uintptr_t from = (uintptr_t) lua_touserdata(L, idx);
    uintptr_t at = (uintptr_t) op;

    return lua_type(L, idx) == LUA_TUSERDATA && at >= from
        && at < from + lua_objlen(L, idx);
}

/* The index of the topmost one on the stack that op is in; 0: none. */
static int
holder(lua_State *L, const ql_op_t *op)
{
    int i = lua_gettop(L);

    while (i > 0 && !holds(L, i, op)) {
        i--;
    }
    return i;
}

void
ql__check_new(const ql_lua_t *lua, const ql_op_t *op)
{
    const ql_task_t *t = lua->loose;

    while (t != NULL && t->op != op) {
        t = t->next_loose;
    }
    /* Other memory may have anything in it: what is there counts only if it
     * looks as an operation does. */
    if (t == NULL && op->life == QL_OP_LIVE && op->lua == lua) {
        t = op->task;
    }
    if (t != NULL) {
        ql_misuse("ql_op_init", "task %llu waits for '%s' there",
                  (unsigned long long) t->id, t->type->name);
    }
}

void
ql__check_anchors(lua_State *L, const ql_op_t *op, int anchors)
{
    int i = holder(L, op);

    if (i != 0 && i <= lua_gettop(L) - anchors) {
        ql_misuse("ql_await", "the memory of '%s' is not among its anchors",
                  op->type->name);
    }
}

void
ql__check_begun(lua_State *L, ql_task_t *t, const ql_op_t *op)
{
    ql_lua_t *lua = t->lua;
    int i = holder(L, op);

    ql__check_over(t);
    t->type = op->type;
    if (i == 0 && op != &t->own.op) {
        t->next_loose = lua->loose;
        lua->loose = t;
    }
    if (i != 0 && op->task != NULL) {
        t->within = ql_handle_test(L, i);
    }
    if (t->within != NULL) {
        t->within->waits++;
    }
}

void
ql__check_unparked(ql_task_t *t)
{
    if (t->within != NULL) {
        t->within->waits--;
        t->within = NULL;
    }
}

static void
check_same(const char *function, const ql_task_t *t, bool same)
{
    if (!same) {
        ql_misuse(function,
                  "the memory of '%s' was released or written over while task "
                  "%llu waited with it",
                  t->type->name, (unsigned long long) t->id);
    }
}

void
ql__check_kept(const ql_task_t *t)
{
    const ql_op_t *op = t->op;

    check_same("ql_await", t,
               op->type == t->type && op->life == QL_OP_LIVE
                   && op->lua == t->lua);
}

void
ql__check_over(ql_task_t *t)
{
    ql_task_t **at = &t->lua->loose;

    if (t->type == NULL) {
        return;
    }
    while (*at != NULL && *at != t) {
        at = &(*at)->next_loose;
    }
    if (*at == t) {
        *at = t->next_loose;
    }
    t->type = NULL;
}

void
ql__check_whole(const char *function, const ql_op_t *op)
{
    const ql_task_t *t = op->task;

    if (t != NULL) {
        check_same(function, t,
                   op->type == t->type && op->lua == t->lua && op == t->op);
    }
}

void
ql__check_collected(lua_State *L, const ql_handle_t *h)
{
    const ql_task_t *t = h->lua->loose;
    lua_Debug ar;

    if (!lua_getstack(L, 1, &ar)) { /* lua_close(), which takes everything */
        return;
    }
    while (t != NULL && (t->op == NULL || !holds(L, 1, t->op))) {
        t = t->next_loose;
    }
    if (t != NULL) {
        ql_misuse("ql_await",
                  "the collector took '%s' with '%s', for which task %llu "
                  "waits: it is not among the anchors",
                  h->type->name, t->type->name, (unsigned long long) t->id);
    }
}

#endif
