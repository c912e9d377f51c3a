/*
 * starttls.c: a handshake, as an operation that has both directions of the
 * connection while it lasts. It stops where a server is to choose a
 * certificate, and is begun again then.
 */
#include "core_tls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Anchored beside the connection. */
typedef struct {
    ql_op_t op;
    ql_handle_t *handle; /* the connection's */
    const ql_stream_type_t *stream;
    ql_tls_t *tls;
    bool asked; /* stopped, to be told the certificate */
} shake_t;

static shake_t *
shake_of(ql_op_t *op)
{
    return ql_queue_data(op, shake_t, op);
}

static void
on_event(ql_event_t *ev)
{
    const ql_connection_t *c = ev->data;
    const ql_tls_t *t = c->transport;

    ql_op_ready(t->data);
}

static void
unpark(shake_t *s)
{
    ql_connection_t *c = s->stream->connection(s->handle);

    if (c == NULL) {
        return;
    }
    c->read.handler = NULL;
    c->write.handler = NULL;
    ql_delete_posted_event(c->loop, &c->read);
    ql_delete_posted_event(c->loop, &c->write);
}

static int
shake_attempt(ql_op_t *op)
{
    shake_t *s = shake_of(op);
    ql_event_t *wants;
    int rc;

    unpark(s);
    rc = ql_tls_handshake(s->tls, &wants);
    if (rc == NGX_AGAIN) {
        return ql_park(wants, on_event, op);
    }
    s->asked = rc == NGX_DECLINED;
    if (rc == NGX_ERROR) {
        op->err = s->tls->c->err;
    }
    return s->asked ? NGX_OK : rc;
}

static void
shake_cancel(ql_op_t *op)
{
    unpark(shake_of(op));
}

/* The client may be told, and has no TLS on it. */
static void
shake_end_plain(shake_t *s)
{
    ql_connection_t *c = s->tls->c;

    ql_tls_end(s->tls);
    c->err = 0;
    c->read.error = 0;
    c->read.ready = 1;
}

/* Also after a cancellation, of which push does not hear. */
static void
shake_free(ql_op_t *op)
{
    shake_t *s = shake_of(op);

    s->stream->restore(s->handle, op);
    if (op->rc == NGX_ERROR && !s->handle->closed && ql_tls_met_http(s->tls)) {
        shake_end_plain(s);
    } else if (op->rc == NGX_ERROR) {
        ql_handle_close(s->handle, QL_E_CLOSED);
    }
}

static int
shake_push(lua_State *L, ql_op_t *op, int rc)
{
    shake_t *s = shake_of(op);

    if (rc != NGX_OK) {
        return ql_push_error(L, op->err);
    }
    if (s->handle->closed) {
        return ql_push_error(L, s->handle->closed);
    }
    lua_pushboolean(L, !s->asked);
    return 1;
}

static void
shake_describe(ql_op_t *op, char *text, size_t size)
{
    const shake_t *s = shake_of(op);
    const ql_connection_t *c = s->stream->connection(s->handle);

    (void) snprintf(text, size, "TLS handshake (fd %d)",
                    c != NULL ? c->fd : -1);
}

static const ql_op_type_t shake_op = {"starttls", shake_attempt,
                                      shake_push, shake_cancel,
                                      shake_free, shake_describe};

/* --------------------------------------------------------- functions ---- */

static const ql_stream_type_t *
check_stream(lua_State *L, const char *method, ql_handle_t **h)
{
    const ql_stream_type_t *stream = ql_handle_stream(L, 1, h);

    if (stream == NULL) {
        ql_bad_argument(L, 1, "self", method, "connection");
    }
    return stream;
}

/* The operation, on top of the stack, has the connection, or err is why not. */
static int
shake_lend(lua_State *L, const ql_stream_type_t *stream, ql_handle_t *h,
           shake_t **shake)
{
    shake_t *s = lua_newuserdata(L, sizeof(*s));
    int err;

    *s = (shake_t){.handle = h, .stream = stream};
    ql_op_init(&s->op, &shake_op, ql__tls_lua(L));
    *shake = s;
    err = stream->lend(h, &s->op);
    if (err == 0) {
        s->tls = ql_tls_of(stream->connection(h));
    }
    return err;
}

static const char *
optional(lua_State *L, int idx)
{
    return lua_type(L, idx) == LUA_TSTRING ? lua_tostring(L, idx) : NULL;
}

static SSL_SESSION *
read_session(lua_State *L, int idx)
{
    const unsigned char *der;
    size_t size;

    if (lua_type(L, idx) != LUA_TSTRING) {
        return NULL;
    }
    der = (const unsigned char *) lua_tolstring(L, idx, &size);
    return d2i_SSL_SESSION(NULL, &der, (long) size);
}

static int
start_on(lua_State *L, shake_t *s, ql_tls_context_t *context)
{
    ql_tls_peer_t peer = {.server_name = optional(L, 3),
                          .verify_name = optional(L, 4),
                          .session = read_session(L, 5)};

    s->tls = ql_tls_start(s->stream->connection(s->handle), context, &peer);
    SSL_SESSION_free(peer.session);
    return s->tls != NULL ? 0 : errno;
}

static int
await_shake(lua_State *L, shake_t *s)
{
    s->tls->data = &s->op;
    return ql_await(L, &s->op, lua_gettop(L));
}

/* TLS is on already: harmless when it is what is asked for, as where the
 * connection has come out of a pool. */
static int
push_again(lua_State *L, shake_t *s, const ql_tls_context_t *context)
{
    const char *name = optional(L, lua_isnil(L, 4) ? 3 : 4);

    s->stream->restore(s->handle, &s->op);
    if (!ql_tls_has(s->tls, context, name)) {
        return ql_push_error(L, EALREADY);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* start(conn, context, [server name], [name to verify], [session], [s]) -> true
 * | false: a certificate is to be chosen | nil, err, CODE */
static int
tls_start(lua_State *L)
{
    ql_tls_context_t *context = ql__tls_check_context(L, 2, "starttls");
    const ql_stream_type_t *stream;
    uint64_t timeout;
    ql_handle_t *h;
    shake_t *s;
    int err;

    lua_settop(L, 6);
    stream = check_stream(L, "starttls", &h);
    timeout = ql_check_timeout(L, 6, "timeout", "starttls");
    ql_check_wait(L, ql__tls_lua(L));
    err = shake_lend(L, stream, h, &s);
    s->op.timeout = timeout;
    if (err == 0 && s->tls != NULL) {
        return push_again(L, s, context);
    }
    if (err == 0) {
        err = start_on(L, s, context);
        if (err != 0) {
            stream->restore(h, &s->op);
        }
    }
    if (err != 0) {
        if (err == QL_E_UNREAD || err == ENOMEM) {
            ql_handle_close(h, QL_E_CLOSED);
        }
        return ql_push_error(L, err);
    }
    return await_shake(L, s);
}

/* NGX_OK: the handshake goes on. */
static int
choose_from(lua_State *L, ql_tls_t *t)
{
    if (lua_isboolean(L, 2)) {
        ql_tls_refuse(t);
        return NGX_OK;
    }
    return ql_tls_choose(
        t, lua_isnil(L, 2) ? NULL : ql__tls_check_context(L, 2, "starttls"));
}

/* choose(conn, [context], [s]) -> as start: goes on with the certificate of
 * context, or with its own; false: with an alert. */
static int
tls_choose(lua_State *L)
{
    const ql_stream_type_t *stream;
    uint64_t timeout;
    ql_handle_t *h;
    shake_t *s;
    int err;

    lua_settop(L, 3);
    stream = check_stream(L, "starttls", &h);
    timeout = ql_check_timeout(L, 3, "timeout", "starttls");
    err = shake_lend(L, stream, h, &s);
    if (err != 0) {
        return ql_push_error(L, err);
    }
    if (s->tls == NULL || s->tls->done) {
        stream->restore(h, &s->op);
        return ql_push_error(L, EINVAL);
    }
    if (choose_from(L, s->tls) != NGX_OK) {
        err = s->tls->c->err;
        stream->restore(h, &s->op);
        ql_handle_close(h, QL_E_CLOSED);
        return ql_push_error(L, err);
    }
    s->op.timeout = timeout;
    return await_shake(L, s);
}

ql_tls_t *
ql__tls_check(lua_State *L, const char *method)
{
    ql_handle_t *h;
    const ql_stream_type_t *stream = check_stream(L, method, &h);
    ql_connection_t *c = stream->connection(h);
    ql_tls_t *t;

    if (c == NULL) {
        (void) ql_push_error(L, h->closed ? h->closed : QL_E_CLOSED);
        return NULL;
    }
    t = ql_tls_of(c);
    if (t == NULL) {
        (void) ql_push_error(L, ENOPROTOOPT);
    }
    return t;
}

void
ql__open_starttls(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {
        {"start", tls_start}, {"choose", tls_choose}, {NULL, NULL}};

    lua_pushlightuserdata(L, lua);
    luaL_setfuncs(L, fns, 1);
}
