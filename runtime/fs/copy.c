/*
 * copy.c: a copy of a file, as a call that copies a piece at a time: no thread
 * is held for long, and a cancelled call ends between two pieces.
 */
#include "fs.h"

enum {
    PIECE = 8 << 20,   /* in the kernel */
    BUFFER = 256 << 10 /* where the kernel cannot: through our memory */
};

typedef struct {
    ql_path_call_t p; /* first */
    int flags;        /* QL_COPY_EXCL */
    int from;         /* -1: not begun */
    bool plain;       /* copy_file_range cannot: read and write */
    uint64_t copied;  /* bytes so far */
    ql__temp_t temp;
} copy_t;

static copy_t *
copy_of(ql_call_t *call)
{
    return (copy_t *) (void *) call;
}

static int
open_source(const ql_sys_t *sys, copy_t *c, struct stat *st)
{
    c->from = ql__path_open(&c->p, c->p.path, O_RDONLY, 0, 0);
    if (c->from == -1) {
        /* ENXIO: a socket */
        return errno == ENXIO ? ql__check_regular(0, &c->p.why) : -1;
    }
    if (sys->fstat(c->from, st) == -1) {
        return -1;
    }
    return ql__check_regular(st->st_mode, &c->p.why);
}

/* Said before anything is copied; ql__temp_commit() has the last word. */
static int
check_free(const ql_sys_t *sys, copy_t *c)
{
    ql__place_t place;
    struct statx stx;
    int rc;

    if (!(c->flags & QL_COPY_EXCL)) {
        return 0;
    }
    rc = ql__place_find(&c->p, &place, c->p.to);
    if (rc == 0
        && sys->statx(place.dir, place.name, AT_SYMLINK_NOFOLLOW, STATX_TYPE,
                      &stx)
               == 0)
    {
        errno = EEXIST;
        rc = -1;
    }
    return ql__place_leave(sys, &place, rc);
}

static int
begin(const ql_sys_t *sys, copy_t *c)
{
    struct stat st;

    if (c->from != -1) {
        return 0;
    }
    if (open_source(sys, c, &st) == -1 || check_free(sys, c) == -1
        || ql__temp_beside(&c->p, &c->temp, c->p.to, 0600) == -1)
    {
        return -1;
    }
    return sys->fchmod(c->temp.fd, st.st_mode & 0777);
}

/* Errors that say: not these two files, or not this kernel. */
static bool
cannot(int err)
{
    return err == EXDEV || err == EINVAL || err == EOPNOTSUPP || err == ENOSYS
        || err == EPERM;
}

static ssize_t
copy_plain(const ql_sys_t *sys, copy_t *c)
{
    char *buf = sys->malloc(BUFFER);
    ssize_t n;

    if (buf == NULL) {
        errno = ENOMEM;
        return -1;
    }
    do {
        n = sys->read(c->from, buf, BUFFER);
    } while (n == -1 && errno == EINTR);
    if (n == -1) {
        c->p.at = c->p.path;
    }
    if (n > 0 && ql__write_all(sys, c->temp.fd, buf, (size_t) n) == -1) {
        n = -1;
    }
    sys->free(buf);
    return n;
}

/* The next piece: its bytes, 0 at the end, -1 with errno. What the kernel
 * writes goes into its cache: EIO is about what it reads. */
static ssize_t
copy_piece(const ql_sys_t *sys, copy_t *c)
{
    ssize_t n;

    if (c->plain) {
        return copy_plain(sys, c);
    }
    do {
        n = sys->copy_file_range(c->from, NULL, c->temp.fd, NULL, PIECE, 0);
    } while (n == -1 && errno == EINTR);
    /* 0 at once: empty, or a file of /proc, whose size is 0 though it has
     * bytes; reading tells. */
    if (c->copied == 0 && (n == 0 || (n == -1 && cannot(errno)))) {
        c->plain = true;
        return copy_plain(sys, c);
    }
    if (n == -1 && errno == EIO) {
        c->p.at = c->p.path;
    }
    return n;
}

static void
discard(const ql_sys_t *sys, copy_t *c)
{
    int err = errno;

    ql__temp_discard(sys, &c->temp);
    (void) ql__close(sys, &c->from);
    errno = err;
}

static int
copy(ql_call_t *call, copy_t *c)
{
    const ql_sys_t *sys = call->loop->sys;
    ssize_t n;

    if (begin(sys, c) == -1) {
        return -1;
    }
    n = copy_piece(sys, c);
    if (n > 0) {
        c->copied += (uint64_t) n;
        call->more = 1;
        return 0;
    }
    if (n == -1) {
        return -1;
    }
    return ql__temp_commit(sys, &c->temp, (c->flags & QL_COPY_EXCL) != 0);
}

static void
copy_run(ql_call_t *call)
{
    copy_t *c = copy_of(call);
    int rc = copy(call, c);

    if (rc == -1 || !call->more) {
        discard(call->loop->sys, c);
    }
    call->undo = c->from != -1;
    ql__call_result(call, rc == -1 ? -1 : (int64_t) c->copied);
}

static void
copy_undo(ql_call_t *call)
{
    discard(call->loop->sys, copy_of(call));
}

static const ql_call_type_t copy_type = {"copy", NULL,      copy_run,
                                         NULL,   copy_undo, NULL};

ql_path_call_t *
ql_copy_file(ql_loop_t *loop, const char *from, const char *to, int flags,
             const char *root)
{
    copy_t *c;

    QL_CHECK_THREAD(loop);
    c = ql__path_call(loop, &copy_type, sizeof(*c), from, to, root);
    if (c == NULL) {
        return NULL;
    }
    c->flags = flags;
    c->from = -1;
    ql__temp_init(&c->temp);
    return &c->p;
}
