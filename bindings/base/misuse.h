/*
 * misuse.h: what debug builds look at in quoll_lua.h's functions.
 */
#ifndef QUOLL_MISUSE_H
#define QUOLL_MISUSE_H

#include "../quoll_lua.h"

#include "core/check.h"

/* At the start of every function that is given a runtime. */
#define QL_CHECK_LUA(lua) QL_DEBUG_CHECK(ql__own_thread(lua), QL_FOREIGN_THREAD)

/* At the start of every function that is given a Lua state alone. */
#define QL_CHECK_STATE(L) QL_DEBUG_CHECK(ql__own_state(L), QL_FOREIGN_THREAD)

/* At the start of every function that is given an operation. */
#define QL_CHECK_OP(op)                                                        \
    do {                                                                       \
        QL_DEBUG_CHECK((op)->life != QL_OP_FREED, "'%s' was freed",            \
                       (op)->type->name);                                      \
        QL_DEBUG_CHECK((op)->life == QL_OP_LIVE,                               \
                       "the operation was not made by ql_op_init()");          \
        QL_CHECK_LUA((op)->lua);                                               \
    } while (0)

/* True once the state is closing, too. */
int ql__own_thread(const ql_lua_t *lua);
/* True when it has no runtime yet, too. */
int ql__own_state(lua_State *L);

#ifdef QL_CHECKS
/* The running task is parked with op in L, or no longer: counted by the handle
 * on L's stack whose memory holds op. */
void ql__check_parked(lua_State *L, ql_task_t *t, const ql_op_t *op);
void ql__check_unparked(ql_task_t *t);
#else
static inline void
ql__check_parked(lua_State *L, ql_task_t *t, const ql_op_t *op)
{
    (void) L;
    (void) t;
    (void) op;
}

static inline void
ql__check_unparked(ql_task_t *t)
{
    (void) t;
}
#endif

#endif
