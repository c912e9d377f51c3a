/*
 * socket_file.c: the file of a unix socket.
 */
#include "../core/loop.h"

#include <errno.h>
#include <fcntl.h>

const char *
ql__socket_path(const ql_sockaddr_t *addr)
{
    if (addr->u.sa.sa_family != AF_UNIX || addr->u.un.sun_path[0] == '\0') {
        return NULL;
    }
    return addr->u.un.sun_path;
}

/* connect(2) answers ECONNREFUSED for any file, so its type is looked at
 * first. */
bool
ql__socket_stale(ql_loop_t *loop, const ql_sockaddr_t *addr)
{
    const char *path = ql__socket_path(addr);
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
failed(ql_loop_t *loop, const char *call, const char *path)
{
    ql_log_error(loop, QL_LOG_ERR, errno, "%s of %s failed", call, path);
    return NGX_ERROR;
}

/* chown(2) first: it may take bits of the mode away. */
int
ql__socket_permit(ql_loop_t *loop, const ql_sockaddr_t *addr,
                  const ql_listen_opts_t *opts)
{
    const char *path = ql__socket_path(addr);

    if (path == NULL) {
        return NGX_OK;
    }
    if (opts->owned && loop->sys->chown(path, opts->uid, opts->gid) == -1) {
        return failed(loop, "chown", path);
    }
    if (opts->mode != 0 && loop->sys->chmod(path, opts->mode) == -1) {
        return failed(loop, "chmod", path);
    }
    return NGX_OK;
}

/* NGX_OK: path is a socket. */
static int
identify(ql_loop_t *loop, const char *path, uint64_t *dev, uint64_t *ino)
{
    struct statx stx;

    if (loop->sys->statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW,
                         STATX_TYPE | STATX_INO, &stx)
            == -1
        || !S_ISSOCK(stx.stx_mode))
    {
        return NGX_ERROR;
    }
    *dev = (uint64_t) stx.stx_dev_major << 32 | stx.stx_dev_minor;
    *ino = stx.stx_ino;
    return NGX_OK;
}

void
ql__socket_file_made(ql_listening_t *ls)
{
    const char *path = ql__socket_path(&ls->addr);

    if (path != NULL) {
        (void) identify(ls->loop, path, &ls->file_dev, &ls->file_ino);
    }
}

void
ql__socket_file_unlink(ql_listening_t *ls)
{
    const char *path = ql__socket_path(&ls->addr);
    uint64_t dev, ino;

    if (path != NULL && ls->file_ino != 0
        && identify(ls->loop, path, &dev, &ino) == NGX_OK && dev == ls->file_dev
        && ino == ls->file_ino)
    {
        (void) ls->loop->sys->unlink(path);
    }
    ls->file_ino = 0;
}
