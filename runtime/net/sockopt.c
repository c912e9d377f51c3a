/*
 * sockopt.c: options of sockets. What a listener has, the connections that it
 * accepts inherit: no call per connection.
 */
#include "../core/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>

int
ql__set_sockopts(ql_loop_t *loop, int fd, const ql_sockopt_t *list, unsigned n,
                 int level)
{
    const ql_sockopt_t *o;

    for (o = list; o != list + n; o++) {
        if (loop->sys->setsockopt(fd, o->level, o->name, &o->value, o->size)
            == -1) {
            ql_log_error(loop, level, errno, "setsockopt(%d, %d) failed",
                         o->level, o->name);
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}

static int
set_switch(ql_loop_t *loop, int fd, int level, int name, int value)
{
    ql_sockopt_t o = {level, name, sizeof(value), {value}};

    return ql__set_sockopts(loop, fd, &o, 1, QL_LOG_ERR);
}

/* Options of TCP that are off unless they are asked for. */
static int
set_asked(ql_loop_t *loop, int fd, int family, const ql_listen_opts_t *opts)
{
    bool v6 = family == AF_INET6;
    const ql_sockopt_t list[] = {
        {SOL_SOCKET, SO_REUSEPORT, sizeof(int), {opts->reuseport}},
        {IPPROTO_TCP, TCP_DEFER_ACCEPT, sizeof(int), {opts->deferred}},
        {IPPROTO_TCP, TCP_FASTOPEN, sizeof(int), {opts->fastopen}},
        {v6 ? IPPROTO_IPV6 : IPPROTO_IP,
         v6 ? IPV6_FREEBIND : IP_FREEBIND,
         sizeof(int),
         {opts->freebind}},
        {v6 ? IPPROTO_IPV6 : IPPROTO_IP,
         v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT,
         sizeof(int),
         {opts->transparent}},
    };
    const ql_sockopt_t *o;

    for (o = list; o != list + sizeof(list) / sizeof(*list); o++) {
        if (o->value.number != 0
            && ql__set_sockopts(loop, fd, o, 1, QL_LOG_ERR) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}

/* IPV6_V6ONLY always: its default is the machine's. */
int
ql__listen_options(ql_loop_t *loop, int fd, int family,
                   const ql_listen_opts_t *opts)
{
    if (family != AF_UNIX
        && (set_switch(loop, fd, SOL_SOCKET, SO_REUSEADDR, 1) != NGX_OK
            || set_switch(loop, fd, IPPROTO_TCP, TCP_NODELAY, 1) != NGX_OK
            || set_asked(loop, fd, family, opts) != NGX_OK))
    {
        return NGX_ERROR;
    }
    if (family == AF_INET6
        && set_switch(loop, fd, IPPROTO_IPV6, IPV6_V6ONLY, opts->v6only)
               != NGX_OK)
    {
        return NGX_ERROR;
    }
    return ql__set_sockopts(loop, fd, opts->options, opts->noptions,
                            QL_LOG_ERR);
}

int
ql__socket_option(const ql_sys_t *sys, int fd, int name)
{
    int value = 0;
    socklen_t size = sizeof(value);

    return sys->getsockopt(fd, SOL_SOCKET, name, &value, &size) == -1 ? -1
                                                                      : value;
}

int
ql__socket_listens(ql_loop_t *loop, int fd)
{
    int type = ql__socket_option(loop->sys, fd, SO_TYPE);
    int listens = type == -1 ? -1
                             : ql__socket_option(loop->sys, fd, SO_ACCEPTCONN);

    if (listens == -1) {
        return NGX_ERROR;
    }
    if (type != SOCK_STREAM || listens != 1) {
        errno = EINVAL;
        return NGX_ERROR;
    }
    if (loop->sys->fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) {
        return NGX_ERROR;
    }
    return ql__set_nonblocking(loop->sys, fd);
}
