/*
 * op.c: what a task waits with, and what ends its wait from elsewhere.
 *
 * The wait of task t for op:  rc      err  pending  op->task  t->op t->state
 *   called                    -       0    0        NULL      NULL  RUNNING
 *   came at once              result  its  0        NULL      NULL  RUNNING
 *   came, the slice is spent  result  its  1        NULL      op    READY
 *   parked                    AGAIN   0    1        t         op    WAITING
 *   has ended                 result  its  1        NULL      op    READY
 *   resumed, not taken yet    result  its  1        NULL      op    RUNNING
 *   taken                     result  its  0        NULL      NULL  RUNNING
 * While pending, ql_op_end() puts an error in the place of the result. progress
 * is 0 when it parks; an attempt that has moved something, but is AGAIN, sets
 * it: then the timeout begins anew, and it is cleared.
 */
#include "misuse.h"
#include "state.h"

#include <stdio.h>

void
ql_op_init(ql_op_t *op, const ql_op_type_t *type, ql_lua_t *lua)
{
    QL_CHECK_LUA(lua);
    ql__check_new(lua, op);
    *op = (ql_op_t){.type = type,
                    .lua = lua,
                    .timeout = QL_TIMER_INFINITE,
                    .life = QL_OP_LIVE};
}

void
ql_op_fini(ql_op_t *op)
{
    QL_CHECK_OP(op);
    QL_DEBUG_CHECK(op->task == NULL, "task %llu still waits for '%s'",
                   (unsigned long long) op->task->id, op->type->name);
    QL_DEBUG_CHECK(!op->pending, "the result of '%s' was not taken yet",
                   op->type->name);
    op->life = QL_OP_FREED;
}

void
ql_op_describe(ql_op_t *op, char *text, size_t size)
{
    QL_CHECK_OP(op);
    if (op->type->describe != NULL) {
        op->type->describe(op, text, size);
    } else {
        (void) snprintf(text, size, "%s", op->type->name);
    }
}

void
ql_op_end(ql_op_t *op, int err)
{
    ql_task_t *t = op->task;

    QL_CHECK_OP(op);
    if (!op->pending) {
        return;
    }
    if (t != NULL) {
        op->type->cancel(op);
        ql__unpark(t);
        ql_post_event(t->lua->loop, &t->event);
    }
    op->rc = NGX_ERROR;
    op->err = err;
}

void
ql_op_done(ql_op_t *op)
{
    ql_task_t *t = op->task;

    QL_CHECK_OP(op);
    QL_DEBUG_CHECK(t != NULL, "nobody waits for '%s'", op->type->name);
    op->rc = NGX_OK;
    ql__unpark(t);
    ql_post_event(t->lua->loop, &t->event);
}
