/*
 * slow.c: which file held the loop up.
 */
#include "../core/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum {
    SLOW = 1000000 /* ns */
};

/* /proc answers from memory. */
static void
name_file(ql_slow_t *slow, const ql_file_t *file)
{
    const ql_sys_t *sys = file->loop->sys;
    char link[sizeof("/proc/self/fd/") + 11];
    struct stat st = {.st_ino = 0};
    ssize_t n;

    (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", file->fd);
    n = sys->readlinkat(AT_FDCWD, link, slow->file, sizeof(slow->file) - 1);
    if (n >= 0) {
        slow->file[n] = '\0';
        return;
    }
    (void) sys->fstat(file->fd, &st);
    (void) snprintf(slow->file, sizeof(slow->file), "%u:%u %llu",
                    major(st.st_dev), minor(st.st_dev),
                    (unsigned long long) st.st_ino);
}

bool
ql__slow(ql_slow_t *slow, uint64_t ns, const ql_file_t *file)
{
    int err = errno;

    if (ns <= SLOW) {
        return false;
    }
    slow->count++;
    slow->ns = ns;
    name_file(slow, file);
    errno = err;
    return true;
}

const ql_slow_t *
ql_slow_submit(const ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    return &loop->slow_submit;
}

const ql_slow_t *
ql_slow_cached(const ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    return &loop->slow_cached;
}
