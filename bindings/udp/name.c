/*
 * name.c: addresses of datagrams, from scripts and to them.
 */
#include "udp.h"

#include "core/sys.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------ from scripts ---- */

static bool
parse_ipv4(const char *text, int port, ql_sockaddr_t *addr)
{
    struct sockaddr_in *in = &addr->u.in;

    if (inet_pton(AF_INET, text, &in->sin_addr) != 1) {
        return false;
    }
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t) port);
    addr->len = sizeof(*in);
    return true;
}

/* "fe80::1%eth0", "fe80::1%2": a link-local address needs its interface. */
static bool
parse_ipv6(const char *text, int port, ql_sockaddr_t *addr)
{
    const char *scope = strchr(text, '%');
    size_t len = scope != NULL ? (size_t) (scope - text) : strlen(text);
    struct sockaddr_in6 *in6 = &addr->u.in6;
    char host[INET6_ADDRSTRLEN];

    if (len >= sizeof(host)) {
        return false;
    }
    memcpy(host, text, len);
    host[len] = '\0';
    if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1) {
        return false;
    }
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons((uint16_t) port);
    addr->len = sizeof(*in6);
    if (scope != NULL) {
        in6->sin6_scope_id = if_nametoindex(scope + 1);
        if (in6->sin6_scope_id == 0) {
            in6->sin6_scope_id = (uint32_t) strtoul(scope + 1, NULL, 10);
        }
        return in6->sin6_scope_id != 0;
    }
    return true;
}

/* An IP address and its port, as one text for the parser of all the others. */
static int
parse_host(lua_State *L, int arg, const char *method, int port,
           ql_sockaddr_t *addr)
{
    const char *text = lua_tostring(L, arg);

    memset(addr, 0, sizeof(*addr));
    if (parse_ipv4(text, port, addr) || parse_ipv6(text, port, addr)) {
        return NGX_OK;
    }
    lua_pushfstring(L, "%s:%d", text, port);
    lua_replace(L, arg);
    return ql__check_address(L, arg, "address", method, addr);
}

/* An IPv4 address as an IPv6 socket knows it. */
static void
map_ipv4(ql_sockaddr_t *addr)
{
    struct sockaddr_in in = addr->u.in;
    struct sockaddr_in6 *in6 = &addr->u.in6;

    memset(in6, 0, sizeof(*in6));
    in6->sin6_family = AF_INET6;
    in6->sin6_port = in.sin_port;
    in6->sin6_addr.s6_addr[10] = 0xff;
    in6->sin6_addr.s6_addr[11] = 0xff;
    memcpy(&in6->sin6_addr.s6_addr[12], &in.sin_addr, sizeof(in.sin_addr));
    addr->len = sizeof(*in6);
}

/* NGX_ERROR with errno. */
static int
suit(ql_udp_t *u, ql_sockaddr_t *addr)
{
    int theirs = addr->u.sa.sa_family, ours = u->c->peer.sa.sa_family;

    if (theirs != ours && u->automatic) {
        if (ql__udp_open_socket(u, theirs) != NGX_OK) {
            return NGX_ERROR;
        }
    } else if (theirs == AF_INET && ours == AF_INET6) {
        map_ipv4(addr);
    }
    u->automatic = 0;
    return NGX_OK;
}

int
ql__udp_address(lua_State *L, int arg, ql_udp_t *u, const char *method,
                ql_sockaddr_t *addr)
{
    int rc, port;

    if (lua_type(L, arg) != LUA_TSTRING) {
        ql_bad_argument(L, arg, "address", method, "an address");
    }
    if (lua_isnoneornil(L, arg + 1)
        || strlen(lua_tostring(L, arg)) != lua_objlen(L, arg))
    {
        rc = ql__check_address(L, arg, "address", method, addr);
    } else {
        port = (int) ql_check_whole(L, arg + 1, "port", method, 0, 65535);
        rc = parse_host(L, arg, method, port, addr);
    }
    if (rc != NGX_OK) {
        return NGX_ERROR; /* whichever: it has pushed why */
    }
    if (!u->handle.closed && suit(u, addr) != NGX_OK) {
        ql_push_error(L, errno);
        return NGX_ERROR;
    }
    return NGX_OK;
}

/* --------------------------------------------------------- to scripts ---- */

int
ql__udp_push_address(lua_State *L, const ql_sockaddr_t *addr)
{
    if (addr->len <= sizeof(sa_family_t)) {
        lua_pushnil(L);
        lua_pushnil(L);
    } else if (ql__push_address(L, addr) == 1) {
        lua_pushnil(L);
    }
    return 2;
}

typedef int (*name_call_pt)(int fd, struct sockaddr *sa, socklen_t *len);

static int
push_name(lua_State *L, const ql_udp_t *u, name_call_pt call)
{
    ql_sockaddr_t name = {.len = sizeof(name.u)};

    if (call(u->c->fd, &name.u.sa, &name.len) == -1) {
        return ql_push_error(L, errno);
    }
    return ql__udp_push_address(L, &name);
}

/* getsockname(self) -> address, port | nil, err, CODE */
static int
udp_getsockname(lua_State *L)
{
    const ql_udp_t *u = ql__udp_check(L, 1, "getsockname");

    return u->handle.closed
             ? ql_push_error(L, u->handle.closed)
             : push_name(L, u, ql_loop_sys(u->c->loop)->getsockname);
}

/* getpeername(self) -> address, port | nil, err, CODE */
static int
udp_getpeername(lua_State *L)
{
    const ql_udp_t *u = ql__udp_check(L, 1, "getpeername");

    return u->handle.closed
             ? ql_push_error(L, u->handle.closed)
             : push_name(L, u, ql_loop_sys(u->c->loop)->getpeername);
}

/* getfd(self) -> descriptor | nil, err, CODE */
static int
udp_getfd(lua_State *L)
{
    ql_udp_t *u = ql__udp_check(L, 1, "getfd");

    if (u->handle.closed) {
        return ql_push_error(L, u->handle.closed);
    }
    u->automatic = 0;
    lua_pushinteger(L, u->c->fd);
    return 1;
}

const luaL_Reg ql__udp_name_functions[] = {{"getsockname", udp_getsockname},
                                           {"getpeername", udp_getpeername},
                                           {"getfd", udp_getfd},
                                           {NULL, NULL}};
