/*
 * address.c: addresses as scripts write them and read them.
 */
#include "../stream/connection.h"

#include <arpa/inet.h>
#include <string.h>

int
ql__check_address(lua_State *L, int arg, const char *name, const char *method,
                  ql_sockaddr_t *addr)
{
    const char *err = "it has a zero byte";
    const char *text;
    size_t size;
    int rc = NGX_ERROR;

    if (lua_type(L, arg) != LUA_TSTRING) {
        ql_bad_argument(L, arg, name, method, "an address");
    }
    text = lua_tolstring(L, arg, &size);
    if (strlen(text) == size) {
        rc = ql_sockaddr_parse(text, addr, &err);
    }
    if (rc == NGX_DECLINED) {
        ql_push_error(L, QL_E_NOT_FOUND);
        return NGX_ERROR;
    }
    if (rc == NGX_ERROR) {
        lua_pushnil(L);
        lua_pushfstring(L, "bad address '%s': %s", text, err);
        lua_pushliteral(L, "EINVAL");
    }
    return rc;
}

static void
push_ipv6(lua_State *L, const struct sockaddr_in6 *in6)
{
    char text[INET6_ADDRSTRLEN];

    (void) inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
    if (in6->sin6_scope_id != 0) {
        lua_pushfstring(L, "%s%%%d", text, (int) in6->sin6_scope_id);
    } else {
        lua_pushstring(L, text);
    }
}

int
ql__push_address(lua_State *L, const ql_sockaddr_t *addr)
{
    char text[QL_SOCKADDR_STRLEN];

    switch (addr->u.sa.sa_family) {
    case AF_INET:
        (void) inet_ntop(AF_INET, &addr->u.in.sin_addr, text, sizeof(text));
        lua_pushstring(L, text);
        lua_pushinteger(L, ntohs(addr->u.in.sin_port));
        return 2;
    case AF_INET6:
        push_ipv6(L, &addr->u.in6);
        lua_pushinteger(L, ntohs(addr->u.in6.sin6_port));
        return 2;
    default:
        lua_pushstring(L, ql_sockaddr_text(&addr->u.sa, addr->len, text));
        return 1;
    }
}
