/*
 * link.c: where paths lead: the target of a symbolic link, and the path
 * without any.
 */
#include "fs.h"

#include <stdio.h>
#include <string.h>

enum {
    LINK_SIZE = 256 /* bytes at first */
};

static ql_link_call_t *
link_of(ql_call_t *call)
{
    return (ql_link_call_t *) (void *) call;
}

/* The whole target, whatever its length: a full buffer may have cut it. */
static int
read_link(const ql_sys_t *sys, ql_link_call_t *l, int dir, const char *name)
{
    for (size_t size = LINK_SIZE;; size *= 2) {
        char *p = sys->realloc(l->text, size);
        ssize_t n;

        if (p == NULL) {
            errno = ENOMEM;
            return -1;
        }
        l->text = p;
        n = sys->readlinkat(dir, name, p, size);
        if (n == -1) {
            return -1;
        }
        if ((size_t) n < size) {
            l->length = (size_t) n;
            return 0;
        }
    }
}

/* Below a root: of the link itself, opened, since with a slash behind it the
 * name would be followed. The kernel calls what is no link ENOENT then. */
static int
read_link_below(const ql_sys_t *sys, ql_link_call_t *l)
{
    int fd = ql__path_open(&l->p, l->p.path, O_PATH | O_NOFOLLOW, 0, 0);
    int rc, err;

    if (fd == -1) {
        return -1;
    }
    rc = read_link(sys, l, fd, "");
    err = errno == ENOENT ? EINVAL : errno;
    (void) ql__close(sys, &fd);
    errno = err;
    return rc;
}

static void
read_link_run(ql_call_t *call)
{
    ql_link_call_t *l = link_of(call);
    const ql_sys_t *sys = call->loop->sys;

    ql__call_result(call, l->p.root != NULL
                              ? read_link_below(sys, l)
                              : read_link(sys, l, AT_FDCWD, l->p.path));
}

static int
real_path(const ql_sys_t *sys, ql_link_call_t *l, const char *path)
{
    l->text = sys->malloc(PATH_MAX);
    if (l->text == NULL) {
        errno = ENOMEM;
        return -1;
    }
    if (sys->realpath(path, l->text) == NULL) {
        return -1;
    }
    l->length = strlen(l->text);
    return 0;
}

/* Below a root: the kernel's name of what was opened there. */
static int
real_path_below(const ql_sys_t *sys, ql_link_call_t *l)
{
    char name[sizeof("/proc/self/fd/") + 11];
    int fd = ql__path_open(&l->p, l->p.path, O_PATH, 0, 0);
    int rc, err;

    if (fd == -1) {
        return -1;
    }
    (void) snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    rc = real_path(sys, l, name);
    err = errno;
    (void) ql__close(sys, &fd);
    errno = err;
    return rc;
}

static void
real_path_run(ql_call_t *call)
{
    ql_link_call_t *l = link_of(call);
    const ql_sys_t *sys = call->loop->sys;

    ql__call_result(call, l->p.root != NULL ? real_path_below(sys, l)
                                            : real_path(sys, l, l->p.path));
}

static void
link_release(ql_call_t *call)
{
    ql__free(call->loop, link_of(call)->text);
}

static const ql_call_type_t read_link_type = {"readlink",   NULL, read_link_run,
                                              link_release, NULL, NULL};
static const ql_call_type_t real_path_type = {"realpath",   NULL, real_path_run,
                                              link_release, NULL, NULL};

ql_link_call_t *
ql_readlink(ql_loop_t *loop, const char *path, const char *root)
{
    QL_CHECK_THREAD(loop);
    return ql__path_call(loop, &read_link_type, sizeof(ql_link_call_t), path,
                         NULL, root);
}

ql_link_call_t *
ql_realpath(ql_loop_t *loop, const char *path, const char *root)
{
    QL_CHECK_THREAD(loop);
    return ql__path_call(loop, &real_path_type, sizeof(ql_link_call_t), path,
                         NULL, root);
}
