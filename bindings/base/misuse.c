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

static bool
holds(lua_State *L, int idx, const ql_op_t *op)
{
    uintptr_t from = (uintptr_t) lua_touserdata(L, idx);
    uintptr_t at = (uintptr_t) op;

    return ql_handle_test(L, idx) != NULL && at >= from
        && at < from + lua_objlen(L, idx);
}

void
ql__check_parked(lua_State *L, ql_task_t *t, const ql_op_t *op)
{
    int i;

    for (i = lua_gettop(L); i > 0; i--) {
        if (holds(L, i, op)) {
            t->within = lua_touserdata(L, i);
            t->within->waits++;
            return;
        }
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

#endif
