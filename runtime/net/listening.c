/*
 * listening.c: the making and the closing of listening sockets.
 */
#include "../core/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>

enum {
    DEFAULT_BACKLOG = 511
};

static int
set_option(ql_loop_t *loop, int fd, int level, int name, int value)
{
    if (loop->sys->setsockopt(fd, level, name, &value, sizeof(value)) == -1) {
        ql_log_error(loop, QL_LOG_ERR, errno, "setsockopt(%d, %d) failed",
                     level, name);
        return NGX_ERROR;
    }
    return NGX_OK;
}

/* TCP_NODELAY is inherited by what is accepted: no call per connection. */
static int
set_options(ql_loop_t *loop, int fd, int family, const ql_listen_opts_t *opts)
{
    if (family == AF_UNIX) {
        return NGX_OK;
    }
    if (set_option(loop, fd, SOL_SOCKET, SO_REUSEADDR, 1) != NGX_OK
        || set_option(loop, fd, IPPROTO_TCP, TCP_NODELAY, 1) != NGX_OK)
    {
        return NGX_ERROR;
    }
    if (opts->reuseport
        && set_option(loop, fd, SOL_SOCKET, SO_REUSEPORT, 1) != NGX_OK)
    {
        return NGX_ERROR;
    }
    if (family == AF_INET6) {
        return set_option(loop, fd, IPPROTO_IPV6, IPV6_V6ONLY, opts->v6only);
    }
    return NGX_OK;
}

/* A unix address with a path; others have no file. */
static const char *
socket_path(const ql_sockaddr_t *addr)
{
    if (addr->u.sa.sa_family != AF_UNIX || addr->u.un.sun_path[0] == '\0') {
        return NULL;
    }
    return addr->u.un.sun_path;
}

/* A socket's file on which nobody listens. connect(2) answers ECONNREFUSED
 * for any file, so its type is looked at first. */
static bool
is_stale_socket(ql_loop_t *loop, const ql_sockaddr_t *addr)
{
    const char *path = socket_path(addr);
    struct statx stx;
    int fd, err;

    if (path == NULL
        || loop->sys->statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE,
                            &stx)
               == -1
        || !S_ISSOCK(stx.stx_mode))
    {
        return false;
    }
    fd = loop->sys->socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                           0);
    if (fd == -1) {
        return false;
    }
    err = loop->sys->connect(fd, &addr->u.sa, addr->len) == -1 ? errno : 0;
    (void) loop->sys->close(fd);
    return err == ECONNREFUSED;
}

static int
bind_address(ql_loop_t *loop, int fd, const ql_sockaddr_t *addr)
{
    char text[QL_SOCKADDR_STRLEN];
    int err;

    if (loop->sys->bind(fd, &addr->u.sa, addr->len) == 0) {
        return NGX_OK;
    }
    err = errno;
    if (err == EADDRINUSE && is_stale_socket(loop, addr)
        && loop->sys->unlink(socket_path(addr)) == 0)
    {
        if (loop->sys->bind(fd, &addr->u.sa, addr->len) == 0) {
            return NGX_OK;
        }
        err = errno;
    }
    errno = err;
    ql_log_error(loop, QL_LOG_ERR, err, "bind() to %s failed",
                 ql_sockaddr_text(&addr->u.sa, addr->len, text));
    return NGX_ERROR;
}

/* Undoes a bind; errno is kept. */
static void
abandon(ql_loop_t *loop, int fd, const ql_sockaddr_t *bound)
{
    int err = errno;

    (void) loop->sys->close(fd);
    if (bound != NULL && socket_path(bound) != NULL) {
        (void) loop->sys->unlink(socket_path(bound));
    }
    errno = err;
}

/* A bound and listening descriptor, -1 with errno. */
static int
open_socket(ql_loop_t *loop, const ql_sockaddr_t *addr,
            const ql_listen_opts_t *opts)
{
    int family = addr->u.sa.sa_family, fd;

    fd = loop->sys->socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                           0);
    if (fd == -1) {
        ql_log_error(loop, QL_LOG_ERR, errno, "socket() failed");
        return -1;
    }
    if (set_options(loop, fd, family, opts) != NGX_OK
        || bind_address(loop, fd, addr) != NGX_OK)
    {
        abandon(loop, fd, NULL);
        return -1;
    }
    if (loop->sys->listen(fd, opts->backlog ? opts->backlog : DEFAULT_BACKLOG)
        == -1)
    {
        ql_log_error(loop, QL_LOG_ERR, errno, "listen() failed");
        abandon(loop, fd, addr);
        return -1;
    }
    return fd;
}

/* The struct for a listening descriptor, with the address it got. */
static ql_listening_t *
make_listening(ql_loop_t *loop, int fd, const ql_listen_opts_t *opts)
{
    ql_listening_t *ls = ql__alloc(loop, sizeof(*ls));

    if (ls == NULL) {
        errno = ENOMEM;
        ql_log_error(loop, QL_LOG_ERR, errno, "no memory for a listener");
        return NULL;
    }
    memset(ls, 0, sizeof(*ls));
    ls->loop = loop;
    ls->exclusive = opts->exclusive;
    ls->addr.len = sizeof(ls->addr.u);
    ql_queue_init(&ls->accepted);
    if (loop->sys->getsockname(fd, &ls->addr.u.sa, &ls->addr.len) == -1) {
        ql_log_error(loop, QL_LOG_ERR, errno, "getsockname() failed");
        goto failed;
    }
    ls->connection = ql_get_connection(loop, fd);
    if (ls->connection == NULL) {
        goto failed;
    }
    ls->connection->listening = ls;
    ls->connection->read.handler = ql_event_accept;
    ls->connection->read.accept = 1;
    return ls;

failed:
    ql__free(loop, ls);
    return NULL;
}

ql_listening_t *
ql_listen(ql_loop_t *loop, const ql_sockaddr_t *addr,
          const ql_listen_opts_t *opts)
{
    static const ql_listen_opts_t defaults;
    ql_listening_t *ls;
    int err, fd;

    if (opts == NULL) {
        opts = &defaults;
    }
    fd = open_socket(loop, addr, opts);
    if (fd == -1) {
        return NULL;
    }
    ls = make_listening(loop, fd, opts);
    if (ls == NULL) {
        goto failed;
    }
    if (loop->actions->add(loop, &ls->connection->read, QL_READ_EVENT,
                           ls->exclusive ? QL_EXCLUSIVE_EVENT : QL_LEVEL_EVENT)
        != NGX_OK)
    {
        goto failed_add;
    }
    ql_queue_insert_tail(&loop->listenings, &ls->link);
    return ls;

failed_add:
    err = errno;
    ql_free_connection(ls->connection);
    ql__free(loop, ls);
    errno = err;
failed:
    abandon(loop, fd, addr);
    return NULL;
}

/* A child of fork that closes its copy leaves the parent's file alone. */
static void
unlink_socket(const ql_listening_t *ls)
{
    const char *path = socket_path(&ls->addr);
    ql_loop_t *loop = ls->loop;

    if (path != NULL && !ls->connection->shared && ql__loop_owned(loop)) {
        (void) loop->sys->unlink(path);
    }
}

static void
close_socket(ql_listening_t *ls)
{
    ql_connection_t *c = ls->connection;

    if (c == NULL) {
        return;
    }
    unlink_socket(ls);
    /* Explicitly: somebody may have a duplicate of a listener. */
    (void) ls->loop->actions->del(ls->loop, &c->read, QL_READ_EVENT, 0);
    ls->connection = NULL;
    ql_close_connection(c);
}

void
ql_listening_stop(ql_listening_t *ls)
{
    if (ls->connection == NULL) {
        return;
    }
    if (!ls->exclusive && !ls->connection->shared) {
        ql__accept_rest(ls);
    }
    close_socket(ls);
    if (ls->handler != NULL) {
        ls->handler(ls);
    }
}

void
ql_listening_close(ql_listening_t *ls)
{
    ql_connection_t *c;

    ql_queue_remove(&ls->link);
    close_socket(ls);
    while ((c = ql_accept(ls)) != NULL) {
        ql_close_connection(c);
    }
    ql__free(ls->loop, ls);
}
