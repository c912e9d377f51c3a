/*
 * multicast.c: the groups that a socket hears: of IPv4 and IPv6 by the same
 * calls, from everybody or from one source.
 */
#include "udp.h"

#include "core/sys.h"

#include <errno.h>
#include <string.h>

/* The IP address (a string) at index arg, without a port. NGX_OK, or NGX_ERROR
 * with nil, err, CODE pushed; raises. */
static int
check_ip(lua_State *L, int arg, ql_udp_t *u, const char *method,
         struct sockaddr_storage *to)
{
    int top = lua_gettop(L);
    ql_sockaddr_t addr;

    lua_pushvalue(L, arg);
    lua_pushinteger(L, 0);
    if (ql__udp_address(L, top + 1, u, method, &addr) != NGX_OK) {
        return NGX_ERROR;
    }
    lua_settop(L, top);
    memset(to, 0, sizeof(*to));
    memcpy(to, &addr.u, addr.len);
    return NGX_OK;
}

/* One call for two kernel structs: option with a source, or one without. */
static int
set_membership(lua_State *L, const ql_udp_t *u,
               const struct group_source_req *req, int option, bool sourced)
{
    struct group_req any = {.gr_interface = req->gsr_interface,
                            .gr_group = req->gsr_group};
    int level = req->gsr_group.ss_family == AF_INET6 ? IPPROTO_IPV6
                                                     : IPPROTO_IP;
    const void *value = sourced ? (const void *) req : &any;
    socklen_t size = sourced ? sizeof(*req) : sizeof(any);

    if (ql_loop_sys(u->c->loop)
            ->setsockopt(u->c->fd, level, option, value, size)
        == -1)
    {
        return ql_push_error(L, errno);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* (self, group, [interface], [source]) */
static int
change(lua_State *L, const char *method, int any, int from_source)
{
    ql_udp_t *u = ql__udp_check(L, 1, method);
    struct group_source_req req;
    bool sourced = !lua_isnoneornil(L, 4);
    int interface = ql__udp_interface(L, 3, method);

    memset(&req, 0, sizeof(req));
    if (interface == -1 || check_ip(L, 2, u, method, &req.gsr_group) != NGX_OK
        || (sourced && check_ip(L, 4, u, method, &req.gsr_source) != NGX_OK))
    {
        return 3;
    }
    if (u->handle.closed) {
        return ql_push_error(L, u->handle.closed);
    }
    req.gsr_interface = (uint32_t) interface;
    return set_membership(L, u, &req, sourced ? from_source : any, sourced);
}

/* join(self, group, [interface], [source]) -> true | nil, err, CODE */
static int
udp_join(lua_State *L)
{
    return change(L, "join", MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP);
}

/* leave(self, group, [interface], [source]) -> true | nil, err, CODE */
static int
udp_leave(lua_State *L)
{
    return change(L, "leave", MCAST_LEAVE_GROUP, MCAST_LEAVE_SOURCE_GROUP);
}

const luaL_Reg ql__udp_multicast_functions[] = {
    {"join", udp_join}, {"leave", udp_leave}, {NULL, NULL}};
