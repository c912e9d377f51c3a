/*
 * idle.c: the wait between two requests of a connection: nothing is read that
 * was not there, no buffer is held, and quoll.stop ends it.
 */
#include "connection.h"

/* NGX_OK: there is something to read. */
static int
idle_look(ql_conn_t *conn)
{
    ssize_t n = 1;

    if (ql_buffer_unread(&conn->in) == 0 && !conn->eof) {
        n = ql_event_waits(&conn->c->read) ? NGX_AGAIN : ql__read_more(conn);
        conn->eof = n == 0;
    }
    if (conn->eof && ql_buffer_unread(&conn->in) == 0) {
        conn->eof_told = 1;
        conn->rop.err = QL_E_CLOSED;
        return NGX_ERROR;
    }
    return n > 0 ? NGX_OK : (int) n;
}

static void
idle_leave(ql_conn_t *conn)
{
    conn->rop.idle = 0;
    ql__unpark_event(conn->c->loop, &conn->c->read);
}

static int
idle_attempt(ql_op_t *op)
{
    ql_conn_t *conn = ql__reader(op);
    int rc = idle_look(conn);

    if (rc == NGX_AGAIN && ql_stopping(op->lua)) {
        op->err = QL_E_STOPPING;
        rc = NGX_ERROR;
    }
    if (rc == NGX_AGAIN) {
        op->idle = 1;
        return ql_park(&conn->c->read, ql__on_readable, op);
    }
    idle_leave(conn);
    return rc;
}

static void
idle_cancel(ql_op_t *op)
{
    idle_leave(ql__reader(op));
}

/* Data wins: a request that has come by now, though epoll has not said so yet,
 * is to be answered. */
static int
idle_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_conn_t *conn = ql__reader(op);

    if (conn->handle.closed) {
        return ql_push_error(L, conn->handle.closed);
    }
    if (rc != NGX_OK && op->err == QL_E_STOPPING) {
        conn->c->read.ready = 1; /* so that the kernel is asked */
        conn->c->read.available = -1;
        rc = idle_look(conn);
        op->err = rc == NGX_AGAIN ? QL_E_STOPPING : op->err;
    }
    if (rc != NGX_OK) {
        return ql_push_error(L, op->err);
    }
    lua_pushboolean(L, 1);
    return 1;
}

static void
idle_describe(ql_op_t *op, char *text, size_t size)
{
    ql__describe_peer(ql__reader(op), "idle, from", text, size);
}

static const ql_op_type_t idle_op = {"idle",      idle_attempt, idle_push,
                                     idle_cancel, NULL,         idle_describe};

/* idle(self) */
static int
connection_idle(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "idle");
    int err = ql__reader_error(L, conn);

    if (err != 0) {
        return ql_return(L, conn->rop.lua, ql_push_error(L, err));
    }
    ql_pattern_start(&conn->pattern, QL_PATTERN_PEEK, 1, NULL, &conn->in);
    conn->rop.type = &idle_op;
    return ql_await(L, &conn->rop, 1);
}

const luaL_Reg ql__idle_functions[] = {{"idle", connection_idle}, {NULL, NULL}};
