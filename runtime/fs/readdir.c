/*
 * readdir.c: the entries of a directory. A call reads a batch; between two
 * the waiter has the entries one by one.
 */
#include "fs.h"

#include <dirent.h>
#include <string.h>

enum {
    BATCH = 64 << 10 /* bytes of entries: some 2,000 */
};

typedef struct {
    ql_dir_t pub; /* first */
    int fd;       /* -1: not open yet, or the end was met */
    bool asked;   /* a thread has what follows */
    bool end;     /* there is no further batch */
    size_t pos;   /* in batch: the next entry */
    size_t have;  /* bytes in batch */
    _Alignas(struct dirent64) char batch[BATCH];
} dir_t;

static dir_t *
dir_of(ql_call_t *call)
{
    return (dir_t *) (void *) call;
}

static struct dirent64 *
entry_at(dir_t *d, size_t pos)
{
    return (struct dirent64 *) (void *) (d->batch + pos);
}

static bool
skipped(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Some file systems do not say. An entry that is gone by now stays unknown. */
static void
find_types(const ql_sys_t *sys, dir_t *d)
{
    struct dirent64 *e;
    struct statx stx;

    for (size_t pos = 0; pos < d->have; pos += e->d_reclen) {
        e = entry_at(d, pos);
        if (e->d_type == DT_UNKNOWN && !skipped(e->d_name)
            && sys->statx(d->fd, e->d_name, AT_SYMLINK_NOFOLLOW, STATX_TYPE,
                          &stx)
                   == 0)
        {
            e->d_type = IFTODT(stx.stx_mode);
        }
    }
}

static int
read_batch(const ql_sys_t *sys, dir_t *d)
{
    ssize_t n;

    if (d->fd == -1) {
        d->fd = ql__path_open(&d->pub.p, d->pub.p.path, O_RDONLY | O_DIRECTORY,
                              0, 0);
        if (d->fd == -1) {
            return -1;
        }
    }
    n = sys->getdents64(d->fd, d->batch, BATCH);
    if (n == -1 && errno == ENOENT) {
        n = 0; /* the directory itself was removed meanwhile */
    }
    if (n == -1) {
        return -1;
    }
    d->have = (size_t) n;
    d->end = n == 0;
    find_types(sys, d);
    return 0;
}

static void
dir_run(ql_call_t *call)
{
    const ql_sys_t *sys = call->loop->sys;
    dir_t *d = dir_of(call);
    int rc = read_batch(sys, d);

    ql__call_result(call, rc);
    if (rc == -1 || d->end) {
        (void) ql__close(sys, &d->fd);
    }
    call->undo = d->fd != -1;
}

static void
dir_undo(ql_call_t *call)
{
    (void) ql__close(call->loop->sys, &dir_of(call)->fd);
}

static const ql_call_type_t dir_type = {"readdir", NULL,     dir_run,
                                        NULL,      dir_undo, NULL};

ql_dir_t *
ql_open_dir(ql_loop_t *loop, const char *path, const char *root)
{
    dir_t *d;

    QL_CHECK_THREAD(loop);
    d = ql__path_call(loop, &dir_type, sizeof(*d), path, NULL, root);
    if (d == NULL) {
        return NULL;
    }
    d->fd = -1;
    return &d->pub;
}

/* The next one of the batch; false: it is used up. */
static bool
peek(dir_t *d)
{
    while (d->pos < d->have) {
        struct dirent64 *e = entry_at(d, d->pos);

        if (!skipped(e->d_name)) {
            d->pub.name = e->d_name;
            d->pub.type = (unsigned) DTTOIF(e->d_type);
            return true;
        }
        d->pos += e->d_reclen;
    }
    return false;
}

int
ql_read_dir(ql_dir_t *pub)
{
    dir_t *d = dir_of(&pub->p.call);
    int rc;

    QL_CHECK_THREAD(pub->p.call.loop);
    for (;;) {
        if (!d->asked) {
            if (peek(d)) {
                return NGX_OK;
            }
            if (d->end) {
                return NGX_DONE;
            }
        }
        d->asked = true;
        rc = ql_call_attempt(&pub->p.call);
        if (rc != NGX_OK) {
            return rc;
        }
        ql_call_again(&pub->p.call);
        d->asked = false;
        d->pos = 0;
    }
}

void
ql_next_dir(ql_dir_t *pub)
{
    dir_t *d = dir_of(&pub->p.call);

    QL_CHECK_THREAD(pub->p.call.loop);
    d->pos += entry_at(d, d->pos)->d_reclen;
}
