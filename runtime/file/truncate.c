/*
 * truncate.c: a new size for an open file. On a thread: blocks are given
 * back, also those of a file system in memory.
 */
#include "../core/loop.h"

#include <errno.h>

typedef struct {
    ql_call_t call; /* first */
    ql_file_t *file;
    int fd;
    off_t size;
} truncate_t;

static truncate_t *
truncate_of(ql_call_t *call)
{
    return (truncate_t *) (void *) call;
}

/* On a thread. */
static void
truncate_run(ql_call_t *call)
{
    truncate_t *t = truncate_of(call);
    int rc;

    do {
        rc = call->loop->sys->ftruncate(t->fd, t->size);
    } while (rc == -1 && errno == EINTR);
    ql__call_result(call, rc);
}

static void
truncate_release(ql_call_t *call)
{
    ql__file_release(truncate_of(call)->file);
}

static const ql_call_type_t truncate_type = {
    .name = "truncate", .run = truncate_run, .release = truncate_release};

ql_call_t *
ql_truncate_create(ql_file_t *file, off_t size)
{
    truncate_t *t;

    QL_CHECK_THREAD(file->loop);
    t = ql_call_create(file->loop, &truncate_type, sizeof(*t));
    if (t == NULL) {
        return NULL;
    }
    t->file = file;
    t->fd = file->fd;
    t->size = size;
    ql__file_hold(file);
    return &t->call;
}
