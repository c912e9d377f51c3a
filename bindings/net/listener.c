/*
 * listener.c: listening sockets. Several tasks may accept on one listener;
 * they get its connections in the order in which they came to wait.
 */
#include "../stream/connection.h"
#include "listen.h"

#include <errno.h>
#include <stdio.h>

struct ql_listener_s {
    ql_handle_t handle;
    ql_core_t *core;
    ql_listening_t *ls;   /* NULL: closed */
    ql_queue_t waiters;   /* of ql_accepting_t.link */
    uint32_t waiting;     /* how many */
    bool shared;          /* other processes accept on its socket too: nothing
                             is taken that nobody waits for */
    ql_queue_t selectors; /* of ql_select_t.link */
    ql_event_t wake;      /* posted: the first waiter may go on */
    uint32_t promised;    /* queued connections that an accept that is done has
                           yet to take */
};

static ql_conn_t *
acceptor(ql_op_t *op)
{
    return ql_queue_data(op, ql_conn_t, rop);
}

/* ----------------------------------------------------------- demand ---- */

/* After each change of what it counts. */
static void
listener_want(ql_listener_t *l)
{
    if (l->shared && l->ls != NULL) {
        ql_listening_want(l->ls, l->promised + l->waiting
                                     + !ql_queue_empty(&l->selectors));
    }
}

static void
waiter_join(ql_listener_t *l, ql_queue_t *link)
{
    if (ql_queue_empty(link)) {
        ql_queue_insert_tail(&l->waiters, link);
        l->waiting++;
        listener_want(l);
    }
}

static void
waiter_leave(ql_listener_t *l, ql_queue_t *link)
{
    if (!ql_queue_empty(link)) {
        ql_queue_remove(link);
        l->waiting--;
        listener_want(l);
    }
}

/* ------------------------------------------------------------- wake ---- */

static bool
listener_has(const ql_listener_t *l, uint32_t n)
{
    return l->ls->queued >= l->promised + n || l->ls->connection == NULL;
}

/* One waiter a call: it may close the listener, or be the last to hold it. */
static void
on_wake(ql_event_t *ev)
{
    ql_listener_t *l = ev->data;
    ql_queue_t *first = l->waiters.next;

    if (ql_queue_empty(&l->waiters)) {
        return;
    }
    if (first->next != &l->waiters && listener_has(l, 2)) {
        ql_post_event(l->ls->loop, ev);
    }
    ql_op_ready(&ql_queue_data(first, ql_conn_t, accepting.link)->rop);
}

static void
listener_wake(ql_listener_t *l)
{
    if (l->ls != NULL && !ql_queue_empty(&l->waiters)) {
        ql_post_event(l->ls->loop, &l->wake);
    }
}

/* Not here: the runtime is in the middle of accepting. */
static void
on_accepted(ql_listening_t *ls)
{
    ql_listener_t *l = ls->data;

    listener_wake(l);
    ql_selectors_ready(&l->selectors);
}

/* ----------------------------------------------------------- accept ---- */

/* Who does not wait is told by no event what has come to a shared socket. */
static void
listener_look(ql_listener_t *l)
{
    if (l->shared && l->ls->queued == l->promised) {
        ql_accept_now(l->ls);
    }
}

/* The connection stays in the queue until it is pushed, so that a cancelled
 * accept loses none. */
static int
accept_attempt(ql_op_t *op)
{
    ql_conn_t *conn = acceptor(op);
    ql_listener_t *l = conn->accepting.listener;
    ql_queue_t *link = &conn->accepting.link;

    if (l->waiters.next == &l->waiters || l->waiters.next == link) {
        if (op->timeout == 0) {
            listener_look(l);
        }
        if (l->ls->queued > l->promised) {
            conn->promised = 1;
            l->promised++;
            waiter_leave(l, link);
            return NGX_OK;
        }
        if (l->ls->connection == NULL) {
            waiter_leave(l, link);
            op->err = l->ls->err != 0 ? l->ls->err : QL_E_CLOSED;
            return NGX_ERROR;
        }
    }
    waiter_join(l, link);
    return NGX_AGAIN;
}

static void
accept_cancel(ql_op_t *op)
{
    ql_accepting_t *accepting = &acceptor(op)->accepting;

    waiter_leave(accepting->listener, &accepting->link);
}

static ql_connection_t *
accept_take(ql_conn_t *conn)
{
    ql_listener_t *l = conn->accepting.listener;

    ql_connection_t *c = l->ls != NULL ? ql_accept(l->ls) : NULL;

    conn->promised = 0;
    l->promised--;
    listener_want(l);
    return c;
}

/* The connection is on top of the stack. */
static int
accept_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_conn_t *conn = acceptor(op);
    ql_connection_t *c = NULL;

    op->timeout = QL_TIMER_INFINITE;
    if (rc == NGX_OK) {
        c = accept_take(conn);
        op->err = QL_E_CLOSED;
    }
    if (c == NULL) {
        return ql_push_error(L, op->err);
    }
    ql__connection_open(conn, c);
    lua_pushvalue(L, -1);
    return 1;
}

static void
accept_describe(ql_op_t *op, char *text, size_t size)
{
    const ql_listening_t *ls = acceptor(op)->accepting.listener->ls;
    char address[QL_SOCKADDR_STRLEN];

    (void) snprintf(text, size, "accept on %s (fd %d)",
                    ql_sockaddr_text(&ls->addr.u.sa, ls->addr.len, address),
                    ls->connection != NULL ? ls->connection->fd : -1);
}

static const ql_op_type_t accept_op = {"accept",    accept_attempt,
                                       accept_push, accept_cancel,
                                       NULL,        accept_describe};

/* ----------------------------------------------------------- select ---- */

static int
select_attempt(ql_select_t *w)
{
    ql_listener_t *l = w->object;

    if (!l->handle.closed && ql_queue_empty(&l->waiters)) {
        listener_look(l);
    }
    if (l->handle.closed || (ql_queue_empty(&l->waiters) && listener_has(l, 1)))
    {
        return NGX_OK;
    }
    (void) ql_select_park(w, &l->selectors);
    listener_want(l);
    return NGX_AGAIN;
}

static void
select_leave(ql_select_t *w)
{
    ql_select_leave(w);
    listener_want(w->object);
}

static const ql_select_type_t listener_select = {select_attempt, select_leave};

/* --------------------------------------------------------- listener ---- */

static void
listener_close(ql_handle_t *h, int err)
{
    ql_listener_t *l = (ql_listener_t *) h;

    while (!ql_queue_empty(&l->waiters)) {
        ql_queue_t *q = l->waiters.next;

        waiter_leave(l, q);
        ql_op_end(&ql_queue_data(q, ql_conn_t, accepting.link)->rop, err);
    }
    ql_selectors_ready(&l->selectors);
    ql_delete_posted_event(l->ls->loop, &l->wake);
    ql_listening_close(l->ls);
    l->ls = NULL;
}

static const ql_handle_type_t listener_type = {"listener", listener_close,
                                               NULL};

static ql_listener_t *
listener_check(lua_State *L, const char *method)
{
    return ql_handle_check(L, 1, &listener_type, method);
}

/* accept(self, [s]) -> connection | nil, err, CODE */
static int
listener_accept(lua_State *L)
{
    ql_core_t *core = ql_core(L);
    ql_listener_t *l = listener_check(L, "accept");
    uint64_t timeout = ql_check_timeout(L, 2, "timeout", "accept");
    ql_conn_t *conn;

    lua_settop(L, 1);
    conn = ql__connection_new(L, core);
    if (l->handle.closed) { /* perhaps by a finaliser just now */
        return ql_return(L, core->lua, ql_push_error(L, l->handle.closed));
    }
    conn->accepting.listener = l;
    ql_queue_init(&conn->accepting.link);
    conn->rop.type = &accept_op;
    conn->rop.timeout = timeout;
    return ql_await(L, &conn->rop, 2);
}

/* address(self) -> "127.0.0.1:8080" | nil, err, CODE */
static int
listener_address(lua_State *L)
{
    ql_listener_t *l = listener_check(L, "address");
    char text[QL_SOCKADDR_STRLEN];

    if (l->handle.closed) {
        return ql_push_error(L, l->handle.closed);
    }
    lua_pushstring(L,
                   ql_sockaddr_text(&l->ls->addr.u.sa, l->ls->addr.len, text));
    return 1;
}

static ql_listening_t *
open_listening(lua_State *L, ql_loop_t *loop, const ql_listen_from_t *from)
{
    ql_sockopt_t list[QL__SOCKOPTS];
    ql_listen_opts_t opts = {.options = list};

    ql__check_listen_opts(L, 2, from, &opts, list);
    return from->fd == -1 ? ql_listen(loop, &from->addr, &opts)
                          : ql_listen_inherited(loop, from->fd, &opts);
}

/* listen(addr | fd, options) -> listener | nil, err, CODE */
static int
core_listen(lua_State *L)
{
    ql_core_t *core = ql_core(L);
    ql_listen_from_t from = {.fd = -1};
    ql_listener_t *l;
    ql_loop_t *loop;

    if (lua_type(L, 1) == LUA_TNUMBER) {
        from.fd = (int) ql_check_whole(L, 1, "fd", "listen", 0, INT32_MAX);
    } else if (ql__check_address(L, 1, "address", "listen", &from.addr)
               != NGX_OK) {
        return 3;
    }
    lua_settop(L, 2);
    loop = ql_lua_ready(core->lua, L);
    if (loop == NULL) {
        return ql_push_error(L, errno);
    }
    l = ql_handle_new(L, core->lua, &listener_type, sizeof(*l));
    l->core = core;
    l->wake.data = l;
    l->wake.handler = on_wake;
    ql_queue_init(&l->waiters);
    ql_queue_init(&l->selectors);
    l->ls = open_listening(L, loop, &from);
    if (l->ls == NULL) {
        return ql_push_error(L, errno);
    }
    l->ls->data = l;
    l->ls->handler = on_accepted;
    l->shared = l->ls->exclusive || l->ls->connection->shared;
    listener_want(l);
    ql_handle_open(&l->handle);
    return 1;
}

/* getfd(self) -> descriptor | nil, err, CODE */
static int
listener_getfd(lua_State *L)
{
    ql_listener_t *l = listener_check(L, "getfd");

    if (l->handle.closed || l->ls->connection == NULL) {
        return ql_push_error(L,
                             l->handle.closed ? l->handle.closed : QL_E_CLOSED);
    }
    lua_pushinteger(L, l->ls->connection->fd);
    return 1;
}

/* stop(self): accepts no more; what has come can still be taken. */
static int
listener_stop(lua_State *L)
{
    ql_listener_t *l = listener_check(L, "stop");

    if (!l->handle.closed) {
        ql_listening_stop(l->ls);
    }
    return 0;
}

void
ql__open_listener(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg fns[] = {
        {"accept", listener_accept}, {"address", listener_address},
        {"listen", core_listen},     {"getfd", listener_getfd},
        {"stop", listener_stop},     {NULL, NULL}};

    ql__open_methods(L, &listener_type);
    ql_handle_selectable(L, &listener_type, &listener_select);
    lua_newtable(L);
    ql_core_register(L, core, fns);
    lua_setfield(L, -2, "listener");
}
