/*
 * sys.h: the table through which every system call and every allocation of
 * the runtime goes. A loop holds a pointer to its table; the real one is
 * ql_sys_default. A test gives a loop a table that scripts results. Members
 * have the names and the contracts of libc and libaio (which returns -errno
 * where libc sets errno). The default's epoll_create1, eventfd, signalfd and
 * inotify_init1 never give a descriptor below 3.
 */
#ifndef QUOLL_SYS_H
#define QUOLL_SYS_H

#include "../quoll.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

struct mmsghdr;
struct open_how;
struct pollfd;
struct statfs;
struct statx;

struct ql_sys_s {
    int (*epoll_create1)(int flags);
    int (*epoll_ctl)(int ep, int op, int fd, struct epoll_event *ee);
    int (*epoll_wait)(int ep, struct epoll_event *events, int n, int timeout);
    int (*epoll_pwait2)(int ep, struct epoll_event *events, int n,
                        const struct timespec *timeout, const sigset_t *mask);
    int (*eventfd)(unsigned count, int flags);
    int (*signalfd)(int fd, const sigset_t *mask, int flags);
    int (*poll)(struct pollfd *fds, unsigned long n, int timeout);

    int (*socket)(int domain, int type, int protocol);
    int (*bind)(int fd, const struct sockaddr *sa, socklen_t len);
    int (*listen)(int fd, int backlog);
    int (*connect)(int fd, const struct sockaddr *sa, socklen_t len);
    int (*accept4)(int fd, struct sockaddr *sa, socklen_t *len, int flags);
    int (*getsockname)(int fd, struct sockaddr *sa, socklen_t *len);
    int (*getpeername)(int fd, struct sockaddr *sa, socklen_t *len);
    int (*getsockopt)(int fd, int level, int name, void *value, socklen_t *len);
    int (*setsockopt)(int fd, int level, int name, const void *value,
                      socklen_t len);
    int (*shutdown)(int fd, int how);

    ssize_t (*recv)(int fd, void *buf, size_t size, int flags);
    ssize_t (*recvmsg)(int fd, struct msghdr *msg, int flags);
    ssize_t (*send)(int fd, const void *buf, size_t size, int flags);
    ssize_t (*sendmsg)(int fd, const struct msghdr *msg, int flags);
    int (*recvmmsg)(int fd, struct mmsghdr *msgs, unsigned n, int flags,
                    struct timespec *timeout);
    int (*sendmmsg)(int fd, struct mmsghdr *msgs, unsigned n, int flags);
    ssize_t (*sendfile)(int to, int from, off_t *offset, size_t size);
    ssize_t (*read)(int fd, void *buf, size_t size);
    ssize_t (*write)(int fd, const void *buf, size_t size);
    int (*fionread)(int fd, int *bytes); /* ioctl(FIONREAD) */
    int (*dup)(int fd);                  /* fcntl(F_DUPFD_CLOEXEC) */
    int (*fcntl)(int fd, int command, int arg);
    int (*pipe2)(int fds[2], int flags);
    int (*close)(int fd);
    int (*mkdirat)(int dir, const char *path, mode_t mode);
    int (*unlink)(const char *path);
    int (*unlinkat)(int dir, const char *path, int flags);
    int (*linkat)(int from_dir, const char *from, int to_dir, const char *to,
                  int flags);
    int (*symlinkat)(const char *target, int dir, const char *path);
    int (*renameat2)(int from_dir, const char *from, int to_dir, const char *to,
                     unsigned flags);
    ssize_t (*readlinkat)(int dir, const char *path, char *buf, size_t size);
    char *(*realpath)(const char *path, char *buf); /* of PATH_MAX */
    ssize_t (*getdents64)(int fd, void *buf, size_t size);
    ssize_t (*getrandom)(void *buf, size_t size, unsigned flags);
    int (*chmod)(const char *path, mode_t mode);
    int (*chown)(const char *path, uid_t uid, gid_t gid);
    int (*fchmod)(int fd, mode_t mode);
    int (*fchown)(int fd, uid_t uid, gid_t gid);
    int (*fsync)(int fd);
    ssize_t (*copy_file_range)(int from, off_t *from_at, int to, off_t *to_at,
                               size_t size, unsigned flags);

    int (*open)(const char *path, int flags, mode_t mode);
    int (*openat2)(int dir, const char *path, struct open_how *how,
                   size_t size);
    int (*ftruncate)(int fd, off_t size);
    int (*fstat)(int fd, struct stat *st);
    int (*fstatfs)(int fd, struct statfs *fs);
    int (*statx)(int dir, const char *path, int flags, unsigned mask,
                 struct statx *stx);
    ssize_t (*pread)(int fd, void *buf, size_t size, off_t offset);
    ssize_t (*preadv2)(int fd, const struct iovec *iov, int n, off_t offset,
                       int flags);
    /* cachestat(2): pages of these bytes that the page cache has */
    ssize_t (*cachestat)(int fd, off_t offset, size_t size);
    ssize_t (*pwritev2)(int fd, const struct iovec *iov, int n, off_t offset,
                        int flags);
    off_t (*lseek)(int fd, off_t offset, int whence);
    int (*fdatasync)(int fd);

    int (*inotify_init1)(int flags);
    int (*inotify_add_watch)(int fd, const char *path, uint32_t mask);
    int (*inotify_rm_watch)(int fd, int wd);

    int (*io_setup)(int n, io_context_t *ctx);
    int (*io_destroy)(io_context_t ctx);
    int (*io_submit)(io_context_t ctx, long n, struct iocb **iocbs);
    int (*io_getevents)(io_context_t ctx, long min, long n,
                        struct io_event *events, struct timespec *timeout);

    int (*clock_gettime)(clockid_t clock, struct timespec *ts);
    int (*timer_create)(clockid_t clock, struct sigevent *sev, timer_t *id);
    int (*timer_settime)(timer_t id, int flags, const struct itimerspec *it,
                         struct itimerspec *old);
    int (*timer_delete)(timer_t id);
    int (*sigaction)(int signo, const struct sigaction *act,
                     struct sigaction *old);
    int (*clone)(int (*main)(void *), void *stack, int flags, void *arg,
                 int *pidfd);
    int (*waitid)(idtype_t type, id_t id, siginfo_t *info, int flags);
    int (*kill)(pid_t pid, int signo);
    int (*pidfd_send_signal)(int pidfd, int signo, unsigned flags);
    /* ioctl(PIDFD_GET_INFO): as wait(2)'s, of a process that was reaped;
     * EAGAIN: it was not */
    int (*pidfd_status)(int pidfd, int *status);
    int (*thread_create)(pthread_t *thread, void *(*main)(void *), void *arg);

    void *(*malloc)(size_t size);
    void *(*realloc)(void *p, size_t size);
    void *(*memalign)(size_t align, size_t size); /* aligned_alloc */
    void (*free)(void *p);
    void *(*mmap)(void *addr, size_t size, int prot, int flags, int fd,
                  off_t offset);
    int (*munmap)(void *addr, size_t size);
    int (*madvise)(void *addr, size_t size, int advice);
    pid_t (*getpid)(void);
};

extern const ql_sys_t ql_sys_default;

#endif
