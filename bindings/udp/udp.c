/*
 * udp.c: the life of a datagram socket: made, bound, given a peer, closed.
 */
#include "udp.h"

#include "core/sys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void
udp_close(ql_handle_t *h, int err)
{
    ql_udp_t *u = (ql_udp_t *) h;

    if (u->selector != NULL) {
        ql_select_ready(u->selector);
    }
    ql_op_end(&u->rop, err);
    ql_op_end(&u->wop, err);
    if (!u->rop.pushing) {
        ql_buffer_release(&u->core->buffers, &u->in);
    }
    ql_udp_close(u->c);
    u->c = NULL;
}

/* A push that raised leaves datagrams behind. */
static void
udp_collect(ql_handle_t *h)
{
    ql_udp_t *u = (ql_udp_t *) h;

    ql_buffer_release(&u->core->buffers, &u->in);
}

const ql_handle_type_t ql__udp_type = {"udp", udp_close, udp_collect};

void
ql__udp_describe(const ql_udp_t *u, const char *verb, char *text, size_t size)
{
    ql_sockaddr_t name = {.len = sizeof(name.u)};
    char address[QL_SOCKADDR_STRLEN];

    (void) ql_loop_sys(u->c->loop)
        ->getsockname(u->c->fd, &name.u.sa, &name.len);
    (void) snprintf(text, size, "%s %s (fd %d)", verb,
                    ql_sockaddr_text(&name.u.sa, name.len, address), u->c->fd);
}

int
ql__udp_open_socket(ql_udp_t *u, int family)
{
    const ql_sockaddr_t nameless = {.u.sa.sa_family = AF_UNIX,
                                    .len = sizeof(sa_family_t)};
    ql_connection_t *c = ql_udp_open(ql_lua_loop(u->core->lua), family);

    if (c == NULL) {
        return NGX_ERROR;
    }
    if (u->c != NULL) {
        /* An answer needs somewhere to go. */
        if (family == AF_UNIX && ql_udp_bind(c, &nameless) != NGX_OK) {
            ql_udp_close(c);
            return NGX_ERROR;
        }
        ql_udp_close(u->c);
    }
    u->c = c;
    c->data = u;
    return NGX_OK;
}

/* --------------------------------------------------------- functions ---- */

/* The family of the address, or of its name, at index 1; 0: not given. */
static int
check_family(lua_State *L)
{
    static const struct {
        const char *name;
        int family;
    } families[] = {{"ipv4", AF_INET}, {"ipv6", AF_INET6}, {"unix", AF_UNIX}};
    const char *name = lua_tostring(L, 1);

    if (name == NULL) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        if (strcmp(name, families[i].name) == 0) {
            return families[i].family;
        }
    }
    return ql_bad_argument(L, 1, "family", "udp", "'ipv4', 'ipv6' or 'unix'");
}

static ql_udp_t *
udp_new(lua_State *L, ql_core_t *core)
{
    ql_udp_t *u = ql_handle_new(L, core->lua, &ql__udp_type, sizeof(*u));

    u->core = core;
    ql_op_init(&u->rop, NULL, core->lua);
    ql_op_init(&u->wop, NULL, core->lua);
    return u;
}

/* open([family]) -> udp | nil, err, CODE */
static int
core_open(lua_State *L)
{
    ql_core_t *core = ql_core(L);
    int family = check_family(L);
    ql_udp_t *u;

    if (ql_lua_ready(core->lua, L) == NULL) {
        return ql_push_error(L, errno);
    }
    u = udp_new(L, core);
    u->automatic = family == 0;
    if (ql__udp_open_socket(u, family != 0 ? family : AF_INET) != NGX_OK) {
        return ql_push_error(L, errno);
    }
    ql_handle_open(&u->handle);
    return 1;
}

/* adopt(fd) -> udp | nil, err, CODE; then fd is still the caller's */
static int
core_adopt(lua_State *L)
{
    ql_core_t *core = ql_core(L);
    int fd = (int) ql_check_whole(L, 1, "fd", "udp", 0, INT32_MAX);
    ql_loop_t *loop = ql_lua_ready(core->lua, L);
    ql_sockaddr_t peer = {.len = sizeof(peer.u)};
    ql_udp_t *u;

    if (loop == NULL) {
        return ql_push_error(L, errno);
    }
    u = udp_new(L, core);
    u->c = ql_udp_adopt(loop, fd);
    if (u->c == NULL) {
        return ql_push_error(L, errno);
    }
    u->c->data = u;
    u->connected = ql_loop_sys(loop)->getpeername(fd, &peer.u.sa, &peer.len)
                == 0;
    ql_handle_open(&u->handle);
    return 1;
}

/* bind(self, address) -> true | nil, err, CODE; "unix:" gets a name. */
static int
udp_bind(lua_State *L)
{
    ql_udp_t *u = ql__udp_check(L, 1, "bind");
    ql_sockaddr_t addr = {.u.sa.sa_family = AF_UNIX,
                          .len = sizeof(sa_family_t)};
    const char *text = lua_tostring(L, 2);

    if (u->handle.closed) {
        return ql_push_error(L, u->handle.closed);
    }
    if ((text == NULL || strcmp(text, "unix:") != 0)
        && ql__check_address(L, 2, "bind", "udp", &addr) != NGX_OK)
    {
        return 3;
    }
    if (ql_udp_bind(u->c, &addr) != NGX_OK) {
        return ql_push_error(L, errno);
    }
    lua_pushboolean(L, 1);
    return 1;
}

static bool
is_star(lua_State *L, int arg)
{
    return lua_type(L, arg) == LUA_TSTRING
        && strcmp(lua_tostring(L, arg), "*") == 0;
}

/* setpeername(self, address, [port]) -> true | nil, err, CODE; "*": none */
static int
udp_setpeername(lua_State *L)
{
    ql_udp_t *u = ql__udp_check(L, 1, "setpeername");
    bool nobody = is_star(L, 2);
    ql_sockaddr_t addr;

    if (u->handle.closed) {
        return ql_push_error(L, u->handle.closed);
    }
    if (!nobody && ql__udp_address(L, 2, u, "setpeername", &addr) != NGX_OK) {
        return 3;
    }
    if (ql_udp_connect(u->c, nobody ? NULL : &addr) != NGX_OK) {
        return ql_push_error(L, errno);
    }
    u->connected = !nobody;
    lua_pushboolean(L, 1);
    return 1;
}

/* settimeout(self, [s]): of each wait of receives and sends. */
static int
udp_settimeout(lua_State *L)
{
    ql_udp_t *u = ql__udp_check(L, 1, "settimeout");

    u->rop.timeout = ql_check_timeout(L, 2, "timeout", "settimeout");
    u->wop.timeout = u->rop.timeout;
    return 0;
}

void
ql__open_udp(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg fns[] = {{"open", core_open},
                                   {"adopt", core_adopt},
                                   {"bind", udp_bind},
                                   {"setpeername", udp_setpeername},
                                   {"settimeout", udp_settimeout},
                                   {NULL, NULL}};

    ql__open_methods(L, &ql__udp_type);
    ql_handle_selectable(L, &ql__udp_type, &ql__udp_select);
    lua_newtable(L);
    ql_core_register(L, core, fns);
    ql_core_register(L, core, ql__udp_receive_functions);
    ql_core_register(L, core, ql__udp_send_functions);
    ql_core_register(L, core, ql__udp_sendmany_functions);
    ql_core_register(L, core, ql__udp_name_functions);
    ql_core_register(L, core, ql__udp_option_functions);
    ql_core_register(L, core, ql__udp_multicast_functions);
    lua_setfield(L, -2, "udp");
}
