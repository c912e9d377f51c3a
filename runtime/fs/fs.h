/*
 * fs.h: what the operations on paths share.
 */
#ifndef QUOLL_FS_H
#define QUOLL_FS_H

#include "../core/loop.h"
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

/* A call of `size` bytes that begins with a ql_path_call_t, with copies of
 * path, to and root (each but path may be NULL) behind them. NULL with errno
 * ENOMEM. */
void *ql__path_call(ql_loop_t *loop, const ql_call_type_t *type, size_t size,
                    const char *path, const char *to, const char *root);

/* Closes *fd unless it is -1; 0, or -1 with errno: what was written may be
 * lost. EINTR has closed. */
static inline int
ql__close(const ql_sys_t *sys, int *fd)
{
    int rc = *fd == -1 ? 0 : sys->close(*fd);

    *fd = -1;
    return rc == -1 && errno == EINTR ? 0 : rc;
}

/* Of a file whose kind is the question: 0, or -1 with errno. */
static inline int
ql__check_regular(mode_t mode, const char **why)
{
    if (S_ISREG(mode)) {
        return 0;
    }
    if (S_ISDIR(mode)) {
        errno = EISDIR;
        return -1;
    }
    errno = EINVAL;
    *why = "not a regular file";
    return -1;
}

/* ---- place.c ---- */

/* A descriptor of what path, one of p's, leads to, below p's root if it has
 * one; -1 with errno and p's `at` and `why`. O_NONBLOCK (the open of a FIFO
 * would wait for its other end), O_NOCTTY and O_CLOEXEC are added. mode: of a
 * new file. resolve: 0, or RESOLVE_CACHED: EAGAIN where it would wait. */
int ql__path_open(ql_path_call_t *p, const char *path, int flags, mode_t mode,
                  uint64_t resolve);

/* A name in its directory. */
typedef struct {
    int dir; /* AT_FDCWD: none, name is a path */
    const char *name;
} ql__place_t;

/* Where path, one of p's, is; 0, or -1 with errno and p's `at` and `why`. A
 * symbolic link that is the last name is not followed by what takes a name;
 * with a slash behind it, statx and readlinkat would. */
int ql__place_find(ql_path_call_t *p, ql__place_t *place, const char *path);
/* Lets go of the directory; rc, and errno as it was. */
int ql__place_leave(const ql_sys_t *sys, ql__place_t *place, int rc);

/* ---- temp.c: a file beside another one, to take its place ---- */

typedef struct {
    int fd;                /* -1: not open */
    bool there;            /* path exists */
    ql__place_t place;     /* what it replaces: no symbolic link */
    char path[PATH_MAX];   /* its own, in the place's directory */
    char target[PATH_MAX]; /* the place's name where there is no directory */
} ql__temp_t;

/* All: 0, or -1 with errno and no file left; on a thread. */

void ql__temp_init(ql__temp_t *temp);
/* `prefix` and 16 random characters in dir, new, open for reading and writing;
 * sets temp->fd and path. */
int ql__temp_open(const ql_sys_t *sys, ql__temp_t *temp, const char *dir,
                  const char *prefix, mode_t mode);
/* One that will replace path, one of p's, or, without a root, the file that
 * path, a symbolic link, leads to: a regular file, whose owner and permissions
 * it takes over where it may; or nothing: its permissions are mode less the
 * umask. */
int ql__temp_beside(ql_path_call_t *p, ql__temp_t *temp, const char *path,
                    mode_t mode);
/* Closes it and puts it into its place. excl: fails with EEXIST when that is
 * taken. */
int ql__temp_commit(const ql_sys_t *sys, ql__temp_t *temp, bool excl);
/* Closes and removes it, if there is one; errno stays as it is. */
void ql__temp_discard(const ql_sys_t *sys, ql__temp_t *temp);

/* Everything, however short each write is; 0, or -1 with errno. */
int ql__write_all(const ql_sys_t *sys, int fd, const char *data, size_t size);

#endif
