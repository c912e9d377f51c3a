/*
 * sendfd.c: sends that carry descriptors. They go with the first byte; until
 * that has gone they are held as duplicates, whoever closes the originals.
 */
#include "../core/gather.h"
#include "cork.h"

#include "core/sys.h"

#include <errno.h>
#include <stdio.h>

/* In a userdata, anchored. */
struct ql_passing_s {
    const char *data; /* next byte; anchored */
    size_t left;      /* bytes at data */
    size_t sent;      /* by this send */
    unsigned count;   /* of fds; 0: they have gone */
    const ql_sys_t *sys;
    bool held; /* fds are duplicates, to be closed */
    int fds[QL_FDS_MAX];
};

/* -------------------------------------------------------- duplicates ---- */

static void
let_go(ql_passing_t *p)
{
    for (unsigned i = 0; p->held && i < p->count; i++) {
        (void) p->sys->close(p->fds[i]);
    }
    p->held = false;
    p->count = 0;
}

static int
hold(ql_passing_t *p)
{
    unsigned count = p->count;

    for (unsigned i = 0; i < count; i++) {
        int fd = p->sys->dup(p->fds[i]);

        if (fd == -1) {
            int err = errno;

            p->held = true;
            p->count = i;
            let_go(p);
            errno = err;
            return NGX_ERROR;
        }
        p->fds[i] = fd;
    }
    p->held = true;
    return NGX_OK;
}

/* ---------------------------------------------------------- attempt ---- */

static ssize_t
send_some(ql_conn_t *conn)
{
    ql_passing_t *p = conn->passing;
    ssize_t n;

    if (p->count == 0) {
        return conn->c->io->send(conn->c, p->data, p->left);
    }
    n = ql_fds_send(conn->c, p->data, p->left, p->fds, p->count);
    if (n > 0) {
        let_go(p);
    }
    return n;
}

static int
sendfd_park(ql_conn_t *conn)
{
    ql_passing_t *p = conn->passing;

    if (p->count != 0 && !p->held && hold(p) != NGX_OK) {
        conn->wop.err = errno;
        return NGX_ERROR;
    }
    return ql_park(&conn->c->write, ql__on_writable, &conn->wop);
}

static int
sendfd_all(ql_conn_t *conn)
{
    ql_passing_t *p = conn->passing;
    int rc = ql__cork_drain(conn, ql__on_writable);

    if (rc != NGX_OK) {
        return rc == NGX_AGAIN ? sendfd_park(conn) : rc;
    }
    while (p->left > 0) {
        ssize_t n = send_some(conn);

        if (n == NGX_ERROR) {
            conn->wop.err = conn->c->err;
            return NGX_ERROR;
        }
        if (n <= 0) {
            return sendfd_park(conn);
        }
        p->data += n;
        p->left -= (size_t) n;
        p->sent += (size_t) n;
        conn->wop.progress = 1;
    }
    return NGX_OK;
}

static int
sendfd_attempt(ql_op_t *op)
{
    ql_conn_t *conn = ql__writer(op);
    int rc = sendfd_all(conn);

    if (rc != NGX_AGAIN) {
        ql__unpark_event(conn->c->loop, &conn->c->write);
    }
    if (rc == NGX_ERROR) {
        conn->wbroken = conn->passing->sent > 0 || conn->c->write.error;
        ql__cork_resume(conn);
    }
    return rc;
}

static void
sendfd_cancel(ql_op_t *op)
{
    ql_conn_t *conn = ql__writer(op);

    ql__unpark_event(conn->c->loop, &conn->c->write);
    conn->wbroken = conn->passing->sent > 0;
    ql__cork_resume(conn);
}

static void
sendfd_free(ql_op_t *op)
{
    let_go(ql__writer(op)->passing);
}

/* bytes | nil, err, sent, CODE */
static int
sendfd_push(lua_State *L, ql_op_t *op, int rc)
{
    lua_pushnumber(L, (lua_Number) ql__writer(op)->passing->sent);
    return rc == NGX_OK ? 1 : ql_push_error_partial(L, op->err);
}

static void
sendfd_describe(ql_op_t *op, char *text, size_t size)
{
    ql_conn_t *conn = ql__writer(op);
    char verb[64];

    (void) snprintf(verb, sizeof(verb), "sendfd of %u to",
                    conn->passing->count);
    ql__describe_peer(conn, verb, text, size);
}

static const ql_op_type_t sendfd_op = {"sendfd",    sendfd_attempt,
                                       sendfd_push, sendfd_cancel,
                                       sendfd_free, sendfd_describe};

/* ----------------------------------------------------------- method ---- */

/* The array of numbers at index 2. */
static ql_passing_t *
check_fds(lua_State *L, const ql_core_t *core)
{
    size_t n = lua_istable(L, 2) ? lua_objlen(L, 2) : 0;
    ql_passing_t *p;

    if (n == 0 || n > QL_FDS_MAX) {
        ql_raise(L,
                 "bad argument 'what' to 'sendfd' (1 to %d descriptors "
                 "expected)",
                 QL_FDS_MAX);
    }
    p = lua_newuserdata(L, sizeof(*p));
    *p = (ql_passing_t){.count = (unsigned) n,
                        .sys = ql_loop_sys(ql_check_loop(L, core->lua))};
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 2, (int) i + 1);
        p->fds[i] = (int) ql_check_whole(L, -1, "what", "sendfd", 0, INT32_MAX);
        lua_pop(L, 1);
    }
    return p;
}

/* sendfd(self, {fd, ...}, data) -> bytes | nil, err, sent, CODE */
static int
connection_sendfd(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "sendfd");
    size_t size;
    const char *data = ql_gather_bytes(L, 3, "sendfd", &size);
    ql_passing_t *p = check_fds(L, conn->core);
    int err = ql__writer_error(conn);

    if (size == 0) {
        return ql_bad_argument(L, 3, "data", "sendfd", "at least one byte");
    }
    if (err == 0 && !ql_fds_travel(conn->c)) {
        err = EOPNOTSUPP;
    }
    if (err != 0) {
        lua_pushinteger(L, 0);
        return ql_return(L, conn->wop.lua, ql_push_error_partial(L, err));
    }
    p->data = data;
    p->left = size;
    conn->passing = p;
    conn->wop.type = &sendfd_op;
    return ql_await(L, &conn->wop, lua_gettop(L));
}

const luaL_Reg ql__sendfd_functions[] = {{"sendfd", connection_sendfd},
                                         {NULL, NULL}};
