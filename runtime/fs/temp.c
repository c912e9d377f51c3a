/*
 * temp.c: a new file that takes the place of another one when it is complete,
 * or of none.
 */
#include "fs.h"

#include <stdio.h>
#include <string.h>

enum {
    NAME_RANDOM = 16, /* characters: 80 bits */
    NAME_TRIES = 100  /* all taken: somebody else's fault */
};

/* 32 characters that any file system takes and tells apart. */
static int
random_name(const ql_sys_t *sys, char *to)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned char bytes[NAME_RANDOM];
    size_t have = 0;

    while (have < sizeof(bytes)) {
        ssize_t n = sys->getrandom(bytes + have, sizeof(bytes) - have, 0);

        if (n == -1 && errno != EINTR) {
            return -1;
        }
        have += n > 0 ? (size_t) n : 0;
    }
    for (int i = 0; i < NAME_RANDOM; i++) {
        to[i] = digits[bytes[i] % 32];
    }
    to[NAME_RANDOM] = '\0';
    return 0;
}

void
ql__temp_init(ql__temp_t *temp)
{
    temp->fd = -1;
    temp->there = false;
    temp->place = (ql__place_t){AT_FDCWD, temp->target};
}

static int
open_new(const ql_sys_t *sys, const ql__temp_t *temp, mode_t mode)
{
    int dir = temp->place.dir;
    struct open_how how = {.flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
                           .mode = mode,
                           .resolve = dir == AT_FDCWD ? 0 : QL__BENEATH};

    return ql__open_at(sys, dir, temp->path, &how);
}

int
ql__temp_open(const ql_sys_t *sys, ql__temp_t *temp, const char *dir,
              const char *prefix, mode_t mode)
{
    int tries = NAME_TRIES;
    int length = (int) strnlen(dir, PATH_MAX);
    int n;

    temp->fd = -1;
    if (length == 0) {
        errno = ENOENT;
        return -1;
    }
    while (length > 0 && dir[length - 1] == '/') {
        length--;
    }
    n = snprintf(temp->path, sizeof(temp->path) - NAME_RANDOM, "%.*s/%s",
                 length, dir, prefix);
    if (n >= (int) sizeof(temp->path) - NAME_RANDOM) {
        errno = ENAMETOOLONG;
        return -1;
    }
    do {
        if (random_name(sys, temp->path + n) == -1) {
            return -1;
        }
        temp->fd = open_new(sys, temp, mode);
    } while (temp->fd == -1 && errno == EEXIST && --tries > 0);
    temp->there = temp->fd != -1;
    return temp->there ? 0 : -1;
}

/* ---- what it replaces ---- */

/* A symbolic link would be followed, because of the slash. */
static int
find_below(ql_path_call_t *p, ql__temp_t *temp, const char *path)
{
    if (ql__place_find(p, &temp->place, path) == -1) {
        return -1;
    }
    if (strchr(temp->place.name, '/') != NULL) {
        errno = EISDIR;
        return -1;
    }
    return 0;
}

/* A symbolic link stays; what it leads to is replaced. */
static int
resolve(ql_path_call_t *p, ql__temp_t *temp, const char *path)
{
    const ql_sys_t *sys = p->call.loop->sys;
    size_t length = strlen(path) + 1;

    if (p->root != NULL) {
        return find_below(p, temp, path);
    }
    p->at = path;
    if (sys->realpath(path, temp->target) != NULL) {
        return 0;
    }
    if (errno != ENOENT) {
        return -1;
    }
    if (length > sizeof(temp->target)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(temp->target, path, length);
    return 0;
}

/* 1: a regular file; 0: nothing. Anything else would be lost by a rename. */
static int
previous(ql_path_call_t *p, const ql__temp_t *temp, struct statx *old)
{
    if (p->call.loop->sys->statx(temp->place.dir, temp->place.name,
                                 p->root != NULL ? AT_SYMLINK_NOFOLLOW : 0,
                                 STATX_BASIC_STATS, old)
        == -1)
    {
        return errno == ENOENT ? 0 : -1;
    }
    if (S_ISLNK(old->stx_mode)) {
        errno = ELOOP;
        return -1;
    }
    return ql__check_regular(old->stx_mode, &p->why) == 0 ? 1 : -1;
}

/* Set-id bits go with their owner only, what the group may do with the group:
 * another one may do what all others may. chown clears set-id bits, hence the
 * order. */
static int
take_over(const ql_sys_t *sys, int fd, const struct statx *old)
{
    mode_t mode = old->stx_mode & 07777;

    if (sys->fchown(fd, old->stx_uid, old->stx_gid) == -1) {
        mode &= 0777;
        if (sys->fchown(fd, (uid_t) -1, old->stx_gid) == -1) {
            mode = (mode & 0707) | (mode & 0007) << 3;
        }
    }
    return sys->fchmod(fd, mode);
}

/* dir of path, up to its last slash; "." for "x". */
static void
directory(const char *path, char *dir)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash != NULL ? (size_t) (slash - path) + 1 : 1;

    memcpy(dir, slash != NULL ? path : ".", length);
    dir[length] = '\0';
}

static int
open_beside(ql_path_call_t *p, ql__temp_t *temp, const char *path, mode_t mode)
{
    const ql_sys_t *sys = p->call.loop->sys;
    char dir[PATH_MAX];
    struct statx old;
    int exists;

    if (resolve(p, temp, path) == -1) {
        return -1;
    }
    exists = previous(p, temp, &old);
    if (exists == -1) {
        return -1;
    }
    directory(temp->place.name, dir);
    if (ql__temp_open(sys, temp, dir, ".quoll-", exists ? 0600 : mode) == -1) {
        return -1;
    }
    return exists ? take_over(sys, temp->fd, &old) : 0;
}

int
ql__temp_beside(ql_path_call_t *p, ql__temp_t *temp, const char *path,
                mode_t mode)
{
    int rc = open_beside(p, temp, path, mode);

    if (rc == -1) {
        ql__temp_discard(p->call.loop->sys, temp);
    }
    return rc;
}

/* ---- its end ---- */

/* renameat2 says EINVAL where the file system does not know the flag, as NFS;
 * such ones have hard links. */
static int
rename_exclusive(const ql_sys_t *sys, const ql__temp_t *temp)
{
    int dir = temp->place.dir;
    const char *name = temp->place.name;

    if (sys->renameat2(dir, temp->path, dir, name, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if ((errno != EINVAL && errno != ENOSYS)
        || sys->linkat(dir, temp->path, dir, name, 0) == -1)
    {
        return -1;
    }
    (void) sys->unlinkat(dir, temp->path, 0);
    return 0;
}

int
ql__temp_commit(const ql_sys_t *sys, ql__temp_t *temp, bool excl)
{
    int rc = ql__close(sys, &temp->fd);

    if (rc == 0) {
        rc = excl ? rename_exclusive(sys, temp)
                  : sys->renameat2(temp->place.dir, temp->path, temp->place.dir,
                                   temp->place.name, 0);
    }
    if (rc == -1) {
        ql__temp_discard(sys, temp);
        return -1;
    }
    temp->there = false;
    return ql__place_leave(sys, &temp->place, 0);
}

void
ql__temp_discard(const ql_sys_t *sys, ql__temp_t *temp)
{
    int err = errno;

    if (temp->there) {
        (void) sys->unlinkat(temp->place.dir, temp->path, 0);
        temp->there = false;
    }
    (void) ql__close(sys, &temp->fd);
    errno = err;
    (void) ql__place_leave(sys, &temp->place, -1);
}

int
ql__write_all(const ql_sys_t *sys, int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = sys->write(fd, data, size);

        if (n == -1 && errno != EINTR) {
            return -1;
        }
        data += n > 0 ? n : 0;
        size -= n > 0 ? (size_t) n : 0;
    }
    return 0;
}
