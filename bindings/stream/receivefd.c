/*
 * receivefd.c: descriptors that come with the bytes of a unix stream. What was
 * received before the bytes that one came with is given together with it, so
 * that neither overtakes the other.
 */
#include "connection.h"

#include <errno.h>

enum {
    MOST = 64 * 1024 /* bytes in front of a descriptor, by default */
};

static int
fail(ql_op_t *op, int err)
{
    op->err = err;
    return NGX_ERROR;
}

static int
receivefd_until_there(ql_conn_t *conn)
{
    uint64_t behind;

    while (ql_fds_next(conn->c, &behind) != NGX_OK) {
        ssize_t n = NGX_AGAIN;

        if (conn->eof) {
            return fail(&conn->rop, QL_E_CLOSED);
        }
        if (ql_buffer_unread(&conn->in) >= conn->pattern.size) {
            return fail(&conn->rop, EMSGSIZE);
        }
        if (!ql_event_waits(&conn->c->read)) {
            n = ql__read_more(conn);
        }
        if (n == NGX_AGAIN) {
            return ql_park(&conn->c->read, ql__on_readable, &conn->rop);
        }
        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }
        conn->eof = n == 0;
    }
    return NGX_OK;
}

static int
receivefd_attempt(ql_op_t *op)
{
    ql_conn_t *conn = ql__reader(op);
    int rc = receivefd_until_there(conn);

    if (rc != NGX_AGAIN) {
        ql__unpark_event(conn->c->loop, &conn->c->read);
    }
    return rc;
}

static void
receivefd_cancel(ql_op_t *op)
{
    ql_conn_t *conn = ql__reader(op);

    ql__unpark_event(conn->c->loop, &conn->c->read);
}

/* fd, data | nil, err, CODE */
static int
receivefd_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_conn_t *conn = ql__reader(op);
    uint32_t unread = ql_buffer_unread(&conn->in);
    uint64_t behind = 0;
    int fd;

    if (conn->handle.closed) {
        return ql_push_error(L, conn->handle.closed);
    }
    if (rc != NGX_OK) {
        return ql_push_error(L, op->err);
    }
    (void) ql_fds_next(conn->c, &behind);
    unread = behind < unread ? unread - (uint32_t) behind : 0;
    lua_pushlstring(L, unread != 0 ? ql_buffer_bytes(&conn->in) : "", unread);
    ql_buffer_consume(&conn->in, unread);
    if (conn->handle.closed) { /* by a finaliser, and the descriptor with it */
        ql_buffer_release(&conn->core->buffers, &conn->in);
        return ql_push_error(L, conn->handle.closed);
    }
    ql_buffer_settle(&conn->core->buffers, &conn->in);
    fd = ql_fds_take(conn->c);
    if (fd == -1) {
        return ql_push_error(L, errno);
    }
    lua_pushinteger(L, fd);
    lua_insert(L, -2);
    return 2;
}

static void
receivefd_describe(ql_op_t *op, char *text, size_t size)
{
    ql__describe_peer(ql__reader(op), "receivefd from", text, size);
}

static const ql_op_type_t receivefd_op = {
    .name = "receivefd",
    .attempt = receivefd_attempt,
    .push = receivefd_push,
    .cancel = receivefd_cancel,
    .describe = receivefd_describe,
};

/* receivefd(self, [max]) -> fd, data | nil, err, CODE */
static int
connection_receivefd(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "receivefd");
    uint32_t max = lua_isnoneornil(L, 2)
                     ? MOST
                     : (uint32_t) ql_check_whole(L, 2, "max", "receivefd", 1,
                                                 INT32_MAX);
    int err = ql__reader_unusable(L, conn);
    uint64_t behind;

    if (err == 0 && ql_fds_keep(conn->c) != NGX_OK) {
        err = errno;
    }
    if (err == 0 && conn->rbroken && ql_fds_next(conn->c, &behind) != NGX_OK) {
        err = ql__reader_failure(conn);
    }
    if (err != 0) {
        return ql_return(L, conn->rop.lua, ql_push_error(L, err));
    }
    ql_pattern_start(&conn->pattern, QL_PATTERN_PEEK, max, NULL, &conn->in);
    conn->rop.type = &receivefd_op;
    return ql_await(L, &conn->rop, lua_gettop(L));
}

/* keepfds(self) -> true | nil, err, CODE */
static int
connection_keepfds(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "keepfds");
    int err = conn->handle.closed;

    if (err == 0 && ql_fds_keep(conn->c) != NGX_OK) {
        err = errno;
    }
    if (err != 0) {
        return ql_push_error(L, err);
    }
    lua_pushboolean(L, 1);
    return 1;
}

const luaL_Reg ql__receivefd_functions[] = {{"receivefd", connection_receivefd},
                                            {"keepfds", connection_keepfds},
                                            {NULL, NULL}};
