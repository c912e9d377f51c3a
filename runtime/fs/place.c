/*
 * place.c: where a call's paths lead: anywhere, or nowhere but below its root.
 * A name that is made or removed is looked up in its directory, whose
 * descriptor stays the same whatever happens to the path.
 */
#include "fs.h"

#include <string.h>

enum {
    ALWAYS = O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
    RENAMES = 16 /* EAGAIN: a ".." below a root met a rename */
};

int
ql__open_at(const ql_sys_t *sys, int dir, const char *path,
            const struct open_how *how)
{
    struct open_how copy = *how; /* the kernel's is not const */
    int renames = how->resolve & RESOLVE_CACHED ? 0 : RENAMES;
    int fd;

    do {
        fd = how->resolve == 0
               ? sys->open(path, (int) how->flags, (mode_t) how->mode)
               : sys->openat2(dir, path, &copy, sizeof(copy));
    } while (fd == -1
             && (errno == EINTR
                 || (errno == EAGAIN && how->resolve != 0 && renames-- > 0)));
    return fd;
}

const char *
ql__root_error(int err)
{
    switch (err) {
    case EXDEV:
        return "outside of its root";
    case ENOSYS:
        return "a root needs openat2, which is not there";
    default:
        return NULL;
    }
}

/* `named`: as the caller wrote it. */
static int
open_below(ql_path_call_t *p, const char *path, const char *named,
           struct open_how *how)
{
    const ql_sys_t *sys = p->call.loop->sys;
    struct open_how dir = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = how->resolve};
    int root = ql__open_at(sys, AT_FDCWD, p->root, &dir);
    int fd, err;

    if (root == -1) {
        p->at = p->root;
        return -1;
    }
    how->resolve |= QL__BENEATH;
    fd = ql__open_at(sys, root, path, how);
    err = errno;
    (void) ql__close(sys, &root);
    p->at = named;
    p->why = fd == -1 ? ql__root_error(err) : NULL;
    errno = err;
    return fd;
}

int
ql__path_open(ql_path_call_t *p, const char *path, int flags, mode_t mode,
              uint64_t resolve)
{
    struct open_how how = {.mode = flags & O_CREAT ? mode : 0,
                           .resolve = resolve};

    how.flags = (unsigned) (flags | (flags & O_PATH ? O_CLOEXEC : ALWAYS));
    p->at = path;
    return p->root != NULL
             ? open_below(p, path, path, &how)
             : ql__open_at(p->call.loop->sys, AT_FDCWD, path, &how);
}

/* The last name, with the slashes behind it. */
static const char *
last_name(const char *path)
{
    size_t length = strlen(path);

    while (length > 0 && path[length - 1] == '/') {
        length--;
    }
    while (length > 0 && path[length - 1] != '/') {
        length--;
    }
    return path + length;
}

int
ql__place_find(ql_path_call_t *p, ql__place_t *place, const char *path)
{
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC};
    char dir[PATH_MAX] = ".";
    size_t length;

    *place = (ql__place_t){AT_FDCWD, path};
    p->at = path;
    if (p->root == NULL) {
        return 0;
    }
    place->name = last_name(path);
    length = (size_t) (place->name - path);
    if (length >= sizeof(dir)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (length > 0) {
        memcpy(dir, path, length);
        dir[length] = '\0';
    }
    place->dir = open_below(p, dir, path, &how);
    return place->dir == -1 ? -1 : 0;
}

int
ql__place_leave(const ql_sys_t *sys, ql__place_t *place, int rc)
{
    int err = errno;

    if (place->dir != AT_FDCWD) {
        (void) ql__close(sys, &place->dir);
        place->dir = AT_FDCWD;
    }
    errno = err;
    return rc;
}
