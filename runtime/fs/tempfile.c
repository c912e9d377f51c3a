/*
 * tempfile.c: a new file under a name that nobody can guess, as a call. What
 * its waiter does not take leaves nothing behind.
 */
#include "fs.h"

typedef struct {
    ql_tempfile_t pub; /* first */
    ql_file_t *file;   /* its memory; NULL: taken */
    int flags;         /* QL_TEMPFILE_* */
    ql__opened_t opened;
    ql__temp_t temp;
} tempfile_t;

static tempfile_t *
tempfile_of(ql_call_t *call)
{
    return (tempfile_t *) (void *) call;
}

static int
make(const ql_sys_t *sys, tempfile_t *t)
{
    int rc = ql__temp_open(sys, &t->temp, t->pub.p.path, t->pub.p.to, 0600);
    mode_t mode;

    if (rc == 0) {
        t->opened.fd = t->temp.fd;
        rc = ql__file_look(sys, &t->opened, &mode);
    }
    if (rc == 0 && (t->flags & QL_TEMPFILE_UNLINKED)) {
        rc = sys->unlinkat(AT_FDCWD, t->temp.path, 0);
        t->temp.there = rc == -1;
    }
    if (rc == -1) {
        ql__temp_discard(sys, &t->temp);
    }
    return rc;
}

static void
tempfile_run(ql_call_t *call)
{
    tempfile_t *t = tempfile_of(call);

    ql__call_result(call, make(call->loop->sys, t));
    call->undo = t->temp.fd != -1;
}

static void
tempfile_undo(ql_call_t *call)
{
    ql__temp_discard(call->loop->sys, &tempfile_of(call)->temp);
}

static void
tempfile_release(ql_call_t *call)
{
    ql__free(call->loop, tempfile_of(call)->file);
}

static const ql_call_type_t tempfile_type = {
    "tempfile", NULL, tempfile_run, tempfile_release, tempfile_undo, NULL};

ql_tempfile_t *
ql_open_tempfile(ql_loop_t *loop, const char *dir, const char *prefix,
                 int flags)
{
    tempfile_t *t;

    QL_CHECK_THREAD(loop);
    t = ql__path_call(loop, &tempfile_type, sizeof(*t), dir, prefix, NULL);
    if (t == NULL) {
        return NULL;
    }
    t->flags = flags;
    ql__temp_init(&t->temp);
    t->pub.name = flags & QL_TEMPFILE_UNLINKED ? NULL : t->temp.path;
    t->file = ql__alloc(loop, sizeof(*t->file));
    if (t->file == NULL) {
        ql_call_free(&t->pub.p.call);
        errno = ENOMEM;
        return NULL;
    }
    return &t->pub;
}

ql_file_t *
ql_tempfile_take(ql_tempfile_t *pub)
{
    tempfile_t *t = tempfile_of(&pub->p.call);
    ql_file_t *file = t->file;

    QL_CHECK_THREAD(pub->p.call.loop);
    *file = (ql_file_t){
        .loop = pub->p.call.loop, .refs = 1, .readable = 1, .writable = 1};
    ql__file_opened(file, &t->opened);
    t->file = NULL;
    t->temp.fd = -1;
    t->temp.there = false;
    pub->p.call.undo = 0;
    return file;
}
