/*
 * listening.c: the making and the closing of listening sockets.
 */
#include "../core/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum {
    DEFAULT_BACKLOG = 511
};

static int
bind_address(ql_loop_t *loop, int fd, const ql_sockaddr_t *addr)
{
    char text[QL_SOCKADDR_STRLEN];
    int err;

    if (loop->sys->bind(fd, &addr->u.sa, addr->len) == 0) {
        return NGX_OK;
    }
    err = errno;
    if (err == EADDRINUSE && ql__socket_stale(loop, addr)
        && loop->sys->unlink(ql__socket_path(addr)) == 0)
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
    if (bound != NULL && ql__socket_path(bound) != NULL) {
        (void) loop->sys->unlink(ql__socket_path(bound));
    }
    errno = err;
}

static int
start(ql_loop_t *loop, int fd, int backlog)
{
    if (loop->sys->listen(fd, backlog) == -1) {
        ql_log_error(loop, QL_LOG_ERR, errno, "listen() failed");
        return NGX_ERROR;
    }
    return NGX_OK;
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
    if (ql__listen_options(loop, fd, family, opts) != NGX_OK
        || bind_address(loop, fd, addr) != NGX_OK)
    {
        abandon(loop, fd, NULL);
        return -1;
    }
    /* Nobody can connect before listen(). */
    if (ql__socket_permit(loop, addr, opts) != NGX_OK
        || start(loop, fd, opts->backlog ? opts->backlog : DEFAULT_BACKLOG)
               != NGX_OK)
    {
        abandon(loop, fd, addr);
        return -1;
    }
    return fd;
}

static void
destroy(ql_listening_t *ls)
{
    if (ls->limits != NULL) {
        ql__limits_close(ls->limits);
    }
    ql__free(ls->loop, ls);
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
    ql__listening_init(ls);
    if (loop->sys->getsockname(fd, &ls->addr.u.sa, &ls->addr.len) == -1) {
        ql_log_error(loop, QL_LOG_ERR, errno, "getsockname() failed");
        goto failed;
    }
    if (ql__limits_create(loop, opts, &ls->limits) != NGX_OK) {
        errno = ENOMEM;
        ql_log_error(loop, QL_LOG_ERR, errno, "no memory for a listener");
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
    destroy(ls);
    return NULL;
}

/* fd stays the caller's when this fails. */
static ql_listening_t *
enter(ql_loop_t *loop, int fd, const ql_listen_opts_t *opts)
{
    ql_listening_t *ls = make_listening(loop, fd, opts);
    int err;

    if (ls == NULL) {
        return NULL;
    }
    if (loop->actions->add(loop, &ls->connection->read, QL_READ_EVENT,
                           ls->exclusive ? QL_EXCLUSIVE_EVENT : QL_LEVEL_EVENT)
        != NGX_OK)
    {
        err = errno;
        ql_free_connection(ls->connection);
        destroy(ls);
        errno = err;
        return NULL;
    }
    ql_queue_insert_tail(&loop->listenings, &ls->link);
    return ls;
}

ql_listening_t *
ql_listen(ql_loop_t *loop, const ql_sockaddr_t *addr,
          const ql_listen_opts_t *opts)
{
    static const ql_listen_opts_t defaults;
    ql_listening_t *ls;
    int fd;

    QL_CHECK_THREAD(loop);
    if (opts == NULL) {
        opts = &defaults;
    }
    fd = open_socket(loop, addr, opts);
    if (fd == -1) {
        return NULL;
    }
    ls = enter(loop, fd, opts);
    if (ls == NULL) {
        abandon(loop, fd, addr);
        return NULL;
    }
    ql__socket_file_made(ls);
    return ls;
}

ql_listening_t *
ql_listen_inherited(ql_loop_t *loop, int fd, const ql_listen_opts_t *opts)
{
    ql_listening_t *ls = NULL;

    QL_CHECK_THREAD(loop);
    if (ql__socket_listens(loop, fd) == NGX_OK
        && (opts->backlog == 0 || start(loop, fd, opts->backlog) == NGX_OK))
    {
        ls = enter(loop, fd, opts);
    }
    if (ls != NULL) {
        ls->connection->shared = 1;
    }
    return ls;
}

static void
close_socket(ql_listening_t *ls)
{
    ql_connection_t *c = ls->connection;

    if (c == NULL) {
        return;
    }
    /* A child of fork that closes its copy leaves the parent's file alone. */
    if (!c->shared && ql__loop_owned(ls->loop)) {
        ql__socket_file_unlink(ls);
    }
    ql_delete_posted_event(ls->loop, &ls->settle);
    /* Explicitly: somebody may have a duplicate of a listener. */
    (void) ls->loop->actions->del(ls->loop, &c->read, QL_READ_EVENT, 0);
    ls->connection = NULL;
    ql_close_connection(c);
}

void
ql_listening_stop(ql_listening_t *ls)
{
    QL_CHECK_THREAD(ls->loop);
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

    QL_CHECK_THREAD(ls->loop);
    ql_queue_remove(&ls->link);
    close_socket(ls);
    while ((c = ql_accept(ls)) != NULL) {
        ql_close_connection(c);
    }
    destroy(ls);
}
