/*
 * loop.h: what the runtime's own files share and nobody else sees.
 */
#ifndef QUOLL_LOOP_H
#define QUOLL_LOOP_H

#include "../quoll.h"
#include "check.h"
#include "sys.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum {
    QL__MSEC = 1000000, /* ns */
    QL__WHEEL_LEVELS = 8,
    QL__WHEEL_SLOTS = 64,
    QL__LOG_SITES = 16,
    QL__LOG_PERIOD = 1000, /* ms */
    QL__SLAB_CONNECTIONS = 64
};

/* ---- log.c ---- */

typedef struct {
    const char *fmt;  /* the site: one format string */
    uint64_t since;   /* ms: start of its second */
    uint32_t lines;   /* written in that second */
    uint32_t dropped; /* left out in that second */
    int level;        /* of the last one left out */
} ql_log_site_t;

typedef struct {
    int level;
    unsigned debug; /* QL_DEBUG_* */
    ql_log_writer_pt writer;
    void *data;
    uint64_t counts[QL_LOG_DEBUG + 1];
    ql_log_site_t sites[QL__LOG_SITES];
    bool dropping; /* some site has dropped lines to tell of */
} ql_log_t;

/* Evaluates its arguments only when the category is on. */
#define ql_log_debug(loop, category, ...)                                      \
    do {                                                                       \
        if (__builtin_expect((loop)->log.debug & (category), 0)) {             \
            ql__log_debug((loop), __VA_ARGS__);                                \
        }                                                                      \
    } while (0)

void ql__log_init(ql_log_t *log);
/* Says what was left out in seconds that are over; all: in any second. */
void ql__log_flush(ql_loop_t *loop, bool all);
void ql__log_debug(ql_loop_t *loop, const char *fmt, ...)
    QL_PRINTF(2, 3) QL_COLD;

/* ---- timer.c: hierarchical wheel, 64 slots of 64^level ticks ---- */

typedef struct {
    uint64_t elapsed; /* ticks: what is due up to here has been moved out */
    uint64_t count;   /* timers set */
    uint64_t occupied[QL__WHEEL_LEVELS]; /* bit per non-empty slot; a bit may
                                            be stale after a delete */
    ql_queue_t slots[QL__WHEEL_LEVELS][QL__WHEEL_SLOTS];
    ql_queue_t due; /* moved out, handlers about to be called */
} ql_wheel_t;

void ql__wheel_init(ql_wheel_t *wheel, uint64_t nsec);

/* ---- aio.c, aio_submit.c ---- */

typedef struct {
    io_context_t ctx;      /* 0: none */
    int eventfd;           /* -1: none */
    ql_connection_t *conn; /* of the eventfd */
    uint32_t requests;     /* size of ctx */
    struct iocb **batch;   /* requests long: the argument of io_submit */
    ql_queue_t gathered;   /* ql_event_aio_t.link, to be submitted in order */
    ql_queue_t kernel;     /* ql_event_aio_t.link, submitted */
    uint32_t queued;       /* length of gathered */
    uint32_t in_flight;    /* length of kernel */
    ql_event_t retry;      /* timer: ends `blocked` when nothing else will */
    bool blocked; /* io_submit said EAGAIN; until a completion or retry */
    bool refused; /* io_setup failed here: other lanes */
} ql_aio_t;

/* Empty, no kernel object; called once by ql_loop_create(). */
void ql__aio_create(ql_loop_t *loop);
/* Called in a forked child: the context is the parent's. What was under way
 * completes with -EAGAIN, so that it is read again by another lane. */
void ql__aio_drop(ql_loop_t *loop);
/* A submit now would send something: the loop must not sleep. */
bool ql__aio_pending(const ql_loop_t *loop);
/* Takes a gathered read back; false: the kernel has it or it is complete. */
bool ql__aio_cancel(ql_event_aio_t *aio);
/* The request, its iocb prepared: goes out with this turn's. */
void ql__aio_gather(ql_file_t *file, ql_event_aio_t *aio);
/* The result is there: bits, err, queue, file; posts the event. */
void ql__aio_complete(ql_event_aio_t *aio, int64_t res);

/* ---- thread_pool.c ---- */

typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    ql_queue_t tasks;  /* waiting; under mutex */
    ql_queue_t done;   /* run, not delivered yet; under mutex */
    ql_queue_t posted; /* the loop's: every task that the pool has */
    uint32_t waiting;  /* length of tasks; under mutex */
    uint32_t idle;     /* threads waiting for a task; under mutex */
    bool notified;     /* event is on its way; under mutex */
    bool stop;         /* under mutex */
    ql_event_t event;  /* posted by threads: done has something */
    uint32_t threads;  /* started: length of ids */
    uint32_t max;      /* room in ids */
    pthread_t *ids;    /* NULL before the first task */
} ql_thread_pool_t;

/* No thread, no task. */
void ql__thread_pool_init(ql_thread_pool_t *pool);
/* In a forked child, which has none of its parent's threads: every task that
 * the pool had is delivered with `error`. */
void ql__thread_pool_drop(ql_loop_t *loop);
/* Takes back a task that no thread has begun; false: one has. */
bool ql__thread_task_cancel(ql_loop_t *loop, ql_thread_task_t *task);
/* The same, and one that is done and not delivered yet; false: a thread is at
 * it. */
bool ql__thread_task_reclaim(ql_loop_t *loop, ql_thread_task_t *task);
/* Ends the threads; tasks in flight are waited for until `deadline` (loop ms).
 * false: some thread is still at work and everything it can touch must stay. */
bool ql__thread_pool_done(ql_loop_t *loop, uint64_t deadline);

/* ---- block.c ---- */

enum {
    QL__BLOCK_CLASSES = 2,
    QL__BLOCK_LARGE = 256 * 1024 /* bytes of the largest read that is kept
                                    memory for */
};

/* Free blocks of one size, chained through their first bytes. */
typedef struct {
    void *free;
    uint32_t kept; /* length of the chain */
} ql_blocks_t;

/* size bytes at a multiple of align (1: any), size a multiple of align. NULL:
 * no memory. */
char *ql__block_take(ql_loop_t *loop, size_t size, size_t align);
/* The same size and align as taken. */
void ql__block_give(ql_loop_t *loop, char *block, size_t size, size_t align);
void ql__blocks_done(ql_loop_t *loop);

/* ---- call.c ---- */

/* The executor that a call's attempt has chosen is done. */
void ql__call_returned(ql_call_t *call);
/* What a system call said, 0 or more, or -1 with errno, is what the call
 * says. */
static inline void
ql__call_result(ql_call_t *call, int64_t res)
{
    call->res = res;
    call->err = res == -1 ? errno : 0;
}

/* ---- device.c: what a file system can do, a hint kept per st_dev ---- */

enum {
    QL__DEVICES = 32
};

/* Why a thread makes a read, a write or a sync that another lane was meant
 * for, or memory is sent in place of a file. */
enum {
    QL__FALLBACK_NOWAIT,    /* no RWF_NOWAIT there */
    QL__FALLBACK_DIRECT,    /* no O_DIRECT there */
    QL__FALLBACK_DIRTY,     /* the direct read met dirty pages, or a lock */
    QL__FALLBACK_UNALIGNED, /* the direct read was no whole number of blocks */
    QL__FALLBACK_REFUSED,   /* the machine refused io_setup */
    QL__FALLBACK_NO_FD,     /* no descriptor, or memory, to open it O_DIRECT */
    QL__FALLBACK_SLOW,      /* not all cached, and misses were slow before */
    QL__FALLBACK_WRITE,     /* no RWF_NOWAIT for writes there */
    QL__FALLBACK_SYNC,      /* the AIO takes no sync there, or there is none */
    QL__FALLBACK_SYNC_FULL, /* aio_queue requests wait */
    QL__FALLBACK_SENDFILE,  /* sendfile(2) failed, not by the socket */
    QL__FALLBACKS
};

typedef struct {
    uint64_t dev;   /* ql_file_t.dev */
    bool no_nowait; /* preadv2(RWF_NOWAIT) was EOPNOTSUPP */
    bool no_direct; /* open(O_DIRECT) was EINVAL or its reads EOPNOTSUPP */
    bool no_nowait_write;              /* pwritev2(RWF_NOWAIT) was EOPNOTSUPP */
    uint64_t fallbacks[QL__FALLBACKS]; /* by QL__FALLBACK_* */
} ql_device_t;

/* ---- cache.c: files that stay open between their users ---- */

typedef struct {
    ql_queue_t *buckets; /* of entries by hash; NULL: nothing was kept yet */
    uint32_t nbuckets;   /* a power of two */
    ql_queue_t lru;      /* entries, most recent first */
} ql__cache_t;

/* ---- keepalive.c, keepalive_pool.c ---- */

typedef struct {
    ql_queue_t *buckets; /* of pools by hash; NULL: there was none yet */
    uint32_t nbuckets;   /* a power of two */
    uint32_t npools;     /* length of pools */
    ql_queue_t pools;    /* all of them */
    ql_queue_t idle;     /* all kept connections, the last parked first */
    uint32_t nidle;      /* length of idle */
    ql_keepalive_stats_t stats;
} ql__keepalives_t;

void ql__keepalives_init(ql_loop_t *loop);
void ql__keepalives_done(ql_loop_t *loop);
/* In a forked child: the kept connections are its parent's. */
void ql__keepalives_forked(ql_loop_t *loop);
/* A slot or an idle connection may be had: tells the first who waits. */
void ql__keepalive_wake(ql_keepalive_t *pool);

/* ---- notify.c ---- */

typedef struct {
    ql_connection_t *conn; /* of the eventfd */
    int eventfd;           /* -1: none */
    pthread_mutex_t mutex;
    ql_queue_t posted; /* by other threads; under mutex */
} ql_notify_t;

/* Empty, no eventfd. Also in a forked child, whose copy of mutex and list may
 * have been cut in the middle of another thread's post. */
void ql__notify_create(ql_loop_t *loop);
int ql__notify_init(ql_loop_t *loop);
/* Closes the eventfd; what is posted stays. */
void ql__notify_done(ql_loop_t *loop);
int ql__epoll_notify(ql_loop_t *loop);
/* loop->wake is set, and there is something for a turn to do. */
void ql__loop_wake(ql_loop_t *loop) QL_COLD;
/* A turn begins, which need not be woken by what was done before it. */
void ql__loop_woken(ql_loop_t *loop);

/* ---- turn.c ---- */

/* Waiting begins: before a turn inside a turn, ns that the outer one took so
 * far, else 0. */
uint64_t ql__turn_leave(ql_loop_t *loop);
/* epoll_wait has returned: the turn's number. */
uint64_t ql__turn_begin(ql_loop_t *loop);
/* Counts turn number `turn`. */
void ql__turn_end(ql_loop_t *loop, uint64_t turn);
/* The outer turn goes on. */
void ql__turn_return(ql_loop_t *loop, uint64_t spent);

/* ---- the loop ---- */

/* ---- tick.c ---- */

typedef struct {
    uint64_t nsec; /* between two ticks; 0: none */
    ql_tick_pt handler;
    timer_t timer;              /* of the process pid, where nsec != 0 */
    pid_t pid;                  /* that made it */
    volatile sig_atomic_t idle; /* the last tick found no handler running */
} ql_tick_t;

struct ql_loop_s {
    const ql_sys_t *sys;
    const ql_event_actions_t *actions;
    pthread_t thread; /* whose it is: ql_loop_own_thread() */
    bool running;     /* in ql_loop_run() */
    ql_conf_t conf;
    ql_log_t log;
    void *data; /* the bindings' */

    /* epoll.c */
    int ep;    /* -1: not made yet */
    int outer; /* the set that holds ep, once watched; else -1 */
    struct epoll_event *event_list;
    uint32_t nevents;     /* length of event_list */
    bool wait_msec;       /* epoll_pwait2 was refused: epoll_wait */
    unsigned event_flags; /* QL_USE_* */
    uint32_t stale_burst; /* stale events since stale_since */
    uint64_t stale_since; /* ms */
    /* A page that fork empties (MADV_WIPEONFORK): 1 in the process that made
     * the kernel objects, 0 in its child. NULL: none made. */
    volatile char *owner;
    pid_t pid; /* of the process where owner is 1 */

    /* posted.c */
    ql_queue_t posted_accept;
    ql_queue_t posted;
    ql_queue_t posted_next;
    ql_queue_t posted_last;
    ql_queue_t round; /* being called now */
    uint32_t stride;  /* events of it between two looks at the clock */

    /* timer.c, time.c */
    ql_wheel_t wheel;
    bool turning;        /* between epoll_wait and the end of the turn */
    bool watched;        /* by ql_loop_watch(), for good */
    bool wake;           /* watched, no turn is being made, and nothing has been
                            posted or armed since the last one */
    bool woken;          /* something has: the descriptor was made readable */
    uint64_t turn_start; /* ns; without the turns that ran inside it */
    ql_turns_t turns;
    uint64_t msec;
    uint64_t nsec;
    timer_t resolution_timer;
    bool resolution_set;
    struct sigaction resolution_old;   /* SIGALRM's before ours */
    volatile sig_atomic_t timer_alarm; /* set by SIGALRM's handler */
    ql_tick_t tick;                    /* tick.c */

    /* connection.c */
    ql_queue_t free_connections;
    ql_queue_t freed_connections; /* free after the next epoll_wait */
    void **slabs;
    uint32_t nslabs;
    uint64_t next_number;
    ql_queue_t listenings;
    ql_event_t accept_retry; /* timer: paused listeners come back */

    ql_queue_t processes; /* of ql_process_t.link */
    ql_aio_t aio;
    ql_blocks_t blocks[QL__BLOCK_CLASSES];
    ql_thread_pool_t pool;
    ql_notify_t notify;
    ql_device_t devices[QL__DEVICES];
    uint32_t ndevices;
    ql__cache_t cache;
    ql__keepalives_t keepalives;
    ql_device_t other_devices; /* counts of those that made room */
    ql_slow_t slow_submit;
    ql_slow_t slow_cached;
    bool no_openat2;   /* ENOSYS: every open asks a thread */
    bool no_cachestat; /* ENOSYS: a slow miss stays one */

    bool stop;
    ql_stats_t stats; /* gauges are filled in by ql_stats() */
};

/* epoll.c */
int ql_epoll_init(ql_loop_t *loop);
void ql_epoll_done(ql_loop_t *loop);
/* A new epoll set's descriptor; -1: said in the log. */
int ql__epoll_create(ql_loop_t *loop);
/* A new set with every connection that was active in the old one. */
int ql__epoll_rebuild(ql_loop_t *loop);
/* A forked child lets go of what is its parent's; without touching the epoll
 * set, which the two still share. */
void ql__epoll_drop(ql_loop_t *loop);
/* True in the process that made the kernel objects. */
static inline bool
ql__loop_owned(const ql_loop_t *loop)
{
    return loop->owner != NULL && *loop->owner != 0;
}

/* outer.c */
/* Around loop->ep; NGX_ERROR: there is none, said in the log. */
int ql__outer_open(ql_loop_t *loop);
void ql__outer_close(ql_loop_t *loop);
/* The outer set, where there is one, holds ep, too. */
int ql__outer_enter(ql_loop_t *loop, int ep);
/* And does not any more. */
void ql__outer_leave(ql_loop_t *loop, int ep);

/* epoll_ctl.c */
int ql_epoll_add_event(ql_loop_t *loop, ql_event_t *ev, uint32_t event,
                       uint32_t flags);
int ql_epoll_del_event(ql_loop_t *loop, ql_event_t *ev, uint32_t event,
                       uint32_t flags);
int ql_epoll_add_connection(ql_loop_t *loop, ql_connection_t *c);
int ql_epoll_del_connection(ql_loop_t *loop, ql_connection_t *c,
                            uint32_t flags);
int ql_epoll_enable_event(ql_loop_t *loop, ql_event_t *ev, uint32_t event,
                          uint32_t flags);
int ql_epoll_disable_event(ql_loop_t *loop, ql_event_t *ev, uint32_t event,
                           uint32_t flags);
/* Enters c into the present set as its bits say. */
int ql__epoll_enter(ql_connection_t *c);

/* epoll_process.c */
int ql_epoll_process_events(ql_loop_t *loop, uint64_t timer, uint32_t flags);

/* time.c: the monotonic clock, read now; ns */
uint64_t ql__clock(const ql_loop_t *loop);

/* posted.c */
void ql__posted_init(ql_loop_t *loop);
bool ql__posted_pending(const ql_loop_t *loop);
/* Events in the queues now. */
uint64_t ql__posted_count(const ql_loop_t *loop);
/* posted_next -> posted, ready set */
void ql__posted_move_next(ql_loop_t *loop);
/* What is there now, before the loop waits. */
void ql__posted_process_last(ql_loop_t *loop);
/* Accept events: what is there now, one round. */
void ql__posted_process_accept(ql_loop_t *loop);
/* Rounds until the queue is empty, for 1,024 events or 1 ms at most, and no
 * longer once a timer is due. */
void ql__posted_process(ql_loop_t *loop);

/* timer_resolution.c */
int ql__resolution_init(ql_loop_t *loop);
void ql__resolution_done(ql_loop_t *loop);

/* tick.c */
/* A child after fork has none of its parent's timers: it gets its own. */
void ql__tick_forked(ql_loop_t *loop);
/* A wait was interrupted: true if by a tick, and no other comes before
 * ql__tick_resume(). */
bool ql__tick_pause(ql_loop_t *loop);
void ql__tick_resume(ql_loop_t *loop);

/* connection.c */
void ql__connections_init(ql_loop_t *loop);
void ql__connections_done(ql_loop_t *loop);
/* False: worker_connections are in use. */
bool ql__connections_left(const ql_loop_t *loop);
/* Closes all but the pseudo ones. */
void ql__connections_close(ql_loop_t *loop);
/* freed -> free; called just before each epoll_wait */
void ql__connections_recycle(ql_loop_t *loop);
/* Calls fn for each live connection (fd != -1), pseudo ones too. */
void ql__connections_each(ql_loop_t *loop,
                          void (*fn)(ql_connection_t *c, void *arg), void *arg);

/* process.c: those that are not left to run are killed and reaped. */
void ql__processes_done(ql_loop_t *loop);

/* accept.c */
void ql__listenings_init(ql_loop_t *loop);
/* A descriptor or a connection was given back: paused listeners may return. */
void ql__accept_resume(ql_loop_t *loop);
/* Its queue and what is wanted of it. */
void ql__listening_init(ql_listening_t *ls);
/* Accepts until nothing has come, or the queue is full. */
void ql__accept_rest(ql_listening_t *ls);
/* Into the epoll set; tried again later when that fails. */
void ql__listening_enter(ql_listening_t *ls);

/* adopt.c: NGX_OK, or NGX_ERROR with errno. */
int ql__set_nonblocking(const ql_sys_t *sys, int fd);

/* sockopt.c: NGX_OK, or NGX_ERROR with errno. level: of the log line. */
int ql__set_sockopts(ql_loop_t *loop, int fd, const ql_sockopt_t *list,
                     unsigned n, int level);
/* Of SOL_SOCKET, a number that is never negative; -1 with errno. */
int ql__socket_option(const ql_sys_t *sys, int fd, int name);
/* What a socket needs before it is bound. */
int ql__listen_options(ql_loop_t *loop, int fd, int family,
                       const ql_listen_opts_t *opts);
/* That of a listening stream socket made elsewhere: nonblocking, cloexec. */
int ql__socket_listens(ql_loop_t *loop, int fd);

/* socket_file.c: the file of a unix socket. */
/* NULL: the address has none. */
const char *ql__socket_path(const ql_sockaddr_t *addr);
/* Is it one on which nobody listens? */
bool ql__socket_stale(ql_loop_t *loop, const ql_sockaddr_t *addr);
/* Remembers the file that bind has made, if it made one. */
void ql__socket_file_made(ql_listening_t *ls);
/* Unlinks it, unless somebody has put another one there. */
void ql__socket_file_unlink(ql_listening_t *ls);
/* Gives it the owner and the permissions of opts. */
int ql__socket_permit(ql_loop_t *loop, const ql_sockaddr_t *addr,
                      const ql_listen_opts_t *opts);

/* limit.c */
typedef struct ql__limits_s ql__limits_t;
typedef struct ql__peer_s ql__peer_t;
/* NGX_OK with NULL: opts has no limits; NGX_ERROR: no memory. */
int ql__limits_create(ql_loop_t *loop, const ql_listen_opts_t *opts,
                      ql__limits_t **created);
/* The listener is gone; its connections may not be. */
void ql__limits_close(ql__limits_t *limits);
/* Counts a connection with its peer; NULL: it is one too many, and this has
 * been said. */
ql__peer_t *ql__limits_enter(ql__limits_t *limits, const ql_sockaddr_t *addr);
void ql__limits_leave(ql__peer_t *peer);

/* recv.c, send.c, sendfile.c */
ssize_t ql_unix_recv(ql_connection_t *c, void *buf, size_t size);
ssize_t ql_readv_chain(ql_connection_t *c, const struct iovec *iov, int n);
ssize_t ql_udp_unix_recv(ql_connection_t *c, void *buf, size_t size);
ssize_t ql_unix_send(ql_connection_t *c, const void *buf, size_t size);
ssize_t ql_writev_chain(ql_connection_t *c, const struct iovec *iov, int count);
ssize_t ql_unix_sendfile(ql_connection_t *c, ql_file_t *file, off_t offset,
                         size_t size);
/* send.c: around a call that has no MSG_NOSIGNAL: a SIGPIPE that came of it is
 * taken back. errno is kept. */
void ql__sigpipe_hold(sigset_t *saved);
void ql__sigpipe_release(const sigset_t *saved, bool came);
/* recv.c: records and logs a failed call: NGX_AGAIN or NGX_ERROR. */
ssize_t ql__io_failed(ql_connection_t *c, ql_event_t *ev, const char *call);
/* recv.c: the answer without a system call: NGX_AGAIN, or what ended it. */
ssize_t ql__io_not_ready(ql_connection_t *c, const ql_event_t *ev);

/* cached.c: how many of the bytes at offset are known to be in the page cache
 * and up to date: cachestat(2) counts pages that are only being read, and
 * mincore(2) tells the owner alone. What was so 10 ms ago is taken to be. */
size_t ql__file_resident(ql_file_t *file, off_t offset, size_t size);

/* device.c: the hint of dev, a new one if there is none; never NULL. Valid
 * until the next call: the oldest makes room. */
ql_device_t *ql__device(ql_loop_t *loop, uint64_t dev);
/* Its key: overlayfs may show a file under the st_dev of the file system below,
 * which can do more than overlayfs: hence the type, statfs's f_type. */
static inline uint64_t
ql__device_key(uint64_t st_dev, uint32_t type)
{
    return st_dev ^ ((uint64_t) type << 32);
}
/* Memory, or a disk of this machine: an open asks nobody who may not answer. */
bool ql__local_type(uint32_t type);
/* The type of the file systems seen under st_dev, one that is not local before
 * others: numbers are given anew after an umount. 0: none was seen. */
uint32_t ql__device_type(const ql_loop_t *loop, uint64_t st_dev);

/* file.c */
/* A second descriptor of a file, for direct reads. */
typedef struct {
    bool tried;
    int fd;         /* tried: -1: there is none */
    int err;        /* and why: errno */
    uint32_t align; /* of buffer, offset and length, bytes */
} ql__direct_t;
/* What an open found out, on whichever thread. */
typedef struct {
    int fd;        /* -1: none */
    uint32_t type; /* of its file system, statfs's f_type; 0: not told */
    uint64_t dev;  /* st_dev */
    uint64_t ino;  /* st_ino */
    uint64_t size; /* st_size */
    struct timespec mtime;
    ql__direct_t direct;
} ql__opened_t;
/* Fills in what opened->fd is, and *mode, its st_mode. Any thread. 0, or -1
 * with errno. */
int ql__file_look(const ql_sys_t *sys, ql__opened_t *opened, mode_t *mode);
/* The rest of an open file: descriptor and hints; the loop's thread. */
void ql__file_opened(ql_file_t *file, const ql__opened_t *opened);
/* What this file turned out not to do; counted once, a hint for its device. */
void ql__file_no_nowait(ql_file_t *file);
void ql__file_no_direct(ql_file_t *file, bool hint);
/* Any thread. */
ql__direct_t ql__file_open_direct(const ql_sys_t *sys, int fd);
/* The O_DIRECT descriptor; -1: there is none. A local file's is opened at the
 * first need, that of any other with the file, by the thread that opens it. */
int ql__file_direct(ql_file_t *file);

/* cache.c: what two opens must have in common to share a file. */
typedef struct {
    const char *path;
    const char *root; /* NULL: none */
    uint64_t directio;
    bool direct;
    bool miss_direct;
} ql__cache_key_t;
void ql__cache_init(ql_loop_t *loop);
/* NGX_OK: *file, held. NGX_ERROR: the path is known to fail; *err, and whether
 * it is its root that does. NGX_DECLINED: it has to be opened; then one of
 * the two below follows. */
int ql__cache_find(ql_loop_t *loop, const ql__cache_key_t *key,
                   ql_file_t **file, int *err, bool *at_root);
/* It was opened, as file: what the opener gets in its place. */
ql_file_t *ql__cache_keep(ql_loop_t *loop, const ql__cache_key_t *key,
                          const ql__opened_t *opened, ql_file_t *file);
/* It could not be opened. */
void ql__cache_failed(ql_loop_t *loop, const ql__cache_key_t *key, int err,
                      bool at_root);
/* device.c: counts a read or a write of this file for its device. */
void ql__fallback(ql_file_t *file, int reason);

/* slow.c: counts a call on the loop that took ns, if that was more than 1 ms:
 * true; `file` is the one that is named. errno is kept. */
bool ql__slow(ql_slow_t *slow, uint64_t ns, const ql_file_t *file);

/* close.c */
void ql__file_hold(ql_file_t *file);
void ql__file_release(ql_file_t *file);

/* A completion to who waits for it. An abandoned one frees itself, and not by
 * a queue that the end of the loop would drop. */
static inline void
ql__deliver(ql_loop_t *loop, ql_event_t *ev)
{
    if (ev->abandoned) {
        ev->handler(ev);
    } else {
        ql_post_event(loop, ev);
    }
}

/* The one allocation hook. */
static inline void *
ql__alloc(ql_loop_t *loop, size_t size)
{
    return loop->sys->malloc(size);
}

static inline void
ql__free(ql_loop_t *loop, void *p)
{
    loop->sys->free(p);
}

#endif
