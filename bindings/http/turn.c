/*
 * turn.c: from what a handler has returned to the next request, if that has
 * come already; the step waits for others. Pipelined requests go round here.
 */
#include "http.h"

#include <stdint.h>
#include <string.h>

/* ------------------------------------------------------------ hand out ---- */

/* The head's bytes are used up before a handler can fail. */
static void
keep_line(ql_http_exchange_t *x)
{
    const ql_http_message_t *m = x->m;
    uint32_t n = m->first - m->begin - 2;

    n = n < QL_HTTP_LINE ? n : QL_HTTP_LINE - 1;
    memcpy(x->line, ql_buffer_bytes(&x->conn->in) + m->begin, n);
    x->line[n] = 0;
}

int
ql__http_hand_out(lua_State *L, ql_http_exchange_t *x)
{
    ql_http_t *http = x->config->http;
    int n = 1;

    keep_line(x);
    if (x->config->unasked) {
        ql__http_use_head(x);
        lua_pushboolean(L, 1);
    } else {
        n = ql__http_push(L, x);
    }
    if (n == 0) {
        return 0;
    }
    x->state = QL_HTTP_OUT;
    x->task = ql_task_current(http->lua);
    http->stats.requests++;
    http->stream->cork_resume(x->conn);
    ql__http_watch(x);
    return n;
}

/* -------------------------------------------------------------- answer ---- */

/* A long body leaves. */
static int
drain_attempt(ql_op_t *op)
{
    ql_conn_t *conn = ql__reader(op);
    int rc = ql__http_flush(ql__http_exchange(conn));

    if (rc != NGX_AGAIN) {
        ql__http_unpark(conn);
    }
    return rc;
}

static int
drain_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_conn_t *conn = ql__reader(op);

    if (conn->handle.closed) {
        return ql_push_error(L, conn->handle.closed);
    }
    return rc == NGX_OK ? 0 : ql__http_step_fail(L, conn, op->err);
}

static const ql_op_type_t drain_op = {"answer",   drain_attempt,
                                      drain_push, ql__http_step_cancel,
                                      NULL,       ql__http_step_describe};

/* The request that has come behind the one that was answered; 0: step has to
 * look what there is. */
static int
next(lua_State *L, ql_http_exchange_t *x)
{
    if (ql_buffer_unread(&x->conn->in) == 0 || ql__http_advance(x) != NGX_OK
        || !ql__http_may_go_on(x))
    {
        return 0;
    }
    return ql__http_hand_out(L, x);
}

/* Not an answer for C. */
static int
decline(lua_State *L)
{
    lua_pushboolean(L, 0);
    lua_replace(L, 1);
    return lua_gettop(L);
}

/* answer(conn, ok, results...): answers the request that is out with what its
 * handler has returned
 * -> the next request, as step gives it | nothing: none has come yet
 *  | nil, err, CODE: the connection has ended
 *  | false, ok, results...: not an answer for C. Though the connection has gone,
 *    or was taken, a failure is to be told */
static int
http_answer(lua_State *L)
{
    ql_http_t *http = ql_http(L);
    ql_conn_t *conn = ql__http_connection(L, http, "answer");
    ql_http_exchange_t *x = ql__http_exchange(conn);
    int err = ql__http_reader_error(L, conn);
    int results;

    if (x != NULL) {
        ql__http_unwatch(x);
    }
    if (err != 0) {
        return lua_toboolean(L, 2)
                 ? ql_return(L, http->lua, ql_push_error(L, err))
                 : decline(L);
    }
    if (x == NULL || x->state != QL_HTTP_OUT) {
        return decline(L);
    }
    if (ql__http_answer_part(L, x, &results)) {
        return results;
    }
    if (ql__http_reply(L, x, SIZE_MAX) != NGX_OK) {
        return decline(L);
    }
    if (x->tail_size > 0) {
        conn->rop.type = &drain_op;
        return ql_await(L, &conn->rop, lua_gettop(L));
    }
    return ql_return(L, http->lua, next(L, x));
}

const luaL_Reg ql__http_turn_functions[] = {{"answer", http_answer},
                                            {NULL, NULL}};
