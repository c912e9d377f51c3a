/*
 * module.c: the module quoll.core.dns: a resolver is a channel with the
 * settings that it was made with.
 */
#include "dns.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A state that closes may have ended its loop before. */
static void
resolver_close(ql_handle_t *h, int err)
{
    ql_resolver_t *r = ql_queue_data(h, ql_resolver_t, handle);

    (void) err;
    r->channel.loop = ql_lua_loop(h->lua);
    ql__dns_done(&r->channel);
}

const ql_handle_type_t ql__resolver_type = {"resolver", resolver_close, NULL};

static ql_lua_t *
upvalue(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* new(servers, timeout, tries, rotate, edns) -> resolver. servers: "ip:port,
 * ...", timeout in s. */
static int
resolver_new(lua_State *L)
{
    ql_lua_t *lua = upvalue(L);
    ql_loop_t *loop = ql_check_loop(L, lua);
    size_t size;
    const char *servers = luaL_checklstring(L, 1, &size);
    lua_Number timeout = luaL_checknumber(L, 2) * 1e3;
    int tries = (int) luaL_checkinteger(L, 3);
    ql_resolver_t *r;

    luaL_argcheck(L, size < QL_DNS_SERVERS_MAX, 1, "too many servers");
    luaL_argcheck(L, timeout >= 1 && timeout <= INT_MAX / 1024, 2, "bad time");
    luaL_argcheck(L, tries >= 1 && tries <= 10, 3, "bad number");
    r = ql_handle_new(L, lua, &ql__resolver_type, sizeof(*r));
    ql__dns_init(&r->channel, loop);
    memcpy(r->channel.conf.servers, servers, size + 1);
    r->channel.conf.timeout = (int) timeout;
    r->channel.conf.tries = tries;
    r->channel.conf.rotate = lua_toboolean(L, 4);
    r->channel.conf.edns = lua_toboolean(L, 5);
    ql_handle_open(&r->handle);
    ql_handle_own(&r->handle, NULL);
    return 1;
}

/* stats(resolver) -> queries, shared, failed, cancelled */
static int
resolver_stats(lua_State *L)
{
    ql_resolver_t *r = ql_handle_check(L, 1, &ql__resolver_type, "stats");
    const ql_dns_stats_t *stats = &r->channel.stats;

    lua_pushnumber(L, (lua_Number) stats->queries);
    lua_pushnumber(L, (lua_Number) stats->shared);
    lua_pushnumber(L, (lua_Number) stats->failed);
    lua_pushnumber(L, (lua_Number) stats->cancelled);
    return 4;
}

/* family(text) -> "inet" | "inet6", packed | nil: no IP address */
static int
dns_family(lua_State *L)
{
    const char *text = luaL_checkstring(L, 1);
    char address[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, text, address) == 1) {
        lua_pushliteral(L, "inet");
        lua_pushlstring(L, address, sizeof(struct in_addr));
        return 2;
    }
    if (inet_pton(AF_INET6, text, address) == 1) {
        lua_pushliteral(L, "inet6");
        lua_pushlstring(L, address, sizeof(struct in6_addr));
        return 2;
    }
    lua_pushnil(L);
    return 1;
}

static void
push_address(lua_State *L, const ql_sockaddr_t *addr)
{
    char text[INET6_ADDRSTRLEN] = "";

    if (addr->u.sa.sa_family == AF_INET) {
        (void) inet_ntop(AF_INET, &addr->u.in.sin_addr, text, sizeof(text));
    } else {
        (void) inet_ntop(AF_INET6, &addr->u.in6.sin6_addr, text, sizeof(text));
    }
    lua_pushstring(L, text);
}

static void
check_address(lua_State *L, int i, ql_sockaddr_t *addr)
{
    const char *text;

    lua_rawgeti(L, 1, i);
    text = lua_tostring(L, -1);
    memset(addr, 0, sizeof(*addr));
    if (text != NULL && inet_pton(AF_INET, text, &addr->u.in.sin_addr) == 1) {
        addr->u.in.sin_family = AF_INET;
        addr->len = sizeof(addr->u.in);
    } else if (text != NULL
               && inet_pton(AF_INET6, text, &addr->u.in6.sin6_addr) == 1)
    {
        addr->u.in6.sin6_family = AF_INET6;
        addr->len = sizeof(addr->u.in6);
    } else {
        luaL_argerror(L, 1, "no IP address");
    }
    lua_pop(L, 1);
}

/* sort(addresses): best first, in place; the array holds IP addresses. */
static int
dns_sort(lua_State *L)
{
    ql_loop_t *loop = ql_check_loop(L, upvalue(L));
    size_t n = lua_objlen(L, 1), i;
    ql_sockaddr_t *addrs = lua_newuserdata(L, (n + 1) * sizeof(*addrs));

    for (i = 0; i < n; i++) {
        check_address(L, (int) i + 1, &addrs[i]);
    }
    if (ql_sockaddr_sort(loop, addrs, n) != NGX_OK) {
        return 0; /* in the order in which they came */
    }
    for (i = 0; i < n; i++) {
        push_address(L, &addrs[i]);
        lua_rawseti(L, 1, (int) i + 1);
    }
    return 0;
}

QL_API int luaopen_quoll_core_dns(lua_State *L);

int
luaopen_quoll_core_dns(lua_State *L)
{
    static const luaL_Reg fns[] = {{"new", resolver_new},
                                   {"stats", resolver_stats},
                                   {"query", ql__dns_query},
                                   {"parse", ql__dns_parse},
                                   {"family", dns_family},
                                   {"sort", dns_sort},
                                   {NULL, NULL}};

    if (ares_library_init(ARES_LIB_INIT_NONE) != ARES_SUCCESS) {
        return luaL_error(L, "c-ares cannot be initialized");
    }
    lua_createtable(L, 0, 6);
    lua_pushlightuserdata(L, ql_lua_open(L));
    luaL_setfuncs(L, fns, 1);
    return 1;
}
