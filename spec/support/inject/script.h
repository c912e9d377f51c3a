/* script.h: what the files of the injector share. */
#ifndef QUOLL_INJECT_SCRIPT_H
#define QUOLL_INJECT_SCRIPT_H

#include "core/sys.h"
#include "inject.h"

#include <pthread.h>
#include <stdbool.h>

/* Every member of ql_sys_t. */
#define INJECT_CALLS(X)                                                        \
    X(epoll_create1)                                                           \
    X(epoll_ctl)                                                               \
    X(epoll_wait)                                                              \
    X(epoll_pwait2)                                                            \
    X(eventfd)                                                                 \
    X(signalfd)                                                                \
    X(poll)                                                                    \
    X(dup)                                                                     \
    X(socket)                                                                  \
    X(bind)                                                                    \
    X(listen)                                                                  \
    X(connect)                                                                 \
    X(accept4)                                                                 \
    X(getsockname)                                                             \
    X(getpeername)                                                             \
    X(getsockopt)                                                              \
    X(setsockopt)                                                              \
    X(shutdown)                                                                \
    X(recv)                                                                    \
    X(recvmsg)                                                                 \
    X(send)                                                                    \
    X(sendmsg)                                                                 \
    X(recvmmsg)                                                                \
    X(sendmmsg)                                                                \
    X(sendfile)                                                                \
    X(read)                                                                    \
    X(write)                                                                   \
    X(fionread)                                                                \
    X(fcntl)                                                                   \
    X(pipe2)                                                                   \
    X(clone)                                                                   \
    X(waitid)                                                                  \
    X(kill)                                                                    \
    X(pidfd_send_signal)                                                       \
    X(pidfd_status)                                                            \
    X(close)                                                                   \
    X(mkdirat)                                                                 \
    X(unlink)                                                                  \
    X(unlinkat)                                                                \
    X(linkat)                                                                  \
    X(symlinkat)                                                               \
    X(renameat2)                                                               \
    X(readlinkat)                                                              \
    X(realpath)                                                                \
    X(getdents64)                                                              \
    X(getrandom)                                                               \
    X(chmod)                                                                   \
    X(chown)                                                                   \
    X(fchmod)                                                                  \
    X(fchown)                                                                  \
    X(fsync)                                                                   \
    X(copy_file_range)                                                         \
    X(open)                                                                    \
    X(openat2)                                                                 \
    X(ftruncate)                                                               \
    X(fstat)                                                                   \
    X(fstatfs)                                                                 \
    X(statx)                                                                   \
    X(pread)                                                                   \
    X(preadv2)                                                                 \
    X(inotify_init1)                                                           \
    X(inotify_add_watch)                                                       \
    X(inotify_rm_watch)                                                        \
    X(cachestat)                                                               \
    X(pwritev2)                                                                \
    X(lseek)                                                                   \
    X(fdatasync)                                                               \
    X(io_setup)                                                                \
    X(io_destroy)                                                              \
    X(io_submit)                                                               \
    X(io_getevents)                                                            \
    X(clock_gettime)                                                           \
    X(timer_create)                                                            \
    X(timer_settime)                                                           \
    X(timer_delete)                                                            \
    X(sigaction)                                                               \
    X(thread_create)                                                           \
    X(malloc)                                                                  \
    X(realloc)                                                                 \
    X(memalign)                                                                \
    X(free)                                                                    \
    X(mmap)                                                                    \
    X(munmap)                                                                  \
    X(madvise)                                                                 \
    X(getpid)

enum {
#define INJECT_ENUM(name) CALL_##name,
    INJECT_CALLS(INJECT_ENUM)
#undef INJECT_ENUM
    CALLS
};
_Static_assert(sizeof(ql_sys_t) == CALLS * sizeof(void *),
               "a call of ql_sys_t is not in INJECT_CALLS");

/* What the rules say of one call. */
typedef struct {
    bool decided; /* not to be made: return result, errno is set */
    int64_t result;
    uint64_t limit; /* to be made with at most this many; UINT64_MAX: all */
} verdict_t;

/* Counts the call, waits its delay, finds the verdict. */
verdict_t inject__judge(int call, int fd);
void inject__reset(void);

/* The table under the script's. */
const ql_sys_t *inject__base(void);

/* io.c, aio.c, epoll.c, clock.c: fill in their members of the table. */
void inject__io(ql_sys_t *sys);
void inject__aio(ql_sys_t *sys);
void inject__epoll(ql_sys_t *sys);
void inject__clock(ql_sys_t *sys);
void inject__epoll_reset(void);
void inject__aio_reset(void);
void inject__clock_reset(void);

/*
 * one_byte.c. `refuse`: this attempt on fd answers EAGAIN (errno is set);
 * `limit`: how many bytes one that is not refused may move;
 * `rearm`: after a count that was cut, so that the edge comes again, as the
 * kernel would see to it. `applies`: fd is a nonblocking stream socket.
 */
enum {
    ONE_BYTE_READ,
    ONE_BYTE_WRITE
};
bool one_byte__applies(int fd, int flags);
bool one_byte__refuse(const ql_sys_t *base, int fd, int direction);
size_t one_byte__limit(int fd, int direction);
void one_byte__rearm(const ql_sys_t *base, int fd);
void one_byte__track(int ep, int op, int fd, const struct epoll_event *ee);

/* one_byte.c: the first `limit` bytes of iov[n] into out[IOV__MAX]; the new
 * length. */
enum {
    IOV__MAX = 1024
};
int iov__cut(struct iovec *out, const struct iovec *iov, int n, uint64_t limit);

#endif
