/*
 * stat.c: what a path leads to. What the kernel has in its caches is told on
 * the loop's thread where the file system is known to be local: others may ask
 * a server for what they have cached.
 */
#include "fs.h"

#include <sys/sysmacros.h>
#include <sys/vfs.h>

typedef struct {
    ql_info_call_t pub; /* first */
    bool nofollow;      /* a symbolic link itself */
    ql_file_t *file;    /* the open file asked about; NULL: a path */
    int fd;             /* what path leads to, of a file system that is not
                           known: the thread learns its type; -1: none */
    uint32_t type;      /* that, statfs's f_type; 0: none */
} info_t;

static info_t *
info_of(ql_call_t *call)
{
    return (info_t *) (void *) call;
}

static int64_t
nanoseconds(const struct statx_timestamp *t)
{
    return t->tv_sec * INT64_C(1000000000) + t->tv_nsec;
}

static void
fill(ql_file_info_t *info, const struct statx *stx)
{
    *info = (ql_file_info_t){
        .dev = makedev(stx->stx_dev_major, stx->stx_dev_minor),
        .ino = stx->stx_ino,
        .size = stx->stx_size,
        .blocks = stx->stx_blocks,
        .mode = stx->stx_mode,
        .nlink = stx->stx_nlink,
        .uid = stx->stx_uid,
        .gid = stx->stx_gid,
        .atime = nanoseconds(&stx->stx_atime),
        .mtime = nanoseconds(&stx->stx_mtime),
        .ctime = nanoseconds(&stx->stx_ctime),
        .birthtime = nanoseconds(&stx->stx_btime),
        .birthtime_known = (stx->stx_mask & STATX_BTIME) != 0,
    };
}

static int
look(info_t *i, int dir, const char *path, int flags)
{
    struct statx stx;

    if (i->pub.p.call.loop->sys->statx(dir, path, flags,
                                       STATX_BASIC_STATS | STATX_BTIME, &stx)
        == -1)
    {
        return -1;
    }
    fill(&i->pub.info, &stx);
    return 0;
}

static int
open_path(info_t *i, uint64_t resolve)
{
    return ql__path_open(&i->pub.p, i->pub.p.path,
                         O_PATH | (i->nofollow ? O_NOFOLLOW : 0), 0, resolve);
}

/* A look-up that would wait is EAGAIN; of the failures that need no waiting
 * only the one that is common is believed. */
static int
info_attempt(ql_call_t *call)
{
    info_t *i = info_of(call);
    const ql_sys_t *sys = call->loop->sys;
    int fd = open_path(i, RESOLVE_CACHED);
    uint32_t type;
    int rc;

    if (fd == -1) {
        if (errno != ENOENT) {
            return NGX_DECLINED;
        }
        ql__call_result(call, -1);
        return NGX_ERROR;
    }
    rc = look(i, fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC);
    type = ql__device_type(call->loop, i->pub.info.dev);
    if (rc == 0 && type == 0) {
        i->fd = fd;
        return NGX_DECLINED;
    }
    sys->close(fd);
    return rc == 0 && ql__local_type(type) ? NGX_OK : NGX_DECLINED;
}

/* By its path: an open would be one more question to a server. */
static int
look_at_path(info_t *i)
{
    return look(i, AT_FDCWD, i->pub.p.path,
                i->nofollow ? AT_SYMLINK_NOFOLLOW : 0);
}

static void
info_run(ql_call_t *call)
{
    info_t *i = info_of(call);
    const ql_sys_t *sys = call->loop->sys;
    struct statfs fs;

    if (i->fd == -1 && i->pub.p.root == NULL) {
        ql__call_result(call, look_at_path(i));
        return;
    }
    if (i->fd == -1) {
        i->fd = open_path(i, 0);
    }
    if (i->fd == -1) {
        ql__call_result(call, -1);
        return;
    }
    ql__call_result(call, look(i, i->fd, "", AT_EMPTY_PATH));
    if (call->res == 0 && sys->fstatfs(i->fd, &fs) == 0) {
        i->type = (uint32_t) fs.f_type;
    }
    (void) ql__close(sys, &i->fd);
}

static void
info_release(ql_call_t *call)
{
    info_t *i = info_of(call);

    (void) ql__close(call->loop->sys, &i->fd);
    if (i->type != 0) {
        (void) ql__device(call->loop, ql__device_key(i->pub.info.dev, i->type));
    }
}

static const ql_call_type_t info_type = {"stat",       info_attempt, info_run,
                                         info_release, NULL,         NULL};

static ql_info_call_t *
create(ql_loop_t *loop, const char *path, bool nofollow, const char *root)
{
    info_t *i = ql__path_call(loop, &info_type, sizeof(*i), path, NULL, root);

    if (i == NULL) {
        return NULL;
    }
    i->nofollow = nofollow;
    i->fd = -1;
    return &i->pub;
}

ql_info_call_t *
ql_file_info(ql_loop_t *loop, const char *path, const char *root)
{
    QL_CHECK_THREAD(loop);
    return create(loop, path, false, root);
}

ql_info_call_t *
ql_link_info(ql_loop_t *loop, const char *path, const char *root)
{
    QL_CHECK_THREAD(loop);
    return create(loop, path, true, root);
}

/* ---- of an open file ---- */

static void
open_info_run(ql_call_t *call)
{
    info_t *i = info_of(call);

    ql__call_result(call, look(i, i->file->fd, "", AT_EMPTY_PATH));
}

/* Others may ask a server. */
static int
open_info_attempt(ql_call_t *call)
{
    if (!info_of(call)->file->local) {
        return NGX_DECLINED;
    }
    open_info_run(call);
    return call->res == -1 ? NGX_ERROR : NGX_OK;
}

static void
open_info_release(ql_call_t *call)
{
    ql__file_release(info_of(call)->file);
}

static const ql_call_type_t open_info_type = {
    "stat", open_info_attempt, open_info_run, open_info_release, NULL, NULL};

ql_info_call_t *
ql_open_file_info(ql_file_t *file)
{
    info_t *i;

    QL_CHECK_THREAD(file->loop);
    i = ql__path_call(file->loop, &open_info_type, sizeof(*i), "", NULL, NULL);
    if (i == NULL) {
        return NULL;
    }
    i->file = file;
    ql__file_hold(file);
    return &i->pub;
}
