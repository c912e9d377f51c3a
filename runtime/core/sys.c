/*
 * sys.c: the real system calls. A member is libc's or libaio's own symbol
 * wherever the shape is the same.
 */
#include "loop.h"

#include <dirent.h>
#include <fcntl.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Where a process was started without stdin, stdout or stderr, none of the
 * loop's own descriptors takes that number: whoever reads or writes there would
 * meet the loop's works. */
static int
above_stdio(int fd)
{
    int above, err;

    if (fd < 0 || fd > STDERR_FILENO) {
        return fd;
    }
    above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    err = errno;
    (void) close(fd);
    errno = err;
    return above;
}

static int
sys_epoll_create1(int flags)
{
    return above_stdio(epoll_create1(flags));
}

static int
sys_eventfd(unsigned count, int flags)
{
    return above_stdio(eventfd(count, flags));
}

/* fd: -1, a new one. */
static int
sys_signalfd(int fd, const sigset_t *mask, int flags)
{
    return above_stdio(signalfd(fd, mask, flags));
}

static int
sys_inotify_init1(int flags)
{
    return above_stdio(inotify_init1(flags));
}

static int
sys_fionread(int fd, int *bytes)
{
    return ioctl(fd, FIONREAD, bytes);
}

static int
sys_dup(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static int
sys_fcntl(int fd, int command, int arg)
{
    return fcntl(fd, command, arg);
}

static int
sys_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

/* Not in libc. */
static int
sys_openat2(int dir, const char *path, struct open_how *how, size_t size)
{
    return (int) syscall(SYS_openat2, dir, path, how, size);
}

/* Linux 6.5; not in every libc's headers. */
static ssize_t
sys_cachestat(int fd, off_t offset, size_t size)
{
    enum {
        NUMBER = 451,
        COUNTS = 5 /* of pages; the first: in the page cache */
    };
    uint64_t range[2] = {(uint64_t) offset, size};
    uint64_t counts[COUNTS];

    return syscall(NUMBER, fd, range, counts, 0) == -1 ? -1
                                                       : (ssize_t) counts[0];
}

static int
sys_thread_create(pthread_t *thread, void *(*start)(void *), void *arg)
{
    return pthread_create(thread, NULL, start, arg);
}

static int
sys_clone(int (*child)(void *), void *stack, int flags, void *arg, int *pidfd)
{
    return clone(child, stack, flags, arg, pidfd);
}

/* Linux 5.1; not in libc. */
static int
sys_pidfd_send_signal(int pidfd, int signo, unsigned flags)
{
    enum {
        NUMBER = 424
    };

    return (int) syscall(NUMBER, pidfd, signo, NULL, flags);
}

/* Linux 6.15; struct pidfd_info, of which this is the first version. */
static int
sys_pidfd_status(int pidfd, int *status)
{
    enum {
        EXIT = 1 << 3 /* PIDFD_INFO_EXIT */
    };
    struct {
        uint64_t mask, cgroup;
        uint32_t ids[11];
        int32_t status;
    } info = {.mask = EXIT};

    if (ioctl(pidfd, _IOWR(0xff, 11, info), &info) == -1) {
        return -1;
    }
    if ((info.mask & EXIT) == 0) {
        errno = EAGAIN;
        return -1;
    }
    *status = info.status;
    return 0;
}

const ql_sys_t ql_sys_default = {
    .epoll_create1 = sys_epoll_create1,
    .epoll_ctl = epoll_ctl,
    .epoll_wait = epoll_wait,
    .epoll_pwait2 = epoll_pwait2,
    .eventfd = sys_eventfd,
    .signalfd = sys_signalfd,
    .poll = poll,

    .socket = socket,
    .bind = bind,
    .listen = listen,
    .connect = connect,
    .accept4 = accept4,
    .getsockname = getsockname,
    .getpeername = getpeername,
    .getsockopt = getsockopt,
    .setsockopt = setsockopt,
    .shutdown = shutdown,

    .recv = recv,
    .recvmsg = recvmsg,
    .send = send,
    .sendmsg = sendmsg,
    .recvmmsg = recvmmsg,
    .sendmmsg = sendmmsg,
    .sendfile = sendfile,
    .read = read,
    .write = write,
    .fionread = sys_fionread,
    .dup = sys_dup,
    .fcntl = sys_fcntl,
    .pipe2 = pipe2,
    .close = close,
    .mkdirat = mkdirat,
    .unlink = unlink,
    .unlinkat = unlinkat,
    .linkat = linkat,
    .symlinkat = symlinkat,
    .renameat2 = renameat2,
    .readlinkat = readlinkat,
    .realpath = realpath,
    .getdents64 = getdents64,
    .getrandom = getrandom,
    .chmod = chmod,
    .chown = chown,
    .fchmod = fchmod,
    .fchown = fchown,
    .fsync = fsync,
    .copy_file_range = copy_file_range,

    .open = sys_open,
    .openat2 = sys_openat2,
    .ftruncate = ftruncate,
    .fstat = fstat,
    .fstatfs = fstatfs,
    .statx = statx,
    .pread = pread,
    .preadv2 = preadv2,
    .cachestat = sys_cachestat,
    .pwritev2 = pwritev2,
    .lseek = lseek,
    .fdatasync = fdatasync,

    .inotify_init1 = sys_inotify_init1,
    .inotify_add_watch = inotify_add_watch,
    .inotify_rm_watch = inotify_rm_watch,

    .io_setup = io_setup,
    .io_destroy = io_destroy,
    .io_submit = io_submit,
    .io_getevents = io_getevents,

    .clock_gettime = clock_gettime,
    .timer_create = timer_create,
    .timer_settime = timer_settime,
    .timer_delete = timer_delete,
    .sigaction = sigaction,
    .clone = sys_clone,
    .waitid = waitid,
    .kill = kill,
    .pidfd_send_signal = sys_pidfd_send_signal,
    .pidfd_status = sys_pidfd_status,
    .thread_create = sys_thread_create,

    .malloc = malloc,
    .realloc = realloc,
    .memalign = aligned_alloc,
    .free = free,
    .mmap = mmap,
    .munmap = munmap,
    .madvise = madvise,
    .getpid = getpid,
};
