/*
 * cached.c: lane 1, what the page cache has.
 */
#include "../core/loop.h"

#include <errno.h>

enum {
    PAGE = 4096,
    /* A miss starts the readahead of what was asked for, on the loop. */
    CACHED_CALL = 64 * 1024,
    /* Of more than that the time is taken: 44 ns, a tenth of a 4 KiB read. */
    CACHED_TIMED = 16 * 1024,
    CACHED_SURE = 15,  /* hits in a row: of less no more */
    CHUNK = 64 * 1024, /* proven as a whole, and remembered for so many ms: */
    PROVEN_FOR = 10
};

static ssize_t
read_nowait(ql_file_t *file, void *buf, size_t size, off_t offset)
{
    const ql_sys_t *sys = file->loop->sys;
    struct iovec iov = {.iov_base = buf, .iov_len = size};
    ssize_t n;

    do {
        n = file->memory ? sys->pread(file->fd, buf, size, offset)
                         : sys->preadv2(file->fd, &iov, 1, offset, RWF_NOWAIT);
    } while (n == -1 && errno == EINTR);
    if (n >= 0) {
        return n;
    }
    if (errno == EAGAIN) {
        return NGX_AGAIN;
    }
    if (errno == EOPNOTSUPP || errno == ENOSYS) {
        ql__file_no_nowait(file);
        return NGX_AGAIN;
    }
    return NGX_ERROR;
}

static bool
skipped(const ql_file_t *file)
{
    if (file->memory) {
        return false;
    }
    return file->no_nowait || (file->direct && !file->no_direct);
}

/* Bytes, in parts; *last is what the last part gave. */
static size_t
read_parts(ql_file_t *file, char *buf, size_t size, off_t offset, ssize_t *last)
{
    size_t done = 0;
    size_t part;

    *last = 0;
    while (done < size) {
        part = size - done < CACHED_CALL ? size - done : CACHED_CALL;
        *last = read_nowait(file, buf + done, part, offset + (off_t) done);
        if (*last <= 0) {
            break;
        }
        done += (size_t) *last;
        if ((size_t) *last < part) {
            break;
        }
    }
    return done;
}

/* ---- misses that wait ---- */

/*
 * A miss starts the readahead of what it did not find. Where the file system
 * has to read first where that lies (the extents of a fragmented ext4 file),
 * preadv2 waits for it, RWF_NOWAIT or not. Nothing tells before. So a file on
 * which that has happened is asked by cachestat, which starts nothing.
 */
static bool
would_wait(ql_file_t *file, off_t offset, size_t size)
{
    off_t from = offset / PAGE;
    ssize_t there;
    int64_t end;

    if (!file->slow_miss || file->no_cachestat || file->loop->no_cachestat
        || size == 0)
    {
        return false;
    }
    there = file->loop->sys->cachestat(file->fd, offset, size);
    if (there == -1) {
        file->loop->no_cachestat = errno == ENOSYS;
        file->no_cachestat = 1;
        return false;
    }
    end = offset + (off_t) size;
    if (there > 0 && there <= (end - 1) / PAGE - from) {
        int64_t length = ql_file_size(file);

        end = length > offset && length < end ? length : end;
    }
    return there <= (end - 1) / PAGE - from;
}

/* Until it has had some hits in a row the next may be a miss, whose time has
 * to be known. */
static uint64_t
start_timing(const ql_file_t *file, size_t size)
{
    return size > CACHED_TIMED || file->hits < CACHED_SURE
             ? ql__clock(file->loop)
             : 0;
}

static void
stop_timing(ql_file_t *file, uint64_t start, bool missed)
{
    ql_loop_t *loop = file->loop;

    if (start != 0
        && ql__slow(&loop->slow_cached, ql__clock(loop) - start, file)
        && missed)
    {
        file->slow_miss = 1;
    }
    if (missed) {
        file->hits = 0;
    } else if (file->hits < CACHED_SURE) {
        file->hits++;
    }
}

static size_t
read_timed(ql_file_t *file, char *buf, size_t size, off_t offset, ssize_t *last)
{
    uint64_t start = file->memory ? 0 : start_timing(file, size);
    size_t done = read_parts(file, buf, size, offset, last);

    /* Short: what followed was missed, or the file ends. */
    stop_timing(file, start, done < size && *last != 0);
    return done;
}

ssize_t
ql_file_read_cached(ql_file_t *file, void *buf, size_t size, off_t offset)
{
    ql_stats_t *stats = &file->loop->stats;
    size_t done;
    ssize_t n;

    QL_CHECK_THREAD(file->loop);
    if (skipped(file)) {
        return NGX_AGAIN;
    }
    if (would_wait(file, offset, size)) {
        ql__fallback(file, QL__FALLBACK_SLOW);
        return NGX_AGAIN;
    }
    done = read_timed(file, buf, size, offset, &n);
    if (done == 0 && n < 0) {
        stats->read_misses += n == NGX_AGAIN && !file->no_nowait;
        return n;
    }
    /* Part of it: the caller asks for the rest, and that decides. */
    stats->read_hits += done == size || done == 0;
    return (ssize_t) done;
}

/* One read of two bytes proves two pages: it is of the last byte of the first
 * and the first of the second. */
static off_t
proven(ql_file_t *file, off_t offset, off_t end)
{
    off_t at = offset;
    char bytes[2];

    while (at < end) {
        off_t last = at | (PAGE - 1);
        off_t probe = last < end ? last : end - 1;
        size_t want = probe + 1 < end ? 2 : 1;
        ssize_t n = read_nowait(file, bytes, want, probe);

        if (n > 0) {
            at = n == 1 ? last + 1 : last + 1 + PAGE;
        }
        if (n < (ssize_t) want) {
            break;
        }
    }
    return at < end ? at : end;
}

/* What was there a moment ago, and was used, is there: the kernel takes pages
 * that nobody uses first. */
static bool
still_proven(const ql_file_t *file, off_t offset)
{
    const ql_proven_t *p = &file->proven[offset / CHUNK % QL_PROVEN];

    return p->at != 0 && p->chunk == offset / CHUNK
        && (uint32_t) file->loop->msec - p->at < PROVEN_FOR;
}

static void
remember(ql_file_t *file, off_t offset)
{
    file->proven[offset / CHUNK % QL_PROVEN] = (ql_proven_t){
        .chunk = (uint32_t) (offset / CHUNK),
        .at = (uint32_t) file->loop->msec};
}

static size_t
prove(ql_file_t *file, off_t offset, off_t to)
{
    uint64_t start;
    off_t end;

    if (skipped(file) || would_wait(file, offset, (size_t) (to - offset))) {
        return 0;
    }
    start = ql__clock(file->loop);
    end = proven(file, offset, to);
    stop_timing(file, start, end < to);
    if (offset % CHUNK == 0 && end - offset == CHUNK) {
        remember(file, offset);
    }
    return (size_t) (end - offset);
}

size_t
ql__file_resident(ql_file_t *file, off_t offset, size_t size)
{
    off_t to = offset + (off_t) size;
    off_t at = offset;

    if (file->memory) {
        return size;
    }
    while (at < to && still_proven(file, at)) {
        at += CHUNK - at % CHUNK;
    }
    if (at > offset) {
        return (size_t) ((at < to ? at : to) - offset);
    }
    at += CHUNK - at % CHUNK;
    return prove(file, offset, at < to ? at : to);
}
