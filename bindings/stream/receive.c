/*
 * receive.c: reads. One operation for all of them; the pattern says what is
 * asked for.
 */
#include "connection.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------- attempt ---- */

enum {
    BULK = 64 * 1024 /* bytes read at once where a reader takes so many and the
                        last read was full */
};

static int
read_room(ql_conn_t *conn)
{
    const ql_pattern_t *p = &conn->pattern;
    ql_buffer_t *in = &conn->in;

    if (conn->bulk && in->data == NULL && p->kind == QL_PATTERN_ANY
        && p->size > QL_BUFFER_SIZE)
    {
        return ql_buffer_bulk(in, p->size < BULK ? p->size : BULK);
    }
    return ql_buffer_reserve(&conn->core->buffers, in, ql_pattern_want(p));
}

/* Bytes that the next recv may bring, where there is room for that many. */
static size_t
read_size(const ql_conn_t *conn, size_t room)
{
    uint32_t unread = ql_buffer_unread(&conn->in);
    uint32_t want = ql_pattern_want(&conn->pattern);
    size_t least = want > unread ? want - unread : 1;

    return conn->exact && least < room ? least : room;
}

ssize_t
ql__read_more(ql_conn_t *conn)
{
    ql_connection_t *c = conn->c;
    ql_buffer_t *in = &conn->in;
    ssize_t n;

    if (read_room(conn) != NGX_OK) {
        conn->rop.err = ENOMEM;
        return NGX_ERROR;
    }
    n = c->io->recv(c, in->data + in->end, read_size(conn, in->cap - in->end));
    conn->bulk = n == (ssize_t) (in->cap - in->end);
    if (n > 0) {
        in->end += (uint32_t) n;
        conn->rop.progress = 1;
    } else {
        ql_buffer_settle(&conn->core->buffers, in);
    }
    if (n == NGX_ERROR) {
        conn->rop.err = c->err;
        conn->rbroken = 1;
    }
    return n;
}

/* No byte will follow: an error, but for who reads up to here. */
static int
read_end(ql_conn_t *conn)
{
    ql_pattern_t *p = &conn->pattern;

    conn->eof = 1;
    if (p->kind != QL_PATTERN_ALL
        || (conn->eof_told && ql_buffer_unread(&conn->in) == 0))
    {
        conn->rop.err = QL_E_CLOSED;
        return NGX_ERROR;
    }
    p->take = ql_buffer_unread(&conn->in);
    return NGX_OK;
}

static int
read_until_again(ql_conn_t *conn)
{
    size_t share = QL__TURN_BYTES;
    ssize_t n;

    while (!ql_pattern_match(&conn->pattern, &conn->in)) {
        if (conn->eof) {
            return read_end(conn);
        }
        if (share == 0) {
            return ql__park_next(&conn->c->read, ql__on_readable);
        }
        n = ql_event_waits(&conn->c->read) ? NGX_AGAIN : ql__read_more(conn);
        if (n == 0) {
            return read_end(conn);
        }
        if (n == NGX_AGAIN) {
            return ql_park(&conn->c->read, ql__on_readable, &conn->rop);
        }
        if (n < 0) {
            return NGX_ERROR;
        }
        share -= (size_t) n < share ? (size_t) n : share;
    }
    return NGX_OK;
}

static int
read_attempt(ql_op_t *op)
{
    ql_conn_t *conn = ql__reader(op);
    int rc;

    rc = read_until_again(conn);
    if (rc != NGX_AGAIN) {
        ql__unpark_event(conn->c->loop, &conn->c->read);
    }
    return rc;
}

static void
read_cancel(ql_op_t *op)
{
    ql_conn_t *conn = ql__reader(op);

    ql__unpark_event(conn->c->loop, &conn->c->read);
}

/* ------------------------------------------------------------- push ---- */

/* A string has been made of bytes of `in`, which could not be given back
 * while a finaliser closed the connection. */
static void
read_pushed(ql_conn_t *conn)
{
    if (conn->handle.closed) {
        ql_buffer_release(&conn->core->buffers, &conn->in);
    } else {
        ql_buffer_settle(&conn->core->buffers, &conn->in);
    }
}

static int
read_push_error(lua_State *L, ql_conn_t *conn, int err)
{
    conn->eof_told |= conn->eof && conn->pattern.kind != QL_PATTERN_PEEK;
    ql_pattern_push_partial(L, &conn->pattern, &conn->in, err == QL_E_TIMEOUT);
    read_pushed(conn);
    return ql_push_error_partial(L, err);
}

static int
read_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_conn_t *conn = ql__reader(op);
    int n;

    if (conn->handle.closed) {
        /* Also when the bytes had come: close took them back. */
        lua_pushliteral(L, "");
        return ql_push_error_partial(L, conn->handle.closed);
    }
    if (rc != NGX_OK) {
        return read_push_error(L, conn, op->err);
    }
    conn->eof_told |= conn->eof && conn->pattern.kind == QL_PATTERN_ALL;
    n = ql_pattern_push(L, &conn->pattern, &conn->in);
    read_pushed(conn);
    return n;
}

static void
read_describe(ql_op_t *op, char *text, size_t size)
{
    char verb[32];

    (void) snprintf(verb, sizeof(verb), "%s from", op->type->name);
    ql__describe_peer(ql__reader(op), verb, text, size);
}

/* ---------------------------------------------------------- methods ---- */

static const ql_op_type_t receive_op = {
    "receive", read_attempt, read_push, read_cancel, NULL, read_describe};
static const ql_op_type_t receiveany_op = {
    "receiveany", read_attempt, read_push, read_cancel, NULL, read_describe};
static const ql_op_type_t receiveuntil_op = {
    "receiveuntil", read_attempt, read_push, read_cancel, NULL, read_describe};
static const ql_op_type_t peek_op = {"peek",      read_attempt, read_push,
                                     read_cancel, NULL,         read_describe};

/* Starts the read that pattern describes. Every argument of the method stays
 * on the stack, the connection among them. */
static int
read_start(lua_State *L, ql_conn_t *conn, const ql_op_type_t *type,
           const ql_pattern_t *pattern)
{
    int err = ql__reader_error(L, conn);

    if (err != 0) {
        lua_pushliteral(L, "");
        return ql_return(L, conn->rop.lua, ql_push_error_partial(L, err));
    }
    if (pattern->size == 0 && pattern->kind <= QL_PATTERN_PEEK) {
        lua_pushliteral(L, "");
        return ql_return(L, conn->rop.lua, 1);
    }
    ql_pattern_start(&conn->pattern, pattern->kind, pattern->size,
                     pattern->until, &conn->in);
    conn->rop.type = type;
    return ql_await(L, &conn->rop, lua_gettop(L));
}

/* A number of bytes at index 2, also as a numeric string; raises. */
static uint32_t
check_size(lua_State *L, const char *name, const char *method,
           const char *expected, uint32_t min)
{
    /* 0 of what is no number is told from 0 by lua_isnumber. */
    double n = lua_tonumber(L, 2);

    if (!((n > 0 || lua_isnumber(L, 2)) && n >= min && n <= QL_BUFFER_MAX
          && n == (double) (uint32_t) n))
    {
        ql_bad_argument(L, 2, name, method, expected);
    }
    return (uint32_t) n;
}

/* receive(self, [n|"*l"|"*a"]) */
static int
connection_receive(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "receive");
    ql_pattern_t p = {.kind = QL_PATTERN_LINE};
    const char *s = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : NULL;

    if (lua_isnoneornil(L, 2) || (s != NULL && strcmp(s, "*l") == 0)) {
        p.kind = QL_PATTERN_LINE;
    } else if (s != NULL && strcmp(s, "*a") == 0) {
        p.kind = QL_PATTERN_ALL;
    } else {
        p.kind = QL_PATTERN_BYTES;
        p.size = check_size(L, "pattern", "receive",
                            "a number of bytes, '*l' or '*a'", 0);
    }
    return read_start(L, conn, &receive_op, &p);
}

/* receiveany(self, max) */
static int
connection_receiveany(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "receiveany");
    ql_pattern_t p = {.kind = QL_PATTERN_ANY};

    p.size = check_size(L, "max", "receiveany", "a number of bytes, 1 or more,",
                        1);
    return read_start(L, conn, &receiveany_op, &p);
}

/* peek(self, n) */
static int
connection_peek(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "peek");
    ql_pattern_t p = {.kind = QL_PATTERN_PEEK};

    p.size = check_size(L, "n", "peek", "a number of bytes, 0 or more,", 0);
    return read_start(L, conn, &peek_op, &p);
}

/* boundary(text, [inclusive]) -> what receiveuntil takes, raises */
static int
connection_boundary(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TSTRING || lua_objlen(L, 1) == 0) {
        return ql_bad_argument(L, 1, "pattern", "receiveuntil",
                               "a string that is not empty");
    }
    ql_until_new(L, 1, lua_toboolean(L, 2));
    return 1;
}

/* receiveuntil(boundary, size, self): the script sees an iterator f([size])
 * and cannot give another boundary. */
static int
connection_receiveuntil(lua_State *L)
{
    ql_until_t *until = lua_touserdata(L, 1);
    ql_pattern_t p = {.kind = QL_PATTERN_UNTIL, .until = until};
    ql_conn_t *conn = ql__connection_check(L, 3, "receiveuntil");

    if (!lua_isnoneornil(L, 2)) {
        p.size = check_size(L, "size", "receiveuntil",
                            "a number of bytes, 1 or more,", 1);
    }
    if (until->ended) {
        until->ended = 0;
        lua_settop(L, 0);
        lua_settop(L, 3);
        return 3;
    }
    return read_start(L, conn, &receiveuntil_op, &p);
}

const luaL_Reg ql__receive_functions[] = {
    {"receive", connection_receive},
    {"receiveany", connection_receiveany},
    {"receiveuntil", connection_receiveuntil},
    {"boundary", connection_boundary},
    {"peek", connection_peek},
    {NULL, NULL}};
