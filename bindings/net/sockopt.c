/*
 * sockopt.c: options, names and the descriptor of a connection.
 */
#include "connection.h"

#include "core/sys.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

typedef enum {
    OPTION_SWITCH, /* boolean */
    OPTION_NUMBER, /* whole, 0 or more */
    OPTION_LINGER, /* seconds, false: off */
    OPTION_ERROR   /* read only: the pending error, cleared: text or nil */
} option_kind_t;

typedef struct {
    const char *name;
    int level;
    int option;
    option_kind_t kind;
} option_t;

static const option_t options[] = {
    {"keepalive", SOL_SOCKET, SO_KEEPALIVE, OPTION_SWITCH},
    {"reuseaddr", SOL_SOCKET, SO_REUSEADDR, OPTION_SWITCH},
    {"sndbuf", SOL_SOCKET, SO_SNDBUF, OPTION_NUMBER},
    {"rcvbuf", SOL_SOCKET, SO_RCVBUF, OPTION_NUMBER},
    {"linger", SOL_SOCKET, SO_LINGER, OPTION_LINGER},
    {"error", SOL_SOCKET, SO_ERROR, OPTION_ERROR},
    {"tcp-nodelay", IPPROTO_TCP, TCP_NODELAY, OPTION_SWITCH},
    {"tcp-quickack", IPPROTO_TCP, TCP_QUICKACK, OPTION_SWITCH},
    {"keepidle", IPPROTO_TCP, TCP_KEEPIDLE, OPTION_NUMBER},
    {"keepintvl", IPPROTO_TCP, TCP_KEEPINTVL, OPTION_NUMBER},
    {"keepcnt", IPPROTO_TCP, TCP_KEEPCNT, OPTION_NUMBER},
    {"user-timeout", IPPROTO_TCP, TCP_USER_TIMEOUT, OPTION_NUMBER},
};

static const option_t *
option_check(lua_State *L, const char *method)
{
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2)
                                                     : NULL;

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (name != NULL && strcmp(name, options[i].name) == 0) {
            return &options[i];
        }
    }
    ql_bad_argument(L, 2, "option", method, "the name of a socket option");
    return NULL;
}

static const ql_sys_t *
system_of(const ql_conn_t *conn)
{
    return ql_loop_sys(conn->c->loop);
}

/* getoption(self, option) -> value | nil, err, CODE */
static int
connection_getoption(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "getoption");
    const option_t *option = option_check(L, "getoption");
    struct linger value = {0, 0};
    socklen_t size = sizeof(value);

    if (conn->handle.closed) {
        return ql_push_error(L, conn->handle.closed);
    }
    if (system_of(conn)->getsockopt(conn->c->fd, option->level, option->option,
                                    &value, &size)
        == -1)
    {
        return ql_push_error(L, errno);
    }
    if (option->kind == OPTION_SWITCH
        || (option->kind == OPTION_LINGER && !value.l_onoff))
    {
        lua_pushboolean(L, value.l_onoff);
    } else if (option->kind == OPTION_LINGER) {
        lua_pushinteger(L, value.l_linger);
    } else if (option->kind == OPTION_NUMBER) {
        lua_pushinteger(L, value.l_onoff);
    } else if (value.l_onoff != 0) {
        ql_push_error_text(L, value.l_onoff);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

/* The value at index 3 as setsockopt takes it (an int is the first member);
 * raises. Returns its size. */
static socklen_t
option_value(lua_State *L, const option_t *option, struct linger *value)
{
    if (option->kind == OPTION_SWITCH) {
        if (!lua_isboolean(L, 3)) {
            ql_bad_argument(L, 3, option->name, "setoption", "a boolean");
        }
        value->l_onoff = lua_toboolean(L, 3);
        return sizeof(int);
    }
    if (option->kind == OPTION_NUMBER) {
        value->l_onoff = (int) ql_check_whole(L, 3, option->name, "setoption",
                                              0, INT32_MAX);
        return sizeof(int);
    }
    if (option->kind == OPTION_ERROR) {
        ql_raise(L, "bad argument 'option' to 'setoption' ('error' can only "
                    "be read)");
    }
    if (lua_type(L, 3) == LUA_TBOOLEAN && !lua_toboolean(L, 3)) {
        value->l_onoff = 0;
        value->l_linger = 0;
    } else {
        value->l_onoff = 1;
        value->l_linger = (int) ql_check_whole(L, 3, "linger", "setoption", 0,
                                               INT16_MAX);
    }
    return sizeof(*value);
}

/* setoption(self, option, value) -> true | nil, err, CODE */
static int
connection_setoption(lua_State *L)
{
    ql_conn_t *conn = ql__connection_check(L, 1, "setoption");
    const option_t *option = option_check(L, "setoption");
    struct linger value;
    socklen_t size = option_value(L, option, &value);

    if (conn->handle.closed) {
        return ql_push_error(L, conn->handle.closed);
    }
    if (system_of(conn)->setsockopt(conn->c->fd, option->level, option->option,
                                    &value, size)
        == -1)
    {
        return ql_push_error(L, errno);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* ------------------------------------------------------------ names ---- */

/* "10.0.0.1", 80; "unix:/path" */
static int
push_name(lua_State *L, const ql_sockaddr_t *name)
{
    char text[QL_SOCKADDR_STRLEN];

    switch (name->u.sa.sa_family) {
    case AF_INET:
        lua_pushstring(
            L, inet_ntop(AF_INET, &name->u.in.sin_addr, text, sizeof(text)));
        lua_pushinteger(L, ntohs(name->u.in.sin_port));
        return 2;
    case AF_INET6:
        lua_pushstring(
            L, inet_ntop(AF_INET6, &name->u.in6.sin6_addr, text, sizeof(text)));
        lua_pushinteger(L, ntohs(name->u.in6.sin6_port));
        return 2;
    default:
        lua_pushstring(L, ql_sockaddr_text(&name->u.sa, name->len, text));
        return 1;
    }
}

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
    return push_name(L, &name);
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
    return push_name(L, &name);
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
