/*
 * lease.c: what a task has of a pool until it has its connection: a place
 * among those who wait, then the right to make a connection that counts. It is
 * a handle, so that whatever ends the task gives it back.
 */
#include "../stream/connection.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    ql_handle_t handle;
    ql_core_t *core;
    ql_op_t op;
    ql_claim_t claim;     /* its pool is open while the handle is */
    unsigned counted : 1; /* a connection is ours to make; attach clears it */
} ql_lease_t;

static ql_lease_t *
lessee(ql_op_t *op)
{
    return ql_queue_data(op, ql_lease_t, op);
}

/* ------------------------------------------------------------ the handle ---- */

static void
lease_close(ql_handle_t *h, int err)
{
    ql_lease_t *lease = (ql_lease_t *) h;
    ql_keepalive_t *pool = lease->claim.pool;

    ql_op_end(&lease->op, err);
    ql_keepalive_unclaim(&lease->claim);
    if (lease->counted) {
        ql_keepalive_leave(pool);
    }
    ql_keepalive_close(pool);
}

static const ql_handle_type_t lease_type = {"lease", lease_close, NULL};

/* --------------------------------------------------------- the operation ---- */

static void
on_claimable(ql_event_t *ev)
{
    ql_op_ready(&((ql_lease_t *) ev->data)->op);
}

static int
lease_attempt(ql_op_t *op)
{
    int rc = ql_keepalive_claim(&lessee(op)->claim);

    if (rc == NGX_BUSY) {
        op->err = EBUSY;
        return NGX_ERROR;
    }
    return rc;
}

static void
lease_cancel(ql_op_t *op)
{
    ql_keepalive_unclaim(&lessee(op)->claim);
}

/* Also after a cancellation, of which push does not hear. */
static void
lease_free(ql_op_t *op)
{
    if (op->rc == NGX_ERROR) {
        ql_handle_close(&lessee(op)->handle, QL_E_CLOSED);
    }
}

static int
push_failure(lua_State *L, int err)
{
    if (err != EBUSY) {
        return ql_push_error(L, err);
    }
    lua_pushnil(L);
    lua_pushliteral(L, "too many waiting connect operations");
    lua_pushliteral(L, "BUSY");
    return 3;
}

/* The lease is on top of the stack. A kept connection, or false and the
 * lease. */
static int
lease_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_lease_t *lease = lessee(op);
    ql_connection_t *c;
    ql_conn_t *conn;

    if (rc != NGX_OK) {
        return push_failure(L, op->err);
    }
    conn = ql__connection_new(L, lease->core);
    if (lease->handle.closed) { /* perhaps by a finaliser just now */
        return ql_push_error(L, lease->handle.closed);
    }
    c = ql_keepalive_get(&lease->claim);
    if (c != NULL) {
        conn->pool = lease->claim.pool;
        ql__connection_open(conn, c);
        ql_handle_close(&lease->handle, QL_E_CLOSED);
        return 1;
    }
    lease->counted = 1;
    lua_pushboolean(L, 0);
    lua_pushvalue(L, -3);
    return 2;
}

/* The key's part for people ends with a zero byte. */
static void
lease_describe(ql_op_t *op, char *text, size_t size)
{
    const ql_keepalive_t *pool = lessee(op)->claim.pool;

    (void) snprintf(text, size, "connect by the pool '%.*s'",
                    (int) strnlen(pool->key, pool->length), pool->key);
}

static const ql_op_type_t lease_op = {"connect",  lease_attempt,
                                      lease_push, lease_cancel,
                                      lease_free, lease_describe};

/* ------------------------------------------------------------- functions ---- */

/* take(key, [size], [backlog], [max_idle]) -> connection | false, lease |
 * nil, err, CODE */
static int
lease_take(lua_State *L)
{
    ql_core_t *core = ql_core(L);
    size_t length;
    const char *key = luaL_checklstring(L, 1, &length);
    uint32_t size = ql__check_pool_size(L, 2, "connect");
    uint32_t backlog = QL_CONF_UNSET;
    uint64_t max_idle = ql__check_max_idle(L, 4, "connect");
    ql_loop_t *loop;
    ql_lease_t *lease;

    if (!lua_isnoneornil(L, 3)) {
        backlog = (uint32_t) ql_check_whole(L, 3, "backlog", "connect", 0,
                                            1 << 20);
    }
    ql_check_wait(L, core->lua);
    loop = ql_lua_ready(core->lua, L);
    if (loop == NULL) {
        return ql_push_error(L, errno);
    }
    lease = ql_handle_new(L, core->lua, &lease_type, sizeof(*lease));
    lease->core = core;
    ql_op_init(&lease->op, &lease_op, core->lua);
    ql_queue_init(&lease->claim.link);
    lease->claim.event.data = lease;
    lease->claim.event.handler = on_claimable;
    lease->claim.pool = ql_keepalive_open(loop, key, length);
    if (lease->claim.pool == NULL) {
        return ql_push_error(L, errno);
    }
    ql_keepalive_set(lease->claim.pool, size, backlog, max_idle);
    ql_handle_open(&lease->handle);
    return ql_await(L, &lease->op, 1);
}

/* attach(lease, connection): it is the one that the lease was for. */
static int
lease_attach(lua_State *L)
{
    ql_lease_t *lease = ql_handle_check(L, 1, &lease_type, "attach");
    ql_conn_t *conn = ql__connection_check(L, 2, "attach");

    if (!lease->handle.closed && !conn->handle.closed) {
        ql_keepalive_created(lease->claim.pool);
        conn->pool = lease->claim.pool;
        lease->counted = 0;
    }
    ql_handle_close(&lease->handle, QL_E_CLOSED);
    return 0;
}

/* drop(): closes every kept connection. */
static int
lease_drop(lua_State *L)
{
    ql_keepalive_drop(ql_check_loop(L, ql_core(L)->lua));
    return 0;
}

void
ql__open_lease(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg fns[] = {{"take", lease_take},
                                   {"attach", lease_attach},
                                   {"drop", lease_drop},
                                   {NULL, NULL}};

    lua_newtable(L);
    ql_core_register(L, core, fns);
    lua_setfield(L, -2, "keepalive");
}
