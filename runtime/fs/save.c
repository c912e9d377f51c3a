/*
 * save.c: a whole content into a file, as a call that writes a piece at a
 * time. Between two pieces the loop's thread copies the next one, so neither
 * a thread nor the loop is held for long, and a cancelled call ends there.
 */
#include "fs.h"

#include <string.h>

enum {
    PIECE = 1 << 20 /* copied in 0.1 ms */
};

typedef struct {
    ql_path_call_t p; /* first */
    const char *data; /* the caller's; the loop's thread only */
    size_t left;      /* bytes at data */
    unsigned permissions;
    int flags;       /* QL_SAVE_* */
    bool begun;      /* temp.fd is open */
    char *piece;     /* of PIECE bytes, or all if they are fewer */
    size_t nbytes;   /* in piece: the next to be written */
    bool synced;     /* everything is on the disk */
    ql__temp_t temp; /* appending: its fd alone */
} save_t;

static save_t *
save_of(ql_call_t *call)
{
    return (save_t *) (void *) call;
}

/* The next piece, for a thread. */
static int
save_attempt(ql_call_t *call)
{
    save_t *s = save_of(call);

    s->nbytes = s->left < PIECE ? s->left : PIECE;
    memcpy(s->piece, s->data, s->nbytes);
    s->data += s->nbytes;
    s->left -= s->nbytes;
    return NGX_DECLINED;
}

static int
open_append(const ql_sys_t *sys, save_t *s)
{
    struct stat st;

    s->temp.fd = ql__path_open(&s->p, s->p.path, O_WRONLY | O_CREAT | O_APPEND,
                               s->permissions, 0);
    if (s->temp.fd == -1) {
        /* ENXIO: a FIFO that nobody reads, a socket */
        return errno == ENXIO ? ql__check_regular(0, &s->p.why) : -1;
    }
    if (sys->fstat(s->temp.fd, &st) == -1) {
        return -1;
    }
    return ql__check_regular(st.st_mode, &s->p.why);
}

static int
begin(const ql_sys_t *sys, save_t *s)
{
    int rc;

    if (s->begun) {
        return 0;
    }
    rc = s->flags & QL_SAVE_APPEND
           ? open_append(sys, s)
           : ql__temp_beside(&s->p, &s->temp, s->p.path, s->permissions);
    s->begun = rc == 0;
    return rc;
}

static int
sync_file(const ql_sys_t *sys, int fd)
{
    int rc;

    do {
        rc = sys->fsync(fd);
    } while (rc == -1 && errno == EINTR);
    return rc;
}

/* Everything is written. A sync takes long, and who is cancelled meanwhile
 * keeps the old content: what comes after it is a step of its own. */
static int
end(const ql_sys_t *sys, save_t *s, int *more)
{
    if ((s->flags & QL_SAVE_SYNC) && !s->synced) {
        s->synced = true;
        *more = 1;
        return sync_file(sys, s->temp.fd);
    }
    return s->flags & QL_SAVE_APPEND ? ql__close(sys, &s->temp.fd)
                                     : ql__temp_commit(sys, &s->temp, false);
}

static int
save(const ql_sys_t *sys, save_t *s, int *more)
{
    if (begin(sys, s) == -1
        || ql__write_all(sys, s->temp.fd, s->piece, s->nbytes) == -1)
    {
        return -1;
    }
    if (s->left > 0) {
        *more = 1;
        return 0;
    }
    return end(sys, s, more);
}

static void
save_run(ql_call_t *call)
{
    const ql_sys_t *sys = call->loop->sys;
    save_t *s = save_of(call);
    int rc = save(sys, s, &call->more);

    if (rc == -1) {
        call->more = 0;
        ql__temp_discard(sys, &s->temp);
    }
    call->undo = s->temp.fd != -1;
    ql__call_result(call, rc);
}

static void
save_undo(ql_call_t *call)
{
    ql__temp_discard(call->loop->sys, &save_of(call)->temp);
}

static void
save_release(ql_call_t *call)
{
    ql__free(call->loop, save_of(call)->piece);
}

static const ql_call_type_t save_type = {"save",       save_attempt, save_run,
                                         save_release, save_undo,    NULL};

ql_path_call_t *
ql_save_file(ql_loop_t *loop, const char *path, const void *data, size_t size,
             unsigned permissions, int flags, const char *root)
{
    save_t *s;

    QL_CHECK_THREAD(loop);
    s = ql__path_call(loop, &save_type, sizeof(*s), path, NULL, root);
    if (s == NULL) {
        return NULL;
    }
    s->data = data;
    s->left = size;
    s->permissions = permissions;
    s->flags = flags;
    ql__temp_init(&s->temp);
    s->piece = ql__alloc(loop, size < PIECE ? size + 1 : PIECE);
    if (s->piece == NULL) {
        ql_call_free(&s->p.call);
        errno = ENOMEM;
        return NULL;
    }
    return &s->p;
}
