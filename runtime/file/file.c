/*
 * file.c: an open regular file and its holders.
 */
#include "../core/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#ifndef STATX_DIOALIGN
#define STATX_DIOALIGN 0x2000 /* Linux 6.1 */
#endif

enum {
    PAGE = 4096,
    DIRECT_ALIGN = 4096, /* where the kernel cannot say */
    DIRECT_UNTRIED = -1,
    DIRECT_NONE = -2
};

void
ql__file_no_nowait(ql_file_t *file)
{
    if (file->no_nowait) {
        return;
    }
    file->no_nowait = 1;
    file->loop->stats.read_nowait_unsupported++;
    ql__device(file->loop, file->dev)->no_nowait = true;
}

void
ql__file_no_direct(ql_file_t *file, bool hint)
{
    if (file->no_direct) {
        return;
    }
    file->no_direct = 1;
    file->loop->stats.read_direct_unsupported++;
    if (hint) {
        ql__device(file->loop, file->dev)->no_direct = true;
    }
}

static void
apply_hints(ql_file_t *file, const ql__opened_t *opened)
{
    uint32_t type = opened->type;
    const ql_device_t *device;

    file->dev = ql__device_key(opened->dev, type);
    file->memory = type == TMPFS_MAGIC || type == RAMFS_MAGIC;
    file->local = ql__local_type(type);
    device = ql__device(file->loop, file->dev);
    if (file->direct && device->no_direct) {
        ql__file_no_direct(file, false);
    }
    file->no_nowait_write = device->no_nowait_write;
    if (device->no_nowait) {
        ql__file_no_nowait(file);
    }
}

int
ql__file_look(const ql_sys_t *sys, ql__opened_t *opened, mode_t *mode)
{
    struct statfs fs;
    struct stat st;

    if (sys->fstat(opened->fd, &st) == -1) {
        return -1;
    }
    if (opened->type == 0 || opened->dev != st.st_dev) {
        opened->type = sys->fstatfs(opened->fd, &fs) == 0 ? (uint32_t) fs.f_type
                                                          : 0;
    }
    opened->dev = st.st_dev;
    opened->ino = st.st_ino;
    opened->size = (uint64_t) st.st_size;
    opened->mtime = st.st_mtim;
    *mode = st.st_mode;
    return 0;
}

/* What statx says about direct I/O; 0: this file has none. */
static uint32_t
direct_alignment(const ql_sys_t *sys, int fd)
{
    struct statx stx;
    uint32_t align;

    memset(&stx, 0, sizeof(stx));
    if (sys->statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) == -1
        || !(stx.stx_mask & STATX_DIOALIGN))
    {
        return DIRECT_ALIGN;
    }
    align = stx.stx_dio_offset_align;
    /* One alignment for all: reads that go on in the middle of a buffer keep
     * it. Also aligned_alloc's minimum. */
    if (align < stx.stx_dio_mem_align) {
        align = stx.stx_dio_mem_align;
    }
    return align == 0 || align >= 512 ? align : 512;
}

ql__direct_t
ql__file_open_direct(const ql_sys_t *sys, int fd)
{
    char path[sizeof("/proc/self/fd/") + 11];
    ql__direct_t direct = {.tried = true, .fd = -1, .err = EOPNOTSUPP};

    direct.align = direct_alignment(sys, fd);
    if (direct.align == 0) {
        return direct;
    }
    (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    direct.fd = sys->open(path, O_RDONLY | O_DIRECT | O_CLOEXEC, 0);
    direct.err = direct.fd == -1 ? errno : 0;
    return direct;
}

/* Out of descriptors: only now. The rest stays as it is. */
static bool
is_shortage(int err)
{
    return err == EMFILE || err == ENFILE || err == ENOMEM;
}

static void
direct_opened(ql_file_t *file, const ql__direct_t *direct)
{
    file->direct_fd = direct->fd;
    if (direct->fd != -1) {
        /* A buffer that shares its pages costs the disk a segment more. */
        file->mem_align = direct->align > PAGE ? direct->align : PAGE;
        file->off_align = direct->align;
    } else if (!is_shortage(direct->err)) {
        file->direct_fd = DIRECT_NONE;
        ql__file_no_direct(file, direct->err == EINVAL);
    }
}

void
ql__file_opened(ql_file_t *file, const ql__opened_t *opened)
{
    file->fd = opened->fd;
    file->direct_fd = DIRECT_UNTRIED;
    apply_hints(file, opened);
    if (opened->direct.tried) {
        direct_opened(file, &opened->direct);
    }
    file->loop->stats.files_live++;
}

int
ql__file_direct(ql_file_t *file)
{
    ql__direct_t direct;

    if (file->no_direct) {
        return -1;
    }
    if (file->direct_fd == DIRECT_UNTRIED && file->local) {
        direct = ql__file_open_direct(file->loop->sys, file->fd);
        direct_opened(file, &direct);
    }
    return file->direct_fd >= 0 ? file->direct_fd : -1;
}

int64_t
ql_file_size(ql_file_t *file)
{
    struct stat st;

    QL_CHECK_THREAD(file->loop);
    if (file->loop->sys->fstat(file->fd, &st) == -1) {
        return -1;
    }
    return st.st_size;
}

ql_file_t *
ql_file_open(ql_loop_t *loop, const char *path, int flags)
{
    ql_open_opts_t opts = {.direct = (flags & QL_FILE_DIRECT) != 0};
    ql_open_t *o;
    ql_file_t *file = NULL;
    int err;

    QL_CHECK_THREAD(loop);
    o = ql_open_create(loop, path, &opts);
    if (o == NULL) {
        return NULL;
    }
    o->call.type->run(&o->call);
    err = o->call.err;
    if (o->call.res == 0) {
        file = ql_open_take(o);
    }
    ql_call_free(&o->call);
    errno = err;
    return file;
}
