/* inject.c: the table, and the calls that rules only refuse or answer. */
#include "script.h"
#include "core/loop.h"

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>

static ql_sys_t table;
static const ql_sys_t *base;

const ql_sys_t *
inject__base(void)
{
    return base;
}

/* A member that does nothing but ask the rules, then the table below. */
#define PLAIN(type, name, fd, params, args)                                    \
    static type inject_##name params                                           \
    {                                                                          \
        verdict_t verdict = inject__judge(CALL_##name, fd);                    \
        return verdict.decided ? (type) verdict.result : base->name args;      \
    }

PLAIN(int, eventfd, -1, (unsigned count, int flags), (count, flags))
PLAIN(int, signalfd, fd, (int fd, const sigset_t *mask, int flags),
      (fd, mask, flags))
PLAIN(int, poll, -1, (struct pollfd * fds, unsigned long n, int timeout),
      (fds, n, timeout))
PLAIN(int, dup, fd, (int fd), (fd))
PLAIN(int, fcntl, fd, (int fd, int command, int arg), (fd, command, arg))
PLAIN(int, pipe2, -1, (int fds[2], int flags), (fds, flags))
PLAIN(int, clone, -1,
      (int (*child)(void *), void *stack, int flags, void *arg, int *pidfd),
      (child, stack, flags, arg, pidfd))
PLAIN(int, waitid, -1, (idtype_t type, id_t id, siginfo_t *info, int flags),
      (type, id, info, flags))
PLAIN(int, kill, -1, (pid_t pid, int signo), (pid, signo))
PLAIN(int, pidfd_send_signal, fd, (int fd, int signo, unsigned flags),
      (fd, signo, flags))
PLAIN(int, pidfd_status, fd, (int fd, int *status), (fd, status))
PLAIN(int, socket, -1, (int domain, int type, int protocol),
      (domain, type, protocol))
PLAIN(int, bind, fd, (int fd, const struct sockaddr *sa, socklen_t len),
      (fd, sa, len))
PLAIN(int, listen, fd, (int fd, int backlog), (fd, backlog))
PLAIN(int, connect, fd, (int fd, const struct sockaddr *sa, socklen_t len),
      (fd, sa, len))
PLAIN(int, accept4, fd,
      (int fd, struct sockaddr *sa, socklen_t *len, int flags),
      (fd, sa, len, flags))
PLAIN(int, getsockname, fd, (int fd, struct sockaddr *sa, socklen_t *len),
      (fd, sa, len))
PLAIN(int, getpeername, fd, (int fd, struct sockaddr *sa, socklen_t *len),
      (fd, sa, len))
PLAIN(int, getsockopt, fd,
      (int fd, int level, int name, void *value, socklen_t *len),
      (fd, level, name, value, len))
PLAIN(int, setsockopt, fd,
      (int fd, int level, int name, const void *value, socklen_t len),
      (fd, level, name, value, len))
PLAIN(int, shutdown, fd, (int fd, int how), (fd, how))
PLAIN(int, fionread, fd, (int fd, int *bytes), (fd, bytes))
PLAIN(int, mkdirat, dir, (int dir, const char *path, mode_t mode),
      (dir, path, mode))
PLAIN(int, unlink, -1, (const char *path), (path))
PLAIN(int, unlinkat, dir, (int dir, const char *path, int flags),
      (dir, path, flags))
PLAIN(int, linkat, -1,
      (int from_dir, const char *from, int to_dir, const char *to, int flags),
      (from_dir, from, to_dir, to, flags))
PLAIN(int, symlinkat, dir, (const char *target, int dir, const char *path),
      (target, dir, path))
PLAIN(int, renameat2, -1,
      (int from_dir, const char *from, int to_dir, const char *to,
       unsigned flags),
      (from_dir, from, to_dir, to, flags))
PLAIN(ssize_t, getdents64, fd, (int fd, void *buf, size_t size),
      (fd, buf, size))
PLAIN(ssize_t, getrandom, -1, (void *buf, size_t size, unsigned flags),
      (buf, size, flags))
PLAIN(int, chmod, -1, (const char *path, mode_t mode), (path, mode))
PLAIN(int, chown, -1, (const char *path, uid_t uid, gid_t gid),
      (path, uid, gid))
PLAIN(int, fchmod, fd, (int fd, mode_t mode), (fd, mode))
PLAIN(int, fchown, fd, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
PLAIN(int, fsync, fd, (int fd), (fd))
PLAIN(int, open, -1, (const char *path, int flags, mode_t mode),
      (path, flags, mode))
PLAIN(int, openat2, dir,
      (int dir, const char *path, struct open_how *how, size_t size),
      (dir, path, how, size))
PLAIN(int, ftruncate, fd, (int fd, off_t size), (fd, size))
PLAIN(int, fstat, fd, (int fd, struct stat *st), (fd, st))
PLAIN(int, fstatfs, fd, (int fd, struct statfs *fs), (fd, fs))
PLAIN(ssize_t, readlinkat, dir,
      (int dir, const char *path, char *buf, size_t size),
      (dir, path, buf, size))
PLAIN(int, inotify_init1, -1, (int flags), (flags))
PLAIN(int, inotify_add_watch, fd, (int fd, const char *path, uint32_t mask),
      (fd, path, mask))
PLAIN(int, inotify_rm_watch, fd, (int fd, int wd), (fd, wd))
PLAIN(ssize_t, cachestat, fd, (int fd, off_t offset, size_t size),
      (fd, offset, size))
PLAIN(off_t, lseek, fd, (int fd, off_t offset, int whence),
      (fd, offset, whence))
PLAIN(int, fdatasync, fd, (int fd), (fd))
PLAIN(int, munmap, -1, (void *addr, size_t size), (addr, size))
PLAIN(int, madvise, -1, (void *addr, size_t size, int advice),
      (addr, size, advice))
PLAIN(pid_t, getpid, -1, (void), ())
PLAIN(int, statx, dir,
      (int dir, const char *path, int flags, unsigned mask, struct statx *stx),
      (dir, path, flags, mask, stx))
PLAIN(int, timer_create, -1,
      (clockid_t clock, struct sigevent *sev, timer_t *id), (clock, sev, id))
PLAIN(int, timer_settime, -1,
      (timer_t id, int flags, const struct itimerspec *it,
       struct itimerspec *old),
      (id, flags, it, old))
PLAIN(int, timer_delete, -1, (timer_t id), (id))
PLAIN(int, sigaction, -1,
      (int signo, const struct sigaction *act, struct sigaction *old),
      (signo, act, old))

/* pthread_create returns its error. */
static int
inject_thread_create(pthread_t *thread, void *(*start)(void *), void *arg)
{
    if (inject__judge(CALL_thread_create, -1).decided) {
        return errno;
    }
    return base->thread_create(thread, start, arg);
}

/* Also a close that fails has closed. */
static int
inject_close(int fd)
{
    verdict_t verdict = inject__judge(CALL_close, fd);
    int err = errno;
    int rc = base->close(fd);

    if (verdict.decided) {
        errno = err;
        return (int) verdict.result;
    }
    return rc;
}

static char *
inject_realpath(const char *path, char *buf)
{
    bool fails = inject__judge(CALL_realpath, -1).decided;

    return fails ? NULL : base->realpath(path, buf);
}

static void *
inject_malloc(size_t size)
{
    return inject__judge(CALL_malloc, -1).decided ? NULL : base->malloc(size);
}

static void *
inject_realloc(void *p, size_t size)
{
    bool fails = inject__judge(CALL_realloc, -1).decided;

    return fails ? NULL : base->realloc(p, size);
}

static void *
inject_memalign(size_t align, size_t size)
{
    bool fails = inject__judge(CALL_memalign, -1).decided;

    return fails ? NULL : base->memalign(align, size);
}

static void *
inject_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
    bool fails = inject__judge(CALL_mmap, fd).decided;

    return fails ? MAP_FAILED : base->mmap(addr, size, prot, flags, fd, offset);
}

static void
inject_free(void *p)
{
    inject__judge(CALL_free, -1);
    base->free(p);
}

static const ql_sys_t plain = {
    .eventfd = inject_eventfd,
    .signalfd = inject_signalfd,
    .poll = inject_poll,
    .dup = inject_dup,
    .fcntl = inject_fcntl,
    .pipe2 = inject_pipe2,
    .clone = inject_clone,
    .waitid = inject_waitid,
    .kill = inject_kill,
    .pidfd_send_signal = inject_pidfd_send_signal,
    .pidfd_status = inject_pidfd_status,
    .socket = inject_socket,
    .bind = inject_bind,
    .listen = inject_listen,
    .connect = inject_connect,
    .accept4 = inject_accept4,
    .getsockname = inject_getsockname,
    .getpeername = inject_getpeername,
    .shutdown = inject_shutdown,
    .getsockopt = inject_getsockopt,
    .setsockopt = inject_setsockopt,
    .fionread = inject_fionread,
    .close = inject_close,
    .mkdirat = inject_mkdirat,
    .unlink = inject_unlink,
    .unlinkat = inject_unlinkat,
    .linkat = inject_linkat,
    .symlinkat = inject_symlinkat,
    .renameat2 = inject_renameat2,
    .realpath = inject_realpath,
    .getdents64 = inject_getdents64,
    .getrandom = inject_getrandom,
    .chmod = inject_chmod,
    .chown = inject_chown,
    .fchmod = inject_fchmod,
    .fchown = inject_fchown,
    .fsync = inject_fsync,
    .open = inject_open,
    .openat2 = inject_openat2,
    .ftruncate = inject_ftruncate,
    .fstat = inject_fstat,
    .fstatfs = inject_fstatfs,
    .statx = inject_statx,
    .readlinkat = inject_readlinkat,
    .inotify_init1 = inject_inotify_init1,
    .inotify_add_watch = inject_inotify_add_watch,
    .inotify_rm_watch = inject_inotify_rm_watch,
    .cachestat = inject_cachestat,
    .lseek = inject_lseek,
    .fdatasync = inject_fdatasync,
    .timer_create = inject_timer_create,
    .timer_settime = inject_timer_settime,
    .timer_delete = inject_timer_delete,
    .sigaction = inject_sigaction,
    .thread_create = inject_thread_create,
    .malloc = inject_malloc,
    .realloc = inject_realloc,
    .memalign = inject_memalign,
    .free = inject_free,
    .mmap = inject_mmap,
    .munmap = inject_munmap,
    .madvise = inject_madvise,
    .getpid = inject_getpid,
};

const ql_sys_t *
ql_inject_new(const ql_sys_t *under)
{
    base = under != NULL ? under : &ql_sys_default;
    inject__reset();
    inject__epoll_reset();
    inject__aio_reset();
    inject__clock_reset();
    ql_inject_one_byte(0);

    table = plain;
    inject__io(&table);
    inject__aio(&table);
    inject__epoll(&table);
    inject__clock(&table);
    return &table;
}

void
ql_inject_install(ql_loop_t *loop)
{
    loop->sys = ql_inject_new(loop->sys);
}
