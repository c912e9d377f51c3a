/*
 * connect.c: an outgoing connection, up to the point where it can be used.
 */
#include "../stream/connection.h"

#include <errno.h>

static ql_conn_t *
connector(ql_op_t *op)
{
    return ql_queue_data(op, ql_conn_t, rop);
}

static void
on_connected(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    ql_conn_t *conn = c->data;

    ql_op_ready(&conn->rop);
}

/* -------------------------------------------------------- operation ---- */

/* The first attempt: the task that connects is the one that runs. */
static int
connect_begin(ql_conn_t *conn)
{
    ql_connecting_t *to = &conn->connecting;
    ql_connection_t *c = NULL;
    int rc = ql_event_connect_peer(ql_lua_loop(conn->core->lua), to->addr,
                                   to->opts, &c);

    if (rc == NGX_ERROR) {
        conn->rop.err = errno;
        return NGX_ERROR;
    }
    ql__connection_open(conn, c);
    return rc;
}

static int
connect_attempt(ql_op_t *op)
{
    ql_conn_t *conn = connector(op);
    int rc;

    if (conn->c == NULL) {
        rc = connect_begin(conn);
    } else {
        rc = ql_test_connect(conn->c);
        op->err = rc == NGX_ERROR ? conn->c->err : 0;
    }
    if (rc == NGX_AGAIN) {
        return ql_park(&conn->c->write, on_connected, op);
    }
    if (conn->c != NULL) {
        ql__unpark_event(conn->c->loop, &conn->c->write);
    }
    return rc;
}

static void
connect_cancel(ql_op_t *op)
{
    ql_conn_t *conn = connector(op);

    ql__unpark_event(conn->c->loop, &conn->c->write);
}

/* Also after a cancellation, of which push does not hear. */
static void
connect_free(ql_op_t *op)
{
    if (op->rc == NGX_ERROR) {
        ql_handle_close(&connector(op)->handle, QL_E_CLOSED);
    }
}

/* The connection is on top of the stack. */
static int
connect_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_conn_t *conn = connector(op);

    op->timeout = QL_TIMER_INFINITE;
    if (rc != NGX_OK) {
        return ql_push_error(L, op->err);
    }
    if (conn->handle.closed) {
        return ql_push_error(L, conn->handle.closed);
    }
    lua_pushvalue(L, -1);
    return 1;
}

static void
connect_describe(ql_op_t *op, char *text, size_t size)
{
    ql__describe_peer(connector(op), "connect to", text, size);
}

static const ql_op_type_t connect_op = {"connect",    connect_attempt,
                                        connect_push, connect_cancel,
                                        connect_free, connect_describe};

/* --------------------------------------------------------- function ---- */

/* connect(addr, [s], [bind], [options]) -> connection | nil, err, CODE */
static int
core_connect(lua_State *L)
{
    ql_core_t *core = ql_core(L);
    ql_sockaddr_t addr, bind;
    ql_sockopt_t options[QL__SOCKOPTS];
    ql_connect_opts_t opts = {.options = options};
    uint64_t timeout;
    ql_conn_t *conn;

    if (ql__check_address(L, 1, "address", "connect", &addr) != NGX_OK) {
        return ql_return(L, core->lua, 3);
    }
    timeout = ql_check_timeout(L, 2, "timeout", "connect");
    if (!lua_isnoneornil(L, 3)) {
        if (ql__check_address(L, 3, "bind", "connect", &bind) != NGX_OK) {
            return 3;
        }
        opts.bind = &bind;
    }
    if (!lua_isnoneornil(L, 4)) {
        opts.noptions = ql__check_sockopts(L, 4, "connect", addr.u.sa.sa_family,
                                           options);
    }
    if (ql_lua_ready(core->lua, L) == NULL) {
        return ql_push_error(L, errno);
    }
    conn = ql__connection_new(L, core);
    conn->connecting = (ql_connecting_t){&addr, &opts};
    conn->rop.type = &connect_op;
    conn->rop.timeout = timeout;
    return ql_await(L, &conn->rop, 1);
}

void
ql__open_connect(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg fns[] = {{"connect", core_connect}, {NULL, NULL}};

    ql_core_register(L, core, fns);
}
