/*
 * open.c: opening a file as a call: on the loop's thread where the kernel
 * promises that the look-up does not wait (RESOLVE_CACHED) and the file system
 * is known to be local, so that neither does open(2); else on a thread.
 */
#include "../core/loop.h"
#include "../fs/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

enum {
    /* O_NONBLOCK: the open of a FIFO would wait for its other end. */
    ALWAYS = O_CLOEXEC | O_NONBLOCK | O_NOCTTY
};

typedef struct {
    ql_open_t pub;     /* first */
    ql_file_t *file;   /* its memory; NULL: taken */
    const char *root;  /* in names; NULL: none */
    uint64_t directio; /* ql_open_opts_t's, as are: */
    unsigned permissions;
    int flags;
    bool direct;
    bool miss_direct;
    bool no_direct;    /* its device is known to have none */
    bool cached;       /* opened by the attempt */
    bool keep;         /* the open-file cache is told the result */
    ql_file_t *shared; /* that it had, held; NULL: taken, or it had none */
    ql__opened_t opened;
    char names[]; /* path and root */
} ql__open_t;

static ql__open_t *
open_of(ql_call_t *call)
{
    return (ql__open_t *) (void *) call;
}

static int
open_at(const ql__open_t *o, int dir, const char *path, int flags,
        uint64_t resolve)
{
    struct open_how how = {.flags = (unsigned) flags,
                           .mode = flags & O_CREAT ? o->permissions : 0,
                           .resolve = resolve};

    return ql__open_at(o->pub.call.loop->sys, dir, path, &how);
}

/* DONT_SYNC: nobody is asked for attributes. The number of a disk keeps its
 * type, others go to the next mount: of these it is asked for again. */
static bool
is_local_file(ql__open_t *o, int fd)
{
    ql_loop_t *loop = o->pub.call.loop;
    struct statx stx;
    uint32_t type;

    if (loop->sys->statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE,
                         &stx)
            == -1
        || !S_ISREG(stx.stx_mode))
    {
        return false;
    }
    o->opened.dev = makedev(stx.stx_dev_major, stx.stx_dev_minor);
    type = ql__device_type(loop, o->opened.dev);
    o->no_direct =
        type != 0
        && ql__device(loop, ql__device_key(o->opened.dev, type))->no_direct;
    o->opened.type = stx.stx_dev_major != 0 ? type : 0;
    return ql__local_type(type);
}

/* O_PATH opens nothing: no server is asked, no hardware. Another file may have
 * taken the path when it is opened; that costs time at worst. */
static int
probe(ql__open_t *o, int dir, uint64_t resolve)
{
    int fd = open_at(o, dir, o->pub.path, O_PATH | O_CLOEXEC, resolve);
    bool local;

    if (fd == -1) {
        return -1;
    }
    local = is_local_file(o, fd);
    o->pub.call.loop->sys->close(fd);
    errno = EAGAIN;
    return local ? 0 : -1;
}

static int
open_below(ql__open_t *o, int dir, uint64_t resolve)
{
    int flags = ALWAYS | (o->flags & ~O_TRUNC);

    if ((resolve & RESOLVE_CACHED) && probe(o, dir, resolve) == -1) {
        return -1;
    }
    return open_at(o, dir, o->pub.path, flags, resolve);
}

/* resolve: RESOLVE_CACHED or 0. The descriptor, or -1 with errno. */
static int
open_path(ql__open_t *o, uint64_t resolve)
{
    const ql_sys_t *sys = o->pub.call.loop->sys;
    int dir, fd, err;

    if (o->root == NULL) {
        return open_below(o, AT_FDCWD, resolve);
    }
    dir = open_at(o, AT_FDCWD, o->root, O_PATH | O_DIRECTORY | O_CLOEXEC,
                  resolve);
    if (dir == -1) {
        o->pub.at = o->root;
        return -1;
    }
    fd = open_below(o, dir, resolve | QL__BENEATH);
    err = errno;
    sys->close(dir);
    errno = err;
    return fd;
}

static int
fail(ql__open_t *o, int err, const char *why)
{
    o->pub.call.res = -1;
    o->pub.call.err = err;
    o->pub.why = why;
    return NGX_ERROR;
}

static int
not_opened(ql__open_t *o, int err)
{
    if (err == ENXIO) { /* a socket, a FIFO that nobody reads, no device */
        return fail(o, EINVAL, "not a regular file");
    }
    return fail(o, err, o->root != NULL ? ql__root_error(err) : NULL);
}

static bool
wants_direct(const ql__open_t *o)
{
    return o->direct || (o->directio != 0 && o->opened.size >= o->directio);
}

/* The second open of what is not local is no matter of the loop either. */
static void
look_direct(ql__open_t *o)
{
    if ((o->flags & O_ACCMODE) != O_WRONLY && !o->no_direct
        && !ql__local_type(o->opened.type)
        && (o->miss_direct || wants_direct(o)))
    {
        o->opened.direct = ql__file_open_direct(o->pub.call.loop->sys,
                                                o->opened.fd);
    }
}

/* Sets `opened`. Truncated only once it is known to be a file. */
static int
look(ql__open_t *o)
{
    const ql_sys_t *sys = o->pub.call.loop->sys;
    mode_t mode;

    if (ql__file_look(sys, &o->opened, &mode) == -1) {
        return fail(o, errno, NULL);
    }
    if (S_ISDIR(mode)) {
        return fail(o, EISDIR, NULL);
    }
    if (!S_ISREG(mode)) {
        return fail(o, EINVAL, "not a regular file");
    }
    if ((o->flags & O_TRUNC) && sys->ftruncate(o->opened.fd, 0) == -1) {
        return fail(o, errno, NULL);
    }
    look_direct(o);
    return NGX_OK;
}

static int
open_and_look(ql__open_t *o, uint64_t resolve)
{
    o->pub.at = o->pub.path;
    o->opened.type = 0;
    o->opened.direct.tried = false;
    o->opened.fd = open_path(o, resolve);
    if (o->opened.fd == -1) {
        return not_opened(o, errno);
    }
    if (look(o) == NGX_OK) {
        return NGX_OK;
    }
    o->pub.call.loop->sys->close(o->opened.fd);
    o->opened.fd = -1;
    return NGX_ERROR;
}

/* EPERM, EINVAL: may also be a seccomp filter's or an old kernel's word. */
static bool
thread_may(const ql__open_t *o)
{
    int err = o->pub.call.err;

    return err == EAGAIN || err == ENOSYS
        || (o->pub.why == NULL && (err == EPERM || err == EINVAL));
}

static ql__cache_key_t
key_of(const ql__open_t *o)
{
    return (ql__cache_key_t){.path = o->pub.path,
                             .root = o->root,
                             .directio = o->directio,
                             .direct = o->direct,
                             .miss_direct = o->miss_direct};
}

/* A relative path is another file's after a chdir(). */
static bool
may_be_kept(const ql__open_t *o)
{
    const char *from = o->root != NULL ? o->root : o->pub.path;

    return o->flags == O_RDONLY && from[0] == '/';
}

static int
ask_cache(ql__open_t *o)
{
    ql_loop_t *loop = o->pub.call.loop;
    ql__cache_key_t key = key_of(o);
    bool at_root = false;
    int rc, err = 0;

    if (loop->conf.open_file_cache == 0 || !may_be_kept(o)) {
        return NGX_DECLINED;
    }
    rc = ql__cache_find(loop, &key, &o->shared, &err, &at_root);
    o->keep = rc == NGX_DECLINED;
    if (rc == NGX_ERROR) {
        o->pub.at = at_root ? o->root : o->pub.path;
        return fail(o, err, NULL);
    }
    return rc;
}

static int
open_attempt(ql_call_t *call)
{
    ql__open_t *o = open_of(call);
    ql_loop_t *loop = call->loop;
    int rc = ask_cache(o);

    if (rc != NGX_DECLINED) {
        return rc;
    }
    /* The promise covers the look-up alone: overlayfs, for one, copies a whole
     * file up when it is opened for writing. */
    if (loop->no_openat2 || o->flags != O_RDONLY) {
        return NGX_DECLINED;
    }
    if (open_and_look(o, RESOLVE_CACHED) == NGX_OK) {
        o->cached = true;
        return NGX_OK;
    }
    loop->no_openat2 = call->err == ENOSYS;
    if (!thread_may(o)) {
        return NGX_ERROR;
    }
    call->res = 0;
    return NGX_DECLINED;
}

static void
open_run(ql_call_t *call)
{
    (void) open_and_look(open_of(call), 0);
}

static void
open_release(ql_call_t *call)
{
    ql__open_t *o = open_of(call);

    /* -1: lost by a fork, say: the number may be another file's by now. */
    if ((call->res != -1 && o->opened.fd != -1) || o->shared != NULL) {
        ql_file_close(ql_open_take(&o->pub));
    }
    if (o->keep && call->res == -1) {
        ql__cache_key_t key = key_of(o);

        ql__cache_failed(call->loop, &key, call->err, o->pub.at == o->root);
    }
    ql__free(call->loop, o->file);
}

static const ql_call_type_t open_type = {"open",       open_attempt, open_run,
                                         open_release, NULL,         NULL};

ql_open_t *
ql_open_create(ql_loop_t *loop, const char *path, const ql_open_opts_t *opts)
{
    size_t length = strlen(path) + 1;
    size_t below = opts->root != NULL ? strlen(opts->root) + 1 : 0;
    ql__open_t *o;

    QL_CHECK_THREAD(loop);
    o = ql_call_create(loop, &open_type, sizeof(*o) + length + below);
    if (o == NULL) {
        return NULL;
    }
    memcpy(o->names, path, length);
    o->pub.path = o->names;
    if (opts->root != NULL) {
        memcpy(o->names + length, opts->root, below);
        o->root = o->names + length;
    }
    o->flags = opts->flags;
    o->permissions = opts->permissions;
    o->direct = opts->direct;
    o->miss_direct = opts->miss_direct;
    o->directio = opts->directio;
    o->opened.fd = -1;
    o->file = ql__alloc(loop, sizeof(*o->file));
    if (o->file == NULL) {
        ql_call_free(&o->pub.call);
        errno = ENOMEM;
        return NULL;
    }
    return &o->pub;
}

/* What was opened, as a file of its own. */
static ql_file_t *
make_file(ql__open_t *o)
{
    ql_loop_t *loop = o->pub.call.loop;
    ql_file_t *file = o->file;

    *file = (ql_file_t){.loop = loop,
                        .refs = 1,
                        .readable = (o->flags & O_ACCMODE) != O_WRONLY,
                        .writable = (o->flags & O_ACCMODE) != O_RDONLY,
                        .append = (o->flags & O_APPEND) != 0};
    file->miss_direct = o->miss_direct;
    file->direct = wants_direct(o);
    ql__file_opened(file, &o->opened);
    loop->stats.open_cached += o->cached;
    loop->stats.open_pool += !o->cached;
    ql_log_debug(loop, QL_DEBUG_AIO, "file open: %s fd:%d", o->pub.path,
                 file->fd);
    o->opened.fd = -1;
    o->file = NULL;
    return file;
}

ql_file_t *
ql_open_take(ql_open_t *pub)
{
    ql__open_t *o = open_of(&pub->call);
    ql_file_t *file = o->shared;
    ql__cache_key_t key;

    QL_CHECK_THREAD(pub->call.loop);
    if (file != NULL) {
        o->shared = NULL;
        return file;
    }
    file = make_file(o);
    if (o->keep) {
        key = key_of(o);
        file = ql__cache_keep(pub->call.loop, &key, &o->opened, file);
    }
    return file;
}
