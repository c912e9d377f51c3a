/*
 * path.c: operations on one or two paths that a single system call makes, or,
 * for a path whose directories are missing, one for each of them.
 */
#include "fs.h"

#include <string.h>

void *
ql__path_call(ql_loop_t *loop, const ql_call_type_t *type, size_t size,
              const char *path, const char *to)
{
    size_t length = strlen(path) + 1;
    size_t to_length = to != NULL ? strlen(to) + 1 : 0;
    ql_path_call_t *p = ql_call_create(loop, type, size + length + to_length);

    if (p == NULL) {
        return NULL;
    }
    p->path = memcpy((char *) p + size, path, length);
    if (to != NULL) {
        p->to = memcpy((char *) p + size + length, to, to_length);
    }
    return p;
}

static ql_path_call_t *
path_of(ql_call_t *call)
{
    return (ql_path_call_t *) (void *) call;
}

static const ql_sys_t *
sys_of(const ql_call_t *call)
{
    return call->loop->sys;
}

/* ---- one path ---- */

static void
delete_file_run(ql_call_t *call)
{
    ql__call_result(call, sys_of(call)->unlink(path_of(call)->path));
}

static void
delete_dir_run(ql_call_t *call)
{
    ql__call_result(call, sys_of(call)->rmdir(path_of(call)->path));
}

static const ql_call_type_t delete_file_type = {"unlink", NULL, delete_file_run,
                                                NULL,     NULL, NULL};
static const ql_call_type_t delete_dir_type = {"rmdir", NULL, delete_dir_run,
                                               NULL,    NULL, NULL};

ql_path_call_t *
ql_delete_file(ql_loop_t *loop, const char *path)
{
    QL_CHECK_THREAD(loop);
    return ql__path_call(loop, &delete_file_type, sizeof(ql_path_call_t), path,
                         NULL);
}

ql_path_call_t *
ql_delete_dir(ql_loop_t *loop, const char *path)
{
    QL_CHECK_THREAD(loop);
    return ql__path_call(loop, &delete_dir_type, sizeof(ql_path_call_t), path,
                         NULL);
}

/* ---- two paths ---- */

static void
rename_run(ql_call_t *call)
{
    const ql_path_call_t *p = path_of(call);

    ql__call_result(call, sys_of(call)->rename(p->path, p->to));
}

static void
symlink_run(ql_call_t *call)
{
    const ql_path_call_t *p = path_of(call);

    ql__call_result(call, sys_of(call)->symlink(p->to, p->path));
}

static const ql_call_type_t rename_type = {"rename", NULL, rename_run,
                                           NULL,     NULL, NULL};
static const ql_call_type_t symlink_type = {"symlink", NULL, symlink_run,
                                            NULL,      NULL, NULL};

ql_path_call_t *
ql_rename_file(ql_loop_t *loop, const char *from, const char *to)
{
    QL_CHECK_THREAD(loop);
    return ql__path_call(loop, &rename_type, sizeof(ql_path_call_t), from, to);
}

ql_path_call_t *
ql_symlink(ql_loop_t *loop, const char *target, const char *path)
{
    QL_CHECK_THREAD(loop);
    return ql__path_call(loop, &symlink_type, sizeof(ql_path_call_t), path,
                         target);
}

/* ---- directories ---- */

typedef struct {
    ql_path_call_t p; /* first */
    mode_t mode;
} create_dir_t;

static create_dir_t *
create_dir_of(ql_call_t *call)
{
    return (create_dir_t *) (void *) call;
}

static void
create_dir_run(ql_call_t *call)
{
    const create_dir_t *d = create_dir_of(call);

    ql__call_result(call, sys_of(call)->mkdir(d->p.path, d->mode));
}

static bool
is_directory(const ql_sys_t *sys, const char *path)
{
    struct statx stx;

    return sys->statx(AT_FDCWD, path, 0, STATX_TYPE, &stx) == 0
        && S_ISDIR(stx.stx_mode);
}

/* A directory that is there is as good as a new one: somebody else may make
 * the same path at this moment. */
static int
ensure_dir(const ql_sys_t *sys, const char *path, mode_t mode)
{
    int err;

    if (sys->mkdir(path, mode) == 0) {
        return 0;
    }
    err = errno;
    /* EROFS, EACCES: said of a directory that exists, too. */
    if ((err == EEXIST || err == EROFS || err == EACCES)
        && is_directory(sys, path)) {
        return 0;
    }
    errno = err;
    return -1;
}

/* Each slash between two names ends a directory that has to be there. */
static int
ensure_parents(const ql_sys_t *sys, char *path)
{
    char *name = path + strspn(path, "/");
    char *slash;
    int rc = 0;

    while (rc == 0 && (slash = strchr(name, '/')) != NULL) {
        name = slash + strspn(slash, "/");
        if (*name == '\0') {
            break;
        }
        *slash = '\0';
        rc = ensure_dir(sys, path, 0777);
        *slash = '/';
    }
    return rc;
}

static void
create_full_path_run(ql_call_t *call)
{
    const ql_sys_t *sys = sys_of(call);
    const create_dir_t *d = create_dir_of(call);
    int rc = ensure_dir(sys, d->p.path, d->mode);

    if (rc == -1 && errno == ENOENT) {
        rc = ensure_parents(sys, d->p.path);
        if (rc == 0) {
            rc = ensure_dir(sys, d->p.path, d->mode);
        }
    }
    ql__call_result(call, rc);
}

static const ql_call_type_t create_dir_type = {"mkdir", NULL, create_dir_run,
                                               NULL,    NULL, NULL};
static const ql_call_type_t create_full_path_type = {
    "mkdir", NULL, create_full_path_run, NULL, NULL, NULL};

static ql_path_call_t *
create_dir(ql_loop_t *loop, const ql_call_type_t *type, const char *path,
           unsigned mode)
{
    create_dir_t *d = ql__path_call(loop, type, sizeof(*d), path, NULL);

    if (d == NULL) {
        return NULL;
    }
    d->mode = mode;
    return &d->p;
}

ql_path_call_t *
ql_create_dir(ql_loop_t *loop, const char *path, unsigned mode)
{
    QL_CHECK_THREAD(loop);
    return create_dir(loop, &create_dir_type, path, mode);
}

ql_path_call_t *
ql_create_full_path(ql_loop_t *loop, const char *path, unsigned mode)
{
    QL_CHECK_THREAD(loop);
    return create_dir(loop, &create_full_path_type, path, mode);
}
