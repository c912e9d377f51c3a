/*
 * connection.c: a connection's life: made closed, opened, closed; its
 * timeouts, its halves.
 */
#include "../core/gather.h"
#include "cork.h"

#include "core/sys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void
connection_close(ql_handle_t *h, int err)
{
    ql_conn_t *conn = (ql_conn_t *) h;

    if (conn->selector != NULL) {
        ql_select_ready(conn->selector);
    }
    if (conn->guest != NULL) {
        ql_op_end(conn->guest, err);
    }
    ql_op_end(&conn->rop, err);
    ql_op_end(&conn->wop, err);
    if (!conn->rop.pushing) {
        ql_buffer_release(&conn->core->buffers, &conn->in);
    }
    if (ql_op_waiting(&conn->wop) && conn->wop.type->free != NULL) {
        conn->wop.type->free(&conn->wop);
    }
    if (conn->c != NULL) {
        ql__cork_close(conn);
        if (conn->protocol != NULL) {
            conn->protocol->close(conn);
        }
        ql_close_connection(conn->c);
        conn->c = NULL;
    }
    if (conn->pool != NULL) {
        ql_keepalive_leave(conn->pool);
        conn->pool = NULL;
    }
}

/* A push that raised leaves its bytes behind. */
static void
connection_collect(ql_handle_t *h)
{
    ql_conn_t *conn = (ql_conn_t *) h;

    ql_buffer_release(&conn->core->buffers, &conn->in);
}

const ql_handle_type_t ql__connection_type = {"connection", connection_close,
                                              connection_collect};

ql_conn_t *
ql__connection_new(lua_State *L, ql_core_t *core)
{
    ql_conn_t *conn = ql_handle_new(L, core->lua, &ql__connection_type,
                                    sizeof(*conn));

    conn->core = core;
    ql_op_init(&conn->rop, NULL, core->lua);
    ql_op_init(&conn->wop, NULL, core->lua);
    return conn;
}

void
ql__connection_open(ql_conn_t *conn, ql_connection_t *c)
{
    conn->c = c;
    c->data = conn;
    ql_handle_open(&conn->handle);
}

/* ------------------------------------------------------------ guest ---- */

static ql_connection_t *
stream_connection(const ql_handle_t *h)
{
    return ((const ql_conn_t *) h)->c;
}

static int
stream_lend(ql_handle_t *h, ql_op_t *op)
{
    ql_conn_t *conn = (ql_conn_t *) h;
    int err = ql__writer_error(conn);

    if (err != 0) {
        return err;
    }
    if (ql__reader_busy(conn) || conn->rop.pushing) {
        return QL_E_BUSY_READING;
    }
    if (conn->rbroken || conn->eof) {
        return QL_E_CLOSED;
    }
    if (ql_buffer_unread(&conn->in) != 0) {
        return QL_E_UNREAD;
    }
    if (!ql__cork_emptied(conn)) {
        return QL_E_BUSY_WRITING;
    }
    if (conn->c->io == &ql_shared_io) {
        return EOPNOTSUPP; /* it blocks unless it is asked by poll */
    }
    conn->guest = op;
    return 0;
}

static void
stream_restore(ql_handle_t *h, const ql_op_t *op)
{
    ql_conn_t *conn = (ql_conn_t *) h;

    if (conn->guest == op) {
        conn->guest = NULL;
    }
}

static const ql_stream_type_t connection_stream = {stream_connection,
                                                   stream_lend, stream_restore};

/* The kernel knows the addresses of unix sockets; an accepted one's own is the
 * one with a name. */
void
ql__describe_peer(const ql_conn_t *conn, const char *verb, char *text,
                  size_t size)
{
    const ql_connection_t *c = conn->c;
    const ql_sys_t *sys = ql_loop_sys(c->loop);
    ql_sockaddr_t name = {.len = sizeof(c->peer)};
    socklen_t unnamed = sizeof(sa_family_t);
    char address[QL_SOCKADDR_STRLEN];

    if (c->plain) {
        (void) snprintf(text, size, "%s descriptor (fd %d)", verb, c->fd);
        return;
    }
    memcpy(&name.u, &c->peer, sizeof(c->peer));
    if (c->peer.sa.sa_family == AF_UNIX) {
        name.len = sizeof(name.u);
        if (sys->getpeername(c->fd, &name.u.sa, &name.len) == -1
            || name.len <= unnamed) {
            name.len = sizeof(name.u);
            (void) sys->getsockname(c->fd, &name.u.sa, &name.len);
        }
    }
    (void) snprintf(text, size, "%s %s (fd %d)", verb,
                    ql_sockaddr_text(&name.u.sa, name.len, address), c->fd);
}

/* ---------------------------------------------------------- parking ---- */

void
ql__on_readable(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    ql_conn_t *conn = c->data;

    ql_op_ready(&conn->rop);
}

void
ql__on_writable(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    ql_conn_t *conn = c->data;

    ql_op_ready(&conn->wop);
}

int
ql__park_next(ql_event_t *ev, ql_event_handler_pt on_event)
{
    ql_connection_t *c = ev->data;

    ev->handler = on_event;
    ql_post_next_event(c->loop, ev);
    return NGX_AGAIN;
}

/* ---------------------------------------------------------- methods ---- */

/* settimeout(self, [s]): inactivity, of each wait of reads and sends. */
static int
connection_settimeout(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "settimeout");

    conn->rop.timeout = ql_check_timeout(L, 2, "timeout", "settimeout");
    conn->wop.timeout = conn->rop.timeout;
    return 0;
}

/* settimeouts(self, [send], [receive]) */
static int
connection_settimeouts(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "settimeouts");
    uint64_t send = ql_check_timeout(L, 2, "send", "settimeouts");

    conn->rop.timeout = ql_check_timeout(L, 3, "receive", "settimeouts");
    conn->wop.timeout = send;
    return 0;
}

static int
shut(ql_connection_t *c, int how)
{
    const ql_sys_t *sys = ql_loop_sys(c->loop);

    if (how == SHUT_RD || c->io->finish == NULL
        || c->io->finish(c) != NGX_AGAIN) {
        return sys->shutdown(c->fd, how);
    }
    return how == SHUT_WR ? 0 : sys->shutdown(c->fd, SHUT_RD);
}

/* exact(self, on): reads leave what they do not need in the kernel. */
static int
connection_exact(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "exact");

    conn->exact = lua_toboolean(L, 2);
    return 0;
}

/* shutdown(self, "send"|"receive"|"both") -> true | nil, err, CODE */
static int
connection_shutdown(lua_State *L)
{
    static const char *const names[] = {"receive", "send", "both"};
    ql_conn_t *conn = ql__connection_check(L, 1, "shutdown");
    const char *name = lua_tostring(L, 2);
    int how = SHUT_RD;

    while (how <= SHUT_RDWR && (name == NULL || strcmp(name, names[how]) != 0))
    {
        how++;
    }
    if (how > SHUT_RDWR) {
        return ql_bad_argument(L, 2, "direction", "shutdown",
                               "'send', 'receive' or 'both'");
    }
    if (conn->handle.closed) {
        return ql_push_error(L, conn->handle.closed);
    }
    if (how != SHUT_RD && (ql_op_waiting(&conn->wop) || conn->guest != NULL)) {
        return ql_push_error(L, QL_E_BUSY_WRITING);
    }
    if (shut(conn->c, how) == -1) {
        return ql_push_error(L, errno);
    }
    conn->wbroken |= how != SHUT_RD;
    lua_pushboolean(L, 1);
    return 1;
}

/* ----------------------------------------------------------- module ---- */

void
ql__open_connection(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg fns[] = {{"settimeout", connection_settimeout},
                                   {"settimeouts", connection_settimeouts},
                                   {"exact", connection_exact},
                                   {"shutdown", connection_shutdown},
                                   {NULL, NULL}};
    static const luaL_Reg blocks[] = {{"blocks", ql_blocks_set}, {NULL, NULL}};

    ql__open_methods(L, &ql__connection_type);
    ql_core_register(L, core, blocks);
    ql_handle_selectable(L, &ql__connection_type, &ql__connection_select);
    ql_handle_streams(L, &ql__connection_type, &connection_stream);
    lua_newtable(L);
    ql_core_register(L, core, fns);
    ql_core_register(L, core, ql__receive_functions);
    ql_core_register(L, core, ql__idle_functions);
    ql_core_register(L, core, ql__send_functions);
    ql_core_register(L, core, ql__sendfile_functions);
    ql_core_register(L, core, ql__cork_functions);
    ql_core_register(L, core, ql__sendfd_functions);
    ql_core_register(L, core, ql__receivefd_functions);
    ql_core_register(L, core, ql__sockopt_functions);
    ql_core_register(L, core, ql__keepalive_functions);
    lua_setfield(L, -2, "connection");
}
