/*
 * listen.c: the options of quoll.listen.
 */
#include "listen.h"

/* 0 when it is not given. */
static int64_t
option_whole(lua_State *L, int arg, const char *name, int64_t min, int64_t max)
{
    int64_t n = 0;

    lua_getfield(L, arg, name);
    if (!lua_isnil(L, -1)) {
        n = ql_check_whole(L, lua_gettop(L), name, "listen", min, max);
    }
    lua_pop(L, 1);
    return n;
}

static bool
option_given(lua_State *L, int arg, const char *name)
{
    bool given;

    lua_getfield(L, arg, name);
    given = !lua_isnil(L, -1);
    lua_pop(L, 1);
    return given;
}

/* Of a unix socket that has a file; -1 leaves user or group as it is. */
static void
file_options(lua_State *L, int arg, ql_listen_opts_t *opts)
{
    bool uid = option_given(L, arg, "uid"), gid = option_given(L, arg, "gid");

    opts->mode = (unsigned) option_whole(L, arg, "permissions", 1, 0777);
    opts->owned = uid || gid;
    opts->uid = uid ? (uid_t) option_whole(L, arg, "uid", 0, UINT32_MAX - 1)
                    : (uid_t) -1;
    opts->gid = gid ? (gid_t) option_whole(L, arg, "gid", 0, UINT32_MAX - 1)
                    : (gid_t) -1;
}

static void
refuse_options(lua_State *L, int arg, const char *const *names, const char *why)
{
    for (; *names != NULL; names++) {
        if (option_given(L, arg, *names)) {
            ql_raise(L, "bad argument 'options' to 'listen' ('%s' is for %s)",
                     *names, why);
        }
    }
}

static void
socket_options(lua_State *L, int arg, int family, ql_listen_opts_t *opts,
               ql_sockopt_t *list)
{
    opts->reuseport = ql_field_flag(L, arg, "reuseport");
    opts->v6only = ql_field_flag(L, arg, "v6only");
    opts->freebind = ql_field_flag(L, arg, "freebind");
    opts->transparent = ql_field_flag(L, arg, "transparent");
    opts->deferred = (int) option_whole(L, arg, "deferred", 0, INT16_MAX);
    opts->fastopen = (int) option_whole(L, arg, "fastopen", 0, INT32_MAX);
    lua_getfield(L, arg, "options");
    if (!lua_isnil(L, -1)) {
        opts->noptions = ql__check_sockopts(L, lua_gettop(L), "listen", family,
                                            list);
    }
    lua_pop(L, 1);
}

void
ql__check_listen_opts(lua_State *L, int arg, const ql_listen_from_t *from,
                      ql_listen_opts_t *opts, ql_sockopt_t *list)
{
    static const char *const of_files[] = {"permissions", "uid", "gid", NULL};
    static const char *const of_sockets[] = {
        "permissions", "uid",      "gid",         "reuseport",
        "v6only",      "freebind", "transparent", "deferred",
        "fastopen",    "options",  NULL};
    int family = from->addr.u.sa.sa_family;

    opts->backlog = (int) option_whole(L, arg, "backlog", 1, INT32_MAX);
    opts->exclusive = ql_field_flag(L, arg, "exclusive");
    opts->max_connections = (uint32_t) option_whole(L, arg, "max_connections",
                                                    1, UINT32_MAX);
    opts->max_per_peer = (uint32_t) option_whole(L, arg, "max_per_peer", 1,
                                                 UINT32_MAX);
    if (from->fd != -1) {
        refuse_options(L, arg, of_sockets, "who opens the socket");
        return;
    }
    if (family != AF_UNIX || from->addr.u.un.sun_path[0] == '\0') {
        refuse_options(L, arg, of_files, "unix sockets with a path");
    }
    file_options(L, arg, opts);
    socket_options(L, arg, family, opts, list);
}
