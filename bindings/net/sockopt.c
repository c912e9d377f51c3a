/*
 * sockopt.c: options, names and the descriptor of a connection.
 */
#include "../stream/connection.h"

#include "core/sys.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

typedef enum {
    OPTION_SWITCH, /* boolean */
    OPTION_NUMBER, /* whole, 0 or more */
    OPTION_TEXT,   /* a name */
    OPTION_LINGER, /* seconds, false: off */
    OPTION_ERROR,  /* read only: the pending error, cleared: text or nil */
    OPTION_CRED    /* read only: pid, uid and gid of a unix socket's peer */
} option_kind_t;

typedef struct {
    const char *name;
    int level;
    int option;
    option_kind_t kind;
    int option6; /* of an IPv6 socket, at IPPROTO_IPV6; 0: the same */
} option_t;

static const option_t options[] = {
    {"keepalive", SOL_SOCKET, SO_KEEPALIVE, OPTION_SWITCH, 0},
    {"reuseaddr", SOL_SOCKET, SO_REUSEADDR, OPTION_SWITCH, 0},
    {"oobinline", SOL_SOCKET, SO_OOBINLINE, OPTION_SWITCH, 0},
    {"sndbuf", SOL_SOCKET, SO_SNDBUF, OPTION_NUMBER, 0},
    {"rcvbuf", SOL_SOCKET, SO_RCVBUF, OPTION_NUMBER, 0},
    {"priority", SOL_SOCKET, SO_PRIORITY, OPTION_NUMBER, 0},
    {"mark", SOL_SOCKET, SO_MARK, OPTION_NUMBER, 0},
    {"bindtodevice", SOL_SOCKET, SO_BINDTODEVICE, OPTION_TEXT, 0},
    {"linger", SOL_SOCKET, SO_LINGER, OPTION_LINGER, 0},
    {"error", SOL_SOCKET, SO_ERROR, OPTION_ERROR, 0},
    {"peercred", SOL_SOCKET, SO_PEERCRED, OPTION_CRED, 0},
    {"tos", IPPROTO_IP, IP_TOS, OPTION_NUMBER, IPV6_TCLASS},
    {"ttl", IPPROTO_IP, IP_TTL, OPTION_NUMBER, IPV6_UNICAST_HOPS},
    {"tcp-nodelay", IPPROTO_TCP, TCP_NODELAY, OPTION_SWITCH, 0},
    {"tcp-quickack", IPPROTO_TCP, TCP_QUICKACK, OPTION_SWITCH, 0},
    {"tcp-fastopen", IPPROTO_TCP, TCP_FASTOPEN_CONNECT, OPTION_SWITCH, 0},
    {"tcp-congestion", IPPROTO_TCP, TCP_CONGESTION, OPTION_TEXT, 0},
    {"tcp-maxseg", IPPROTO_TCP, TCP_MAXSEG, OPTION_NUMBER, 0},
    {"tcp-notsent-lowat", IPPROTO_TCP, TCP_NOTSENT_LOWAT, OPTION_NUMBER, 0},
    {"keepidle", IPPROTO_TCP, TCP_KEEPIDLE, OPTION_NUMBER, 0},
    {"keepintvl", IPPROTO_TCP, TCP_KEEPINTVL, OPTION_NUMBER, 0},
    {"keepcnt", IPPROTO_TCP, TCP_KEEPCNT, OPTION_NUMBER, 0},
    {"user-timeout", IPPROTO_TCP, TCP_USER_TIMEOUT, OPTION_NUMBER, 0},
};

static const option_t *
option_check(lua_State *L, int arg, const char *method)
{
    const char *name = lua_type(L, arg) == LUA_TSTRING ? lua_tostring(L, arg)
                                                       : NULL;

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (name != NULL && strcmp(name, options[i].name) == 0) {
            return &options[i];
        }
    }
    ql_bad_argument(L, arg, "option", method, "the name of a socket option");
    return NULL;
}

static const ql_sys_t *
system_of(const ql_conn_t *conn)
{
    return ql_loop_sys(conn->c->loop);
}

/* Where the kernel keeps it for a socket of that family. */
static void
option_place(const option_t *option, int family, ql_sockopt_t *o)
{
    bool v6 = option->option6 != 0 && family == AF_INET6;

    o->level = v6 ? IPPROTO_IPV6 : option->level;
    o->name = v6 ? option->option6 : option->option;
}

/* -------------------------------------------------------------- get ---- */

static void
push_credentials(lua_State *L, const struct ucred *cred)
{
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, cred->pid);
    lua_setfield(L, -2, "pid");
    lua_pushnumber(L, cred->uid);
    lua_setfield(L, -2, "uid");
    lua_pushnumber(L, cred->gid);
    lua_setfield(L, -2, "gid");
}

typedef union {
    int number;
    struct linger linger;
    struct ucred cred;
    char text[16];
} answer_t;

static void
push_answer(lua_State *L, option_kind_t kind, const answer_t *answer)
{
    switch (kind) {
    case OPTION_SWITCH:
        lua_pushboolean(L, answer->number);
        break;
    case OPTION_NUMBER:
        lua_pushnumber(L, answer->number);
        break;
    case OPTION_TEXT:
        lua_pushlstring(L, answer->text,
                        strnlen(answer->text, sizeof(answer->text)));
        break;
    case OPTION_LINGER:
        lua_pushinteger(L, answer->linger.l_linger);
        if (!answer->linger.l_onoff) {
            lua_pushboolean(L, 0);
        }
        break;
    case OPTION_CRED:
        push_credentials(L, &answer->cred);
        break;
    case OPTION_ERROR:
        lua_pushnil(L);
        if (answer->number != 0) {
            ql_push_error_text(L, answer->number);
        }
        break;
    }
}

/* getoption(self, option) -> value | nil, err, CODE */
static int
connection_getoption(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "getoption");
    const option_t *option = option_check(L, 2, "getoption");
    answer_t answer = {0};
    socklen_t size = sizeof(answer);
    ql_sockopt_t o;

    if (conn->handle.closed) {
        return ql_push_error(L, conn->handle.closed);
    }
    option_place(option, conn->c->peer.sa.sa_family, &o);
    if (system_of(conn)->getsockopt(conn->c->fd, o.level, o.name, &answer,
                                    &size)
        == -1)
    {
        return ql_push_error(L, errno);
    }
    push_answer(L, option->kind, &answer);
    return 1;
}

/* -------------------------------------------------------------- set ---- */

static void
take_text(lua_State *L, int arg, const char *name, const char *method,
          ql_sockopt_t *o)
{
    size_t size = 0;
    const char *s = lua_type(L, arg) == LUA_TSTRING
                      ? lua_tolstring(L, arg, &size)
                      : NULL;

    if (s != NULL && size < sizeof(o->value.text) && strlen(s) == size) {
        memcpy(o->value.text, s, size + 1);
        o->size = (socklen_t) size + 1;
    } else {
        ql_bad_argument(L, arg, name, method, "a name of at most 15 bytes");
    }
}

static void
take_linger(lua_State *L, int arg, const char *method, struct linger *linger)
{
    *linger = (struct linger){0, 0};
    if (lua_type(L, arg) != LUA_TBOOLEAN || lua_toboolean(L, arg)) {
        linger->l_onoff = 1;
        linger->l_linger = (int) ql_check_whole(L, arg, "linger", method, 0,
                                                INT16_MAX);
    }
}

/* The value at index arg; raises. */
static void
option_value(lua_State *L, int arg, const char *method, const option_t *option,
             ql_sockopt_t *o)
{
    o->size = sizeof(int);
    switch (option->kind) {
    case OPTION_SWITCH:
        if (!lua_isboolean(L, arg)) {
            ql_bad_argument(L, arg, option->name, method, "a boolean");
        }
        o->value.number = lua_toboolean(L, arg);
        break;
    case OPTION_NUMBER:
        o->value.number = (int) ql_check_whole(L, arg, option->name, method, 0,
                                               INT32_MAX);
        break;
    case OPTION_TEXT:
        take_text(L, arg, option->name, method, o);
        break;
    case OPTION_LINGER:
        take_linger(L, arg, method, &o->value.linger);
        o->size = sizeof(o->value.linger);
        break;
    default:
        ql_raise(L, "bad argument 'option' to '%s' ('%s' can only be read)",
                 method, option->name);
    }
}

/* setoption(self, option, value) -> true | nil, err, CODE */
static int
connection_setoption(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "setoption");
    const option_t *option = option_check(L, 2, "setoption");
    ql_sockopt_t o = {.level = 0};

    option_value(L, 3, "setoption", option, &o);
    if (conn->handle.closed) {
        return ql_push_error(L, conn->handle.closed);
    }
    option_place(option, conn->c->peer.sa.sa_family, &o);
    if (system_of(conn)->setsockopt(conn->c->fd, o.level, o.name, &o.value,
                                    o.size)
        == -1)
    {
        return ql_push_error(L, errno);
    }
    lua_pushboolean(L, 1);
    return 1;
}

unsigned
ql__check_sockopts(lua_State *L, int arg, const char *method, int family,
                   ql_sockopt_t *list)
{
    unsigned n = 0;

    if (!lua_istable(L, arg)) {
        ql_bad_argument(L, arg, "options", method, "a table of socket options");
    }
    lua_pushnil(L);
    while (lua_next(L, arg) != 0) {
        int value = lua_gettop(L);
        const option_t *option = option_check(L, value - 1, method);

        option_place(option, family, &list[n]);
        option_value(L, value, method, option, &list[n]);
        n++;
        lua_pop(L, 1);
    }
    return n;
}

/* ------------------------------------------------------------ names ---- */

/* getpeername(self) -> address, port | nil, err, CODE. The address that accept
 * or connect gave stays known after a reset. */
static int
connection_getpeername(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "getpeername");
    ql_sockaddr_t name = {.len = sizeof(name.u)};

    if (conn->handle.closed) {
        return ql_push_error(L, conn->handle.closed);
    }
    if (conn->c->peer.sa.sa_family == AF_INET
        || conn->c->peer.sa.sa_family == AF_INET6)
    {
        memcpy(&name.u, &conn->c->peer, sizeof(conn->c->peer));
    } else if (system_of(conn)->getpeername(conn->c->fd, &name.u.sa, &name.len)
               == -1)
    {
        return ql_push_error(L, errno);
    }
    return ql__push_address(L, &name);
}

/* getsockname(self) -> address, port | nil, err, CODE */
static int
connection_getsockname(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "getsockname");
    ql_sockaddr_t name = {.len = sizeof(name.u)};

    if (conn->handle.closed) {
        return ql_push_error(L, conn->handle.closed);
    }
    if (system_of(conn)->getsockname(conn->c->fd, &name.u.sa, &name.len) == -1)
    {
        return ql_push_error(L, errno);
    }
    return ql__push_address(L, &name);
}

/* getfd(self) -> descriptor | nil, err, CODE */
static int
connection_getfd(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "getfd");

    if (conn->handle.closed) {
        return ql_push_error(L, conn->handle.closed);
    }
    lua_pushinteger(L, conn->c->fd);
    return 1;
}

const luaL_Reg ql__sockopt_functions[] = {
    {"getoption", connection_getoption},
    {"setoption", connection_setoption},
    {"getpeername", connection_getpeername},
    {"getsockname", connection_getsockname},
    {"getfd", connection_getfd},
    {NULL, NULL}};
