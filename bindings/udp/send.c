/*
 * send.c: sends. A datagram goes as a whole or not at all; a failure is its
 * own and breaks nothing.
 */
#include "../core/gather.h"
#include "udp.h"

#include <stdio.h>

enum {
    SHARE = 256, /* datagrams that one attempt sends before others get on */
    RETRY = 2    /* ms until a queue of which no event tells is tried again */
};

static ql_udp_t *
sender(ql_op_t *op)
{
    return ql_queue_data(op, ql_udp_t, wop);
}

static void
on_writable(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    ql_udp_t *u = c->data;

    ql_op_ready(&u->wop);
}

static void
on_retry(ql_event_t *ev)
{
    ev->timedout = 0;
    ev->ready = 1;
    on_writable(ev);
}

static void
send_unpark(ql_udp_t *u)
{
    ql__unpark_event(u->c->loop, &u->c->write);
    ql_del_timer(u->c->loop, &u->c->write);
}

/* A unix socket without a peer is always writable, to epoll: it cannot know
 * whose queue is full. */
static int
send_park(ql_udp_t *u)
{
    ql_event_t *wev = &u->c->write;

    if (u->c->peer.sa.sa_family == AF_UNIX && !u->connected) {
        wev->handler = on_retry;
        ql_add_timer(u->c->loop, wev, RETRY);
        return NGX_AGAIN;
    }
    return ql_park(wev, on_writable, &u->wop);
}

static int
send_batches(ql_udp_t *u)
{
    ql_outgoing_t *out = &u->out;
    uint32_t share = SHARE;

    while (out->sent < out->count) {
        uint32_t left = out->count - out->sent;
        int n;

        if (share == 0) {
            return ql__park_next(&u->c->write, on_writable);
        }
        n = ql_udp_send(u->c, out->msgs + out->sent,
                        left < share ? left : share);
        if (n == NGX_AGAIN) {
            return send_park(u);
        }
        if (n == NGX_ERROR) {
            u->wop.err = u->c->err;
            return NGX_ERROR;
        }
        out->sent += (uint32_t) n;
        share -= (uint32_t) n;
        u->wop.progress = 1;
    }
    return NGX_OK;
}

int
ql__udp_send_attempt(ql_op_t *op)
{
    ql_udp_t *u = sender(op);
    int rc = send_batches(u);

    if (rc != NGX_AGAIN) {
        send_unpark(u);
    }
    return rc;
}

void
ql__udp_send_cancel(ql_op_t *op)
{
    send_unpark(sender(op));
}

void
ql__udp_send_describe(ql_op_t *op, char *text, size_t size)
{
    ql_udp_t *u = sender(op);
    char verb[64];

    (void) snprintf(verb, sizeof(verb), "%s of %u datagrams on", op->type->name,
                    u->out.count - u->out.sent);
    ql__udp_describe(u, verb, text, size);
}

int
ql__udp_send_start(lua_State *L, ql_udp_t *u, const ql_op_type_t *type)
{
    u->out.sent = 0;
    u->c->write.ready |= u->wop.timeout == 0; /* one try asks the kernel */
    u->wop.type = type;
    return ql_await(L, &u->wop, lua_gettop(L));
}

/* ------------------------------------------------------- one datagram ---- */

/* bytes | nil, err, CODE */
static int
send_push(lua_State *L, ql_op_t *op, int rc)
{
    if (rc != NGX_OK) {
        return ql_push_error(L, op->err);
    }
    lua_pushinteger(L, (lua_Integer) sender(op)->out.bytes.iov_len);
    return 1;
}

static const ql_op_type_t send_op = {
    .name = "send",
    .attempt = ql__udp_send_attempt,
    .push = send_push,
    .cancel = ql__udp_send_cancel,
    .describe = ql__udp_send_describe,
};

static const ql_op_type_t sendto_op = {
    .name = "sendto",
    .attempt = ql__udp_send_attempt,
    .push = send_push,
    .cancel = ql__udp_send_cancel,
    .describe = ql__udp_send_describe,
};

/* The data are at index 2; to NULL: the peer. */
static int
send_one(lua_State *L, ql_udp_t *u, const ql_op_type_t *type,
         const ql_sockaddr_t *to)
{
    ql_outgoing_t *out = &u->out;
    size_t size;
    const char *data = ql_gather_bytes(L, 2, type->name, &size);
    int err = ql__udp_writer_error(u);

    if (err != 0) {
        return ql_return(L, u->wop.lua, ql_push_error(L, err));
    }
    out->bytes.iov_base = (void *) (uintptr_t) data;
    out->bytes.iov_len = size;
    out->one.msg_hdr = (struct msghdr){.msg_iov = &out->bytes, .msg_iovlen = 1};
    if (to != NULL) {
        out->to = *to;
        out->one.msg_hdr.msg_name = &out->to.u;
        out->one.msg_hdr.msg_namelen = to->len;
    }
    out->msgs = &out->one;
    out->count = 1;
    return ql__udp_send_start(L, u, type);
}

/* send(self, data) -> bytes | nil, err, CODE */
static int
udp_send(lua_State *L)
{
    return send_one(L, ql__udp_check(L, 1, "send"), &send_op, NULL);
}

/* sendto(self, data, address, [port]) -> bytes | nil, err, CODE */
static int
udp_sendto(lua_State *L)
{
    ql_udp_t *u = ql__udp_check(L, 1, "sendto");
    ql_sockaddr_t to;

    lua_settop(L, 4);
    if (ql__udp_address(L, 3, u, "sendto", &to) != NGX_OK) {
        return ql_return(L, u->wop.lua, 3);
    }
    return send_one(L, u, &sendto_op, &to);
}

const luaL_Reg ql__udp_send_functions[] = {
    {"send", udp_send}, {"sendto", udp_sendto}, {NULL, NULL}};
