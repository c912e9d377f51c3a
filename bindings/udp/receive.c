/*
 * receive.c: receives. One system call brings a batch; those that follow take
 * from it. A datagram is used up when its strings are made.
 */
#include "udp.h"

#include <stdio.h>

static ql_udp_t *
receiver(ql_op_t *op)
{
    return ql_queue_data(op, ql_udp_t, rop);
}

static void
on_readable(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    ql_udp_t *u = c->data;

    ql_op_ready(&u->rop);
}

int
ql__udp_fill(ql_udp_t *u)
{
    if (ql_event_waits(&u->c->read)) {
        return NGX_AGAIN;
    }
    return ql_datagrams_receive(u->core, u->c, &u->in, &u->rop.err);
}

static int
receive_attempt(ql_op_t *op)
{
    ql_udp_t *u = receiver(op);
    int rc = ql_buffer_unread(&u->in) != 0 ? NGX_OK : ql__udp_fill(u);

    if (rc == NGX_AGAIN) {
        return ql_park(&u->c->read, on_readable, op);
    }
    ql__unpark_event(u->c->loop, &u->c->read);
    return rc;
}

static void
receive_cancel(ql_op_t *op)
{
    ql_udp_t *u = receiver(op);

    ql__unpark_event(u->c->loop, &u->c->read);
}

static void
receive_describe(ql_op_t *op, char *text, size_t size)
{
    char verb[32];

    (void) snprintf(verb, sizeof(verb), "%s on", op->type->name);
    ql__udp_describe(receiver(op), verb, text, size);
}

/* ------------------------------------------------------------- push ---- */

/* A string of it; true: it was cut. */
static bool
push_bytes(lua_State *L, const ql_udp_t *u, const ql_datagram_t *d)
{
    uint32_t size = d->size < u->size ? d->size : u->size;

    lua_pushlstring(L, (const char *) (d + 1), size);
    return d->whole > size;
}

static void
push_whole(lua_State *L, const ql_datagram_t *d)
{
    lua_pushinteger(L, (lua_Integer) d->whole);
}

/* The strings are made: the datagram is used up, and the buffer given back
 * when it was the last, or while it was made a finaliser closed the socket. */
static void
received(ql_udp_t *u)
{
    ql_datagrams_next(&u->in);
    if (u->handle.closed) {
        ql_buffer_release(&u->core->buffers, &u->in);
    } else {
        ql_buffer_settle(&u->core->buffers, &u->in);
    }
}

/* Why there is nothing; 0: there is. */
static int
failure(const ql_udp_t *u, int rc)
{
    if (u->handle.closed) {
        return u->handle.closed;
    }
    return rc != NGX_OK ? u->rop.err : 0;
}

/* data, [size] */
static int
receive_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_udp_t *u = receiver(op);
    const ql_datagram_t *d;
    int n = 1;

    if (failure(u, rc) != 0) {
        return ql_push_error(L, failure(u, rc));
    }
    d = ql_datagrams_first(&u->in);
    if (push_bytes(L, u, d)) {
        push_whole(L, d);
        n++;
    }
    received(u);
    return n;
}

/* data, address, port, [size] */
static int
receivefrom_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_udp_t *u = receiver(op);
    const ql_datagram_t *d;
    bool cut;

    if (failure(u, rc) != 0) {
        return ql_push_error(L, failure(u, rc));
    }
    d = ql_datagrams_first(&u->in);
    cut = push_bytes(L, u, d);
    ql__udp_push_address(L, &d->from);
    if (cut) {
        push_whole(L, d);
    }
    received(u);
    return cut ? 4 : 3;
}

/* {data, address, port, [size]} */
static void
push_entry(lua_State *L, ql_udp_t *u)
{
    const ql_datagram_t *d = ql_datagrams_first(&u->in);
    int entry = lua_gettop(L) + 1;
    bool cut;

    lua_createtable(L, 4, 0);
    cut = push_bytes(L, u, d);
    lua_rawseti(L, entry, 1);
    ql__udp_push_address(L, &d->from);
    lua_rawseti(L, entry, 3);
    lua_rawseti(L, entry, 2);
    if (cut) {
        push_whole(L, d);
        lua_rawseti(L, entry, 4);
    }
    received(u);
}

static int
receivemany_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_udp_t *u = receiver(op);
    uint32_t n = 0;

    if (failure(u, rc) != 0) {
        return ql_push_error(L, failure(u, rc));
    }
    lua_createtable(L, QL_DATAGRAM_BATCH, 0);
    while (n < u->count && ql_buffer_unread(&u->in) != 0) {
        push_entry(L, u);
        lua_rawseti(L, -2, (int) ++n);
    }
    return 1;
}

/* ---------------------------------------------------------- methods ---- */

static const ql_op_type_t receive_op = {"receive",    receive_attempt,
                                        receive_push, receive_cancel,
                                        NULL,         receive_describe};
static const ql_op_type_t receivefrom_op = {
    "receivefrom", receive_attempt, receivefrom_push, receive_cancel,
    NULL,          receive_describe};
static const ql_op_type_t receivemany_op = {
    "receivemany", receive_attempt, receivemany_push, receive_cancel,
    NULL,          receive_describe};

/* u and its arguments are on the stack. */
static int
receive_start(lua_State *L, ql_udp_t *u, const ql_op_type_t *type,
              uint32_t size, uint32_t count)
{
    int err = 0;

    if (u->handle.closed) {
        err = u->handle.closed;
    } else if (ql__udp_receiver_busy(u)
               || ql_op_pushing(L, &u->rop, &u->handle)) {
        err = QL_E_BUSY_READING;
    } else if (u->rlate && ql_buffer_unread(&u->in) == 0) {
        u->rlate = 0;
        err = u->rop.err;
    }
    if (err != 0) {
        return ql_return(L, u->rop.lua, ql_push_error(L, err));
    }
    u->automatic = 0;
    u->c->read.ready |= u->rop.timeout == 0; /* one try asks the kernel */
    u->size = size;
    u->count = count;
    u->rop.type = type;
    return ql_await(L, &u->rop, lua_gettop(L));
}

/* The whole number at index arg, or by default max. */
static uint32_t
check_most(lua_State *L, int arg, const char *name, const char *method, int min,
           int max)
{
    return lua_isnoneornil(L, arg)
             ? (uint32_t) max
             : (uint32_t) ql_check_whole(L, arg, name, method, min, INT32_MAX);
}

/* receive(self, [n]) -> data, [size] | nil, err, CODE */
static int
udp_receive(lua_State *L)
{
    ql_udp_t *u = ql__udp_check(L, 1, "receive");
    uint32_t size = check_most(L, 2, "n", "receive", 0, QL_DATAGRAM_SIZE);

    return receive_start(L, u, &receive_op, size, 1);
}

/* receivefrom(self, [n]) -> data, address, port, [size] | nil, err, CODE */
static int
udp_receivefrom(lua_State *L)
{
    ql_udp_t *u = ql__udp_check(L, 1, "receivefrom");
    uint32_t size = check_most(L, 2, "n", "receivefrom", 0, QL_DATAGRAM_SIZE);

    return receive_start(L, u, &receivefrom_op, size, 1);
}

/* receivemany(self, [n]) -> array of {data, address, port, [size]} | nil, err,
 * CODE */
static int
udp_receivemany(lua_State *L)
{
    ql_udp_t *u = ql__udp_check(L, 1, "receivemany");
    uint32_t n = check_most(L, 2, "n", "receivemany", 1, QL_DATAGRAM_BATCH);

    return receive_start(L, u, &receivemany_op, QL_DATAGRAM_SIZE, n);
}

const luaL_Reg ql__udp_receive_functions[] = {{"receive", udp_receive},
                                              {"receivefrom", udp_receivefrom},
                                              {"receivemany", udp_receivemany},
                                              {NULL, NULL}};
