/*
 * keepalive.c: a connection that its task is done with goes back to its pool,
 * and its handle is closed.
 */
#include "../stream/connection.h"
#include "../stream/cork.h"

#include <errno.h>

static int
refuse(lua_State *L, const char *err, const char *code)
{
    lua_pushnil(L);
    lua_pushstring(L, err);
    lua_pushstring(L, code);
    return 3;
}

/* ---------------------------------------------------------- may it stay ---- */

/* The next user shall not be told of an earlier failure, nor read what was
 * meant for this one: after a timeout, an answer may still come. */
static bool
failed(const ql_conn_t *conn)
{
    return conn->rbroken || conn->wbroken || conn->rop.rc != NGX_OK
        || conn->wop.rc != NGX_OK || conn->c->read.error
        || conn->c->write.error;
}

/* Nothing that the peer sent is lost, wherever the connection goes now. */
static void
keep_byte(ql_conn_t *conn, char byte)
{
    ql_buffer_t *in = &conn->in;

    if (ql_buffer_reserve(&conn->core->buffers, in, 1) != NGX_OK) {
        conn->rbroken = 1;
        return;
    }
    in->data[in->end++] = byte;
}

static int
push_unquiet(lua_State *L, ql_conn_t *conn, int rc, char byte)
{
    switch (rc) {
    case NGX_DECLINED:
        keep_byte(conn, byte);
        return refuse(L, "connection in dubious state", "EPROTO");
    case NGX_DONE:
        conn->eof = 1;
        return ql_push_error(L, QL_E_CLOSED);
    default:
        conn->rbroken = 1;
        return ql_push_error(L, conn->c->err);
    }
}

/* Pushes why the connection cannot be kept; 0: it can. */
static int
push_refusal(lua_State *L, ql_conn_t *conn)
{
    uint64_t behind;
    char byte = 0;
    int rc;

    if (conn->handle.closed) {
        return ql_push_error(L, conn->handle.closed);
    }
    if (conn->pool == NULL) {
        return refuse(L, "connection has no pool", "EINVAL");
    }
    if (ql__reader_busy(conn) || ql_op_pushing(L, &conn->rop, &conn->handle)) {
        return ql_push_error(L, QL_E_BUSY_READING);
    }
    if (ql_op_waiting(&conn->wop)) {
        return ql_push_error(L, QL_E_BUSY_WRITING);
    }
    if (conn->eof || conn->c->read.eof || conn->c->read.pending_eof) {
        return ql_push_error(L, QL_E_CLOSED);
    }
    if (failed(conn)) {
        return refuse(L, "invalid connection", "EINVAL");
    }
    if (!ql__cork_emptied(conn)) {
        return ql_push_error(L, QL_E_BUSY_WRITING);
    }
    if (ql_buffer_unread(&conn->in) > 0
        || ql_fds_next(conn->c, &behind) == NGX_OK) {
        return refuse(L, "unread data in buffer", "EPROTO");
    }
    rc = ql_test_idle(conn->c, &byte);
    return rc == NGX_OK ? 0 : push_unquiet(L, conn, rc, byte);
}

/* -------------------------------------------------------------- methods ---- */

uint64_t
ql__check_max_idle(lua_State *L, int arg, const char *method)
{
    double s = lua_tonumber(L, arg);

    if (lua_isnoneornil(L, arg)) {
        return 0;
    }
    if (lua_type(L, arg) != LUA_TNUMBER || !(s >= 0)) {
        ql_bad_argument(L, arg, "max_idle", method, "seconds, 0 or more,");
    }
    return s == 0 ? QL_TIMER_INFINITE
                  : ql_check_timeout(L, arg, "max_idle", method);
}

uint32_t
ql__check_pool_size(lua_State *L, int arg, const char *method)
{
    return lua_isnoneornil(L, arg)
             ? 0
             : (uint32_t) ql_check_whole(L, arg, "size", method, 1, 1 << 20);
}

static int
give_back(ql_conn_t *conn, uint64_t max_idle, uint32_t size)
{
    ql_keepalive_t *pool = conn->pool;

    ql__cork_close(conn); /* it is empty */
    ql_keepalive_set(pool, size, QL_CONF_UNSET, 0);
    if (max_idle == 0) {
        max_idle = pool->max_idle;
    }
    if (ql_keepalive_park(pool, conn->c, max_idle) != NGX_OK) {
        return NGX_ERROR;
    }
    conn->c = NULL;
    conn->pool = NULL;
    return NGX_OK;
}

/* setkeepalive(self, [max_idle], [size]) -> true | nil, err, CODE. While a stop
 * is under way nobody will come: it is closed. */
static int
connection_setkeepalive(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "setkeepalive");
    uint64_t max_idle = ql__check_max_idle(L, 2, "setkeepalive");
    uint32_t size = ql__check_pool_size(L, 3, "setkeepalive");
    int n = push_refusal(L, conn);

    if (n > 0) {
        return n;
    }
    if (!ql_stopping(conn->handle.lua)
        && give_back(conn, max_idle, size) != NGX_OK) {
        return ql_push_error(L, errno);
    }
    ql_handle_close(&conn->handle, QL_E_CLOSED);
    lua_pushboolean(L, 1);
    return 1;
}

/* getreusedtimes(self) -> number | nil, err, CODE */
static int
connection_getreusedtimes(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "getreusedtimes");

    if (conn->handle.closed) {
        return ql_push_error(L, conn->handle.closed);
    }
    lua_pushnumber(L, conn->c->reused);
    return 1;
}

const luaL_Reg ql__keepalive_functions[] = {
    {"setkeepalive", connection_setkeepalive},
    {"getreusedtimes", connection_getreusedtimes},
    {NULL, NULL}};
