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
        ql__check_whole(__func__, op);                                         \
        QL_CHECK_LUA((op)->lua);                                               \
    } while (0)

/* True once the state is closing, too. */
int ql__own_thread(const ql_lua_t *lua);
/* True when it has no runtime yet, too. */
int ql__own_state(lua_State *L);

#ifdef QL_CHECKS
/* ql_op_init() of memory in which no task's operation is. */
void ql__check_new(const ql_lua_t *lua, const ql_op_t *op);
/* A userdata on L's stack that holds op is one of the topmost `anchors`. */
void ql__check_anchors(lua_State *L, const ql_op_t *op, int anchors);
/* A wait of t in L begins: notes what op is, and counts it in the handle whose
 * memory it is in, as long as it is parked. */
void ql__check_begun(lua_State *L, ql_task_t *t, const ql_op_t *op);
void ql__check_unparked(ql_task_t *t);
/* The operation of t, noted then, is what it was. */
void ql__check_kept(const ql_task_t *t);
/* Nothing is noted any more. */
void ql__check_over(ql_task_t *t);
/* The task that waits with op, if any, noted it so: for `function`. */
void ql__check_whole(const char *function, const ql_op_t *op);
/* The collector takes the userdata at index 1 of L, a handle: no task waits
 * with what is in it. */
void ql__check_collected(lua_State *L, const ql_handle_t *h);
#else
#define ql__check_new(lua, op) ((void) 0)
#define ql__check_anchors(L, op, anchors) ((void) 0)
#define ql__check_begun(L, t, op) ((void) 0)
#define ql__check_unparked(t) ((void) 0)
#define ql__check_kept(t) ((void) 0)
#define ql__check_over(t) ((void) 0)
#define ql__check_whole(function, op) ((void) 0)
#define ql__check_collected(L, h) ((void) 0)
#endif

#endif
