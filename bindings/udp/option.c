/*
 * option.c: options of a datagram socket. Many have one name and two numbers,
 * for IPv4 and for IPv6.
 */
#include "udp.h"

#include "core/sys.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

typedef enum {
    OPTION_SWITCH,    /* boolean */
    OPTION_NUMBER,    /* whole, 0 or more */
    OPTION_INTERFACE, /* write only: a name or a number */
    OPTION_ERROR      /* read only: the pending error, cleared: text or nil */
} option_kind_t;

typedef struct {
    const char *name;
    option_kind_t kind;
    int level, option;   /* of IPv4 sockets, or of all */
    int level6, option6; /* of IPv6 ones; level6 0: the same */
} option_t;

static const option_t options[] = {
    {"broadcast", OPTION_SWITCH, SOL_SOCKET, SO_BROADCAST, 0, 0},
    {"reuseaddr", OPTION_SWITCH, SOL_SOCKET, SO_REUSEADDR, 0, 0},
    {"reuseport", OPTION_SWITCH, SOL_SOCKET, SO_REUSEPORT, 0, 0},
    {"dontroute", OPTION_SWITCH, SOL_SOCKET, SO_DONTROUTE, 0, 0},
    {"sndbuf", OPTION_NUMBER, SOL_SOCKET, SO_SNDBUF, 0, 0},
    {"rcvbuf", OPTION_NUMBER, SOL_SOCKET, SO_RCVBUF, 0, 0},
    {"error", OPTION_ERROR, SOL_SOCKET, SO_ERROR, 0, 0},
    {"v6only", OPTION_SWITCH, IPPROTO_IPV6, IPV6_V6ONLY, 0, 0},
    {"ttl", OPTION_NUMBER, IPPROTO_IP, IP_TTL, IPPROTO_IPV6, IPV6_UNICAST_HOPS},
    {"tos", OPTION_NUMBER, IPPROTO_IP, IP_TOS, IPPROTO_IPV6, IPV6_TCLASS},
    {"multicast-ttl", OPTION_NUMBER, IPPROTO_IP, IP_MULTICAST_TTL, IPPROTO_IPV6,
     IPV6_MULTICAST_HOPS},
    {"multicast-loop", OPTION_SWITCH, IPPROTO_IP, IP_MULTICAST_LOOP,
     IPPROTO_IPV6, IPV6_MULTICAST_LOOP},
    {"multicast-interface", OPTION_INTERFACE, IPPROTO_IP, IP_MULTICAST_IF,
     IPPROTO_IPV6, IPV6_MULTICAST_IF},
};

/* What an option's number is for this socket. */
typedef struct {
    const option_t *of;
    int level, option;
} choice_t;

static choice_t
option_check(lua_State *L, const ql_udp_t *u, const char *method)
{
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2)
                                                     : NULL;

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        const option_t *o = &options[i];

        if (name != NULL && strcmp(name, o->name) == 0) {
            bool six = o->level6 != 0 && u->c != NULL
                    && u->c->peer.sa.sa_family == AF_INET6;

            return six ? (choice_t){o, o->level6, o->option6}
                       : (choice_t){o, o->level, o->option};
        }
    }
    ql_bad_argument(L, 2, "option", method, "the name of a socket option");
    return (choice_t){NULL, 0, 0};
}

/* getoption(self, option) -> value | nil, err, CODE */
static int
udp_getoption(lua_State *L)
{
    const ql_udp_t *u = ql__udp_check(L, 1, "getoption");
    choice_t choice = option_check(L, u, "getoption");
    int value = 0;
    socklen_t size = sizeof(value);

    if (choice.of->kind == OPTION_INTERFACE) {
        return ql_raise(L, "bad argument 'option' to 'getoption' "
                           "('multicast-interface' can only be set)");
    }
    if (u->handle.closed) {
        return ql_push_error(L, u->handle.closed);
    }
    if (ql_loop_sys(u->c->loop)
            ->getsockopt(u->c->fd, choice.level, choice.option, &value, &size)
        == -1)
    {
        return ql_push_error(L, errno);
    }
    if (choice.of->kind == OPTION_SWITCH) {
        lua_pushboolean(L, value);
    } else if (choice.of->kind == OPTION_NUMBER) {
        lua_pushinteger(L, value);
    } else if (value != 0) {
        ql_push_error_text(L, value);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

int
ql__udp_interface(lua_State *L, int arg, const char *method)
{
    unsigned index;

    if (lua_isnoneornil(L, arg)) {
        return 0;
    }
    if (lua_type(L, arg) == LUA_TNUMBER) {
        return (int) ql_check_whole(L, arg, "interface", method, 1, INT32_MAX);
    }
    if (lua_type(L, arg) != LUA_TSTRING) {
        return ql_bad_argument(L, arg, "interface", method,
                               "an interface's name or number");
    }
    index = if_nametoindex(lua_tostring(L, arg));
    if (index == 0) {
        ql_push_error(L, errno);
        return -1;
    }
    return (int) index;
}

/* The value at index 3 as an int; raises. -1: nil, err, CODE are pushed. */
static int
option_value(lua_State *L, const option_t *option)
{
    switch (option->kind) {
    case OPTION_SWITCH:
        if (!lua_isboolean(L, 3)) {
            ql_bad_argument(L, 3, option->name, "setoption", "a boolean");
        }
        return lua_toboolean(L, 3);
    case OPTION_NUMBER:
        return (int) ql_check_whole(L, 3, option->name, "setoption", 0,
                                    INT32_MAX);
    case OPTION_INTERFACE:
        return ql__udp_interface(L, 3, "setoption");
    default:
        return ql_raise(L, "bad argument 'option' to 'setoption' ('error' can "
                           "only be read)");
    }
}

/* setoption(self, option, value) -> true | nil, err, CODE */
static int
udp_setoption(lua_State *L)
{
    ql_udp_t *u = ql__udp_check(L, 1, "setoption");
    choice_t choice = option_check(L, u, "setoption");
    struct ip_mreqn interface = {.imr_ifindex = 0};
    int number = option_value(L, choice.of);
    const void *value = &number;
    socklen_t size = sizeof(number);

    if (number == -1) {
        return 3;
    }
    if (u->handle.closed) {
        return ql_push_error(L, u->handle.closed);
    }
    if (choice.option == IP_MULTICAST_IF && choice.level == IPPROTO_IP) {
        interface.imr_ifindex = number;
        value = &interface;
        size = sizeof(interface);
    }
    u->automatic = 0;
    if (ql_loop_sys(u->c->loop)
            ->setsockopt(u->c->fd, choice.level, choice.option, value, size)
        == -1)
    {
        return ql_push_error(L, errno);
    }
    lua_pushboolean(L, 1);
    return 1;
}

const luaL_Reg ql__udp_option_functions[] = {
    {"getoption", udp_getoption}, {"setoption", udp_setoption}, {NULL, NULL}};
