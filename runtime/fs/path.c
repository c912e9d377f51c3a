/*
 * path.c: operations on one or two paths that a single system call makes, or,
 * for a path whose directories are missing, one for each of them.
 */
#include "fs.h"

#include <string.h>

void *
ql__path_call(ql_loop_t *loop, const ql_call_type_t *type, size_t size,
              const char *path, const char *to, const char *root)
{
    size_t length = strlen(path) + 1;
    size_t to_length = to != NULL ? strlen(to) + 1 : 0;
    size_t root_length = root != NULL ? strlen(root) + 1 : 0;
    ql_path_call_t *p = ql_call_create(loop, type,
                                       size + length + to_length + root_length);
    char *end;

    if (p == NULL) {
        return NULL;
    }
    p->path = memcpy((char *) p + size, path, length);
    p->at = p->path;
    end = p->path + length;
    if (to != NULL) {
        p->to = memcpy(end, to, to_length);
    }
    if (root != NULL) {
        p->root = memcpy(end + to_length, root, root_length);
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
delete_at(ql_call_t *call, int flags)
{
    ql_path_call_t *p = path_of(call);
    ql__place_t place;
    int rc = ql__place_find(p, &place, p->path);

    if (rc == 0) {
        rc = sys_of(call)->unlinkat(place.dir, place.name, flags);
    }
    ql__call_result(call, ql__place_leave(sys_of(call), &place, rc));
}

static void
delete_file_run(ql_call_t *call)
{
    delete_at(call, 0);
}

static void
delete_dir_run(ql_call_t *call)
{
    delete_at(call, AT_REMOVEDIR);
}

static const ql_call_type_t delete_file_type = {"unlink", NULL, delete_file_run,
                                                NULL,     NULL, NULL};
static const ql_call_type_t delete_dir_type = {"rmdir", NULL, delete_dir_run,
                                               NULL,    NULL, NULL};

ql_path_call_t *
ql_delete_file(ql_loop_t *loop, const char *path, const char *root)
{
    QL_CHECK_THREAD(loop);
    return ql__path_call(loop, &delete_file_type, sizeof(ql_path_call_t), path,
                         NULL, root);
}

ql_path_call_t *
ql_delete_dir(ql_loop_t *loop, const char *path, const char *root)
{
    QL_CHECK_THREAD(loop);
    return ql__path_call(loop, &delete_dir_type, sizeof(ql_path_call_t), path,
                         NULL, root);
}

/* ---- two paths ---- */

static void
rename_run(ql_call_t *call)
{
    const ql_sys_t *sys = sys_of(call);
    ql_path_call_t *p = path_of(call);
    ql__place_t from, to = {AT_FDCWD, p->to};
    int rc = ql__place_find(p, &from, p->path);

    if (rc == 0) {
        rc = ql__place_find(p, &to, p->to);
    }
    if (rc == 0) {
        p->at = p->path;
        rc = sys->renameat2(from.dir, from.name, to.dir, to.name, 0);
    }
    rc = ql__place_leave(sys, &from, rc);
    ql__call_result(call, ql__place_leave(sys, &to, rc));
}

static void
symlink_run(ql_call_t *call)
{
    ql_path_call_t *p = path_of(call);
    ql__place_t place;
    int rc = ql__place_find(p, &place, p->path);

    if (rc == 0) {
        rc = sys_of(call)->symlinkat(p->to, place.dir, place.name);
    }
    ql__call_result(call, ql__place_leave(sys_of(call), &place, rc));
}

static const ql_call_type_t rename_type = {"rename", NULL, rename_run,
                                           NULL,     NULL, NULL};
static const ql_call_type_t symlink_type = {"symlink", NULL, symlink_run,
                                            NULL,      NULL, NULL};

ql_path_call_t *
ql_rename_file(ql_loop_t *loop, const char *from, const char *to,
               const char *root)
{
    QL_CHECK_THREAD(loop);
    return ql__path_call(loop, &rename_type, sizeof(ql_path_call_t), from, to,
                         root);
}

ql_path_call_t *
ql_symlink(ql_loop_t *loop, const char *target, const char *path,
           const char *root)
{
    QL_CHECK_THREAD(loop);
    return ql__path_call(loop, &symlink_type, sizeof(ql_path_call_t), path,
                         target, root);
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

static int
make_dir(ql_path_call_t *p, mode_t mode)
{
    const ql_sys_t *sys = sys_of(&p->call);
    ql__place_t place;
    int rc = ql__place_find(p, &place, p->path);

    if (rc == 0) {
        rc = sys->mkdirat(place.dir, place.name, mode);
    }
    return ql__place_leave(sys, &place, rc);
}

static void
create_dir_run(ql_call_t *call)
{
    create_dir_t *d = create_dir_of(call);

    ql__call_result(call, make_dir(&d->p, d->mode));
}

static bool
is_directory(ql_path_call_t *p)
{
    int fd = ql__path_open(p, p->path, O_PATH | O_DIRECTORY, 0, 0);
    bool is = fd != -1;

    (void) ql__close(sys_of(&p->call), &fd);
    p->why = NULL;
    return is;
}

/* A directory that is there is as good as a new one: somebody else may make
 * the same path at this moment. */
static int
ensure_dir(ql_path_call_t *p, mode_t mode)
{
    int err;

    if (make_dir(p, mode) == 0) {
        return 0;
    }
    err = errno;
    /* EROFS, EACCES: said of a directory that exists, too. */
    if ((err == EEXIST || err == EROFS || err == EACCES) && is_directory(p)) {
        return 0;
    }
    errno = err;
    return -1;
}

/* Each slash between two names ends a directory that has to be there. */
static int
ensure_parents(ql_path_call_t *p)
{
    char *name = p->path + strspn(p->path, "/");
    char *slash;
    int rc = 0;

    while (rc == 0 && (slash = strchr(name, '/')) != NULL) {
        name = slash + strspn(slash, "/");
        if (*name == '\0') {
            break;
        }
        *slash = '\0';
        rc = ensure_dir(p, 0777);
        *slash = '/';
    }
    return rc;
}

static void
create_full_path_run(ql_call_t *call)
{
    create_dir_t *d = create_dir_of(call);
    int rc = ensure_dir(&d->p, d->mode);

    if (rc == -1 && errno == ENOENT) {
        rc = ensure_parents(&d->p);
        if (rc == 0) {
            rc = ensure_dir(&d->p, d->mode);
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
           unsigned mode, const char *root)
{
    create_dir_t *d = ql__path_call(loop, type, sizeof(*d), path, NULL, root);

    if (d == NULL) {
        return NULL;
    }
    d->mode = mode;
    return &d->p;
}

ql_path_call_t *
ql_create_dir(ql_loop_t *loop, const char *path, unsigned mode,
              const char *root)
{
    QL_CHECK_THREAD(loop);
    return create_dir(loop, &create_dir_type, path, mode, root);
}

ql_path_call_t *
ql_create_full_path(ql_loop_t *loop, const char *path, unsigned mode,
                    const char *root)
{
    QL_CHECK_THREAD(loop);
    return create_dir(loop, &create_full_path_type, path, mode, root);
}
