/*
 * write.c: bytes on their way into a file: what the page cache takes without
 * waiting, and a copy of the rest that a thread writes.
 */
#include "../core/loop.h"

#include <errno.h>
#include <string.h>

enum {
    WRITE_CACHED = 64 * 1024 /* by one call on the loop: 20 us at most */
};

typedef struct {
    ql_write_t pub; /* first */
    int fd;
    bool append;
    char *data; /* a copy of pub.size bytes */
} ql__write_t;

/*
 * Moves *offset behind the bytes written. Of a file opened for appending only
 * its own position tells where they went: others append too.
 */
static ssize_t
write_once(const ql_sys_t *sys, int fd, bool append, const struct iovec *iov,
           off_t *offset, int flags)
{
    ssize_t n;
    off_t end;

    do {
        n = sys->pwritev2(fd, iov, 1, append ? -1 : *offset, flags);
    } while (n == -1 && errno == EINTR);
    if (n > 0) {
        end = append ? sys->lseek(fd, 0, SEEK_CUR) : -1;
        *offset = end != -1 ? end : *offset + n;
    }
    return n;
}

/* ---- on the loop ---- */

static void
no_nowait_write(ql_file_t *file)
{
    file->no_nowait_write = 1;
    file->loop->stats.write_nowait_unsupported++;
    ql__device(file->loop, file->dev)->no_nowait_write = true;
}

ssize_t
ql_file_write_cached(ql_file_t *file, const void *buf, size_t size,
                     off_t *offset)
{
    struct iovec iov = {.iov_base = (void *) (uintptr_t) buf, .iov_len = size};
    ql_loop_t *loop = file->loop;
    ssize_t n;

    QL_CHECK_THREAD(file->loop);
    if (size > WRITE_CACHED || (file->no_nowait_write && !file->memory)) {
        return NGX_AGAIN;
    }
    n = write_once(loop->sys, file->fd, file->append, &iov, offset,
                   file->memory ? 0 : RWF_NOWAIT);
    if (n > 0 || (n == 0 && size == 0)) {
        loop->stats.write_hits++;
        return n;
    }
    if (n == 0 || errno == EAGAIN) {
        loop->stats.write_misses++;
        return NGX_AGAIN;
    }
    if (errno == EOPNOTSUPP || errno == ENOSYS) {
        no_nowait_write(file);
        return NGX_AGAIN;
    }
    return NGX_ERROR;
}

/* One that would have been small enough. */
static void
count_fallback(ql_file_t *file, size_t size)
{
    if (size <= WRITE_CACHED && file->no_nowait_write && !file->memory) {
        ql__fallback(file, QL__FALLBACK_WRITE);
    }
}

/* ---- a thread ---- */

static ql__write_t *
write_of(ql_call_t *call)
{
    return (ql__write_t *) (void *) call;
}

/* On a thread. */
static void
write_run(ql_call_t *call)
{
    ql__write_t *w = write_of(call);
    struct iovec iov;
    ssize_t n;

    while (w->pub.nbytes < w->pub.size) {
        iov.iov_base = w->data + w->pub.nbytes;
        iov.iov_len = w->pub.size - w->pub.nbytes;
        n = write_once(call->loop->sys, w->fd, w->append, &iov, &w->pub.next,
                       0);
        if (n <= 0) {
            call->res = -1;
            call->err = n == 0 ? EIO : errno;
            return;
        }
        w->pub.nbytes += (size_t) n;
    }
    call->res = (int64_t) w->pub.nbytes;
}

static void
write_release(ql_call_t *call)
{
    ql__write_t *w = write_of(call);

    ql__free(call->loop, w->data);
    ql__file_release(w->pub.file);
}

static const ql_call_type_t write_type = {
    .name = "write", .run = write_run, .release = write_release};

ql_write_t *
ql_write_create(ql_file_t *file, const void *buf, size_t size, off_t offset)
{
    ql_loop_t *loop = file->loop;
    ql__write_t *w;

    QL_CHECK_THREAD(file->loop);
    if (size > QL_WRITE_MAX || offset < 0) {
        errno = EINVAL;
        return NULL;
    }
    w = ql_call_create(loop, &write_type, sizeof(*w));
    if (w == NULL) {
        return NULL;
    }
    ql__file_hold(file);
    w->pub.file = file;
    w->data = ql__alloc(loop, size > 0 ? size : 1);
    if (w->data == NULL) {
        ql_call_free(&w->pub.call);
        errno = ENOMEM;
        return NULL;
    }
    memcpy(w->data, buf, size);
    w->pub.size = size;
    w->pub.next = offset;
    w->fd = file->fd;
    w->append = file->append;
    loop->stats.write_pool++;
    count_fallback(file, size);
    return &w->pub;
}
