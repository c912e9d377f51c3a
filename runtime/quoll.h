/*
 * quoll.h: the C interface of libquoll, nginx's event core as a library.
 *
 *   version, misuse, queue, log, configuration, event
 *   loop           turns, time, statistics, other threads
 *   posted queues, timers
 *   connections    addresses, passing descriptors, datagrams, listeners,
 *                  connecting, idle connections kept
 *   thread pool, blocking calls
 *   files          reading; opening, watching, writing, operations on paths
 *   processes
 *
 * Everything hangs off a ql_loop_t. What holds for every function, unless its
 * comment says otherwise:
 *
 * Threads. A loop, and all that hangs off it, belongs to one thread. From any
 * other only those functions may be called that say "any thread": of a loop
 * that runs ql_post_from_thread() and ql_notify(). Debug builds end the process
 * by ql_misuse() when another one is, those that are static inline excepted.
 *
 * Calling back. Handlers are called by ql_process_events_and_timers(), and so
 * by ql_loop_run(), alone; the log's writer by whatever logs; the functions of
 * an io table or of a ql_call_type_t by those that use them. A handler may call
 * any function, also one that closes or frees what it is the handler of.
 *
 * Ownership. What a _create, _open, _get or _take has returned is the caller's,
 * up to the _free, _close or _release beside it. What a function is given it
 * has no use for after it has returned. A handler's argument is the loop's.
 *
 * Failure. NGX_ERROR, NULL or -1, errno set; logged, once, where it concerns
 * more than the caller. NGX_AGAIN: not yet, a handler will tell when the same
 * call is worth another attempt.
 *
 * Nouns, verbs and bit names are nginx's; docs/VOCABULARY.md maps each to its
 * source.
 */
#ifndef QUOLL_H
#define QUOLL_H

#include <sys/select.h> /* first: libaio.h's sigset_t under -std=c99 */

#include <libaio.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The version of this header. A patch changes no interface; a minor version
 * may add to it; a major version, and before 1.0.0 a minor one, may break what
 * compiles against it.
 */
#define QL_VERSION "0.1.0"
#define QL_VERSION_MAJOR 0
#define QL_VERSION_MINOR 1
#define QL_VERSION_PATCH 0
/* To compare with: 10203 is 1.2.3. */
#define QL_VERSION_NUMBER                                                      \
    (QL_VERSION_MAJOR * 10000 + QL_VERSION_MINOR * 100 + QL_VERSION_PATCH)
/*
 * The number of the binary interface, and of the libraries' sonames:
 * libquoll.so.0. A release under which something that was compiled before
 * might break raises it by one: a function is gone or takes something else, a
 * struct that callers allocate or embed has another size, a member another
 * place, a name another value. New functions, and new bits in what a struct
 * had spare, do not.
 */
#define QL_ABI 0

#define QL_API __attribute__((visibility("default")))
#define QL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
/* Seldom called: a branch that leads there is laid out of the way. */
#define QL_COLD __attribute__((cold))

/* One reactor. Opaque. */
typedef struct ql_loop_s ql_loop_t;
typedef struct ql_sys_s ql_sys_t; /* the table of system calls: core/sys.h */
typedef struct ql_event_s ql_event_t;
typedef struct ql_connection_s ql_connection_t;
typedef struct ql_listening_s ql_listening_t;
typedef struct ql_file_s ql_file_t;
typedef struct ql_event_aio_s ql_event_aio_t;
typedef struct ql_read_s ql_read_t;
typedef struct ql_call_s ql_call_t;
typedef struct ql_watch_s ql_watch_t;
typedef struct ql_stream_s ql_stream_t;
typedef struct ql_process_s ql_process_t;
typedef struct ql_keepalive_s ql_keepalive_t;

/* Return codes, nginx's names and values. */
enum {
    NGX_OK = 0,
    NGX_ERROR = -1,
    NGX_AGAIN = -2,
    NGX_BUSY = -3,
    NGX_DONE = -4,
    NGX_DECLINED = -5
};

/* QL_VERSION of the library that runs. Any thread. */
QL_API const char *ql_version(void);
/* Its QL_ABI. Any thread. */
QL_API int ql_abi(void);

/* ----------------------------------------------------------- misuse ---- */

/*
 * Debug builds (CMAKE_BUILD_TYPE=Debug) look for calls that break a contract of
 * this header, and end the process by this function: the line "quoll: misuse:
 * function: text" on stderr, and SIGABRT. Other builds do not look. Any thread.
 */
QL_API void ql_misuse(const char *function, const char *fmt, ...)
    QL_PRINTF(2, 3) QL_COLD __attribute__((noreturn));

/* ------------------------------------------------------------ queue ---- */

/* Intrusive, circular, doubly linked; a head is a node that links itself. */
typedef struct ql_queue_s {
    struct ql_queue_s *prev;
    struct ql_queue_s *next;
} ql_queue_t;

#define ql_queue_data(q, type, member)                                         \
    ((type *) (void *) ((char *) (q) -offsetof(type, member)))

/* Makes an empty queue, or a node that is in none. */
static inline void
ql_queue_init(ql_queue_t *head)
{
    head->prev = head;
    head->next = head;
}

/* Also: is a node in no queue? */
static inline int
ql_queue_empty(const ql_queue_t *head)
{
    return head->next == head;
}

/* The last one of head; node is in no queue. */
static inline void
ql_queue_insert_tail(ql_queue_t *head, ql_queue_t *node)
{
    node->prev = head->prev;
    node->next = head;
    node->prev->next = node;
    head->prev = node;
}

/* The first one of head; node is in no queue. */
static inline void
ql_queue_insert_head(ql_queue_t *head, ql_queue_t *node)
{
    ql_queue_insert_tail(head->next, node);
}

/* Takes node out of its queue; harmless when it is in none. */
static inline void
ql_queue_remove(ql_queue_t *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->prev = node;
    node->next = node;
}

/* Appends every node of `from` to `to`, in order, and leaves `from` empty. */
static inline void
ql_queue_move(ql_queue_t *to, ql_queue_t *from)
{
    if (ql_queue_empty(from)) {
        return;
    }
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    ql_queue_init(from);
}

/* -------------------------------------------------------------- log ---- */

enum {
    QL_LOG_EMERG = 1,
    QL_LOG_ALERT, /* a bug in quoll, nothing else */
    QL_LOG_CRIT,
    QL_LOG_ERR,
    QL_LOG_WARN,
    QL_LOG_NOTICE,
    QL_LOG_INFO,
    QL_LOG_DEBUG
};

/* Debug categories, one per mechanism; switched on at run time. */
enum {
    QL_DEBUG_EVENT = 1 << 0,  /* epoll: add, del, wait, each event */
    QL_DEBUG_POSTED = 1 << 1, /* posted queues */
    QL_DEBUG_TIMER = 1 << 2,  /* add, del, expire */
    QL_DEBUG_ACCEPT = 1 << 3, /* listeners */
    QL_DEBUG_NET = 1 << 4,    /* recv, send, connect */
    QL_DEBUG_AIO = 1 << 5,    /* file reads: bridge and lanes */
    QL_DEBUG_POOL = 1 << 6,   /* thread pool */
    QL_DEBUG_TASK = 1 << 7    /* coroutines: used by the bindings */
};

/* Called with one whole entry without its last newline: of any bytes, in several
 * lines where there is a traceback. Must not call the loop. */
typedef void (*ql_log_writer_pt)(void *data, int level, const char *text);

/*
 * Writes "text (24: Too many open files)"; err 0 leaves the parenthesis out.
 * The same fmt is written at most 10 times a second from WARN upwards; what
 * was left out is counted and said once the second is over. errno is kept.
 */
QL_API void ql_log_error(ql_loop_t *loop, int level, int err, const char *fmt,
                         ...) QL_PRINTF(4, 5) QL_COLD;
/* The same, without the limit: for what a script logs. */
QL_API void ql_log_text(ql_loop_t *loop, int level, const char *text);
/* level: lines above it are dropped (default QL_LOG_NOTICE). */
QL_API void ql_log_set_level(ql_loop_t *loop, int level);
/* That level. */
QL_API int ql_log_level(const ql_loop_t *loop);
/* categories: QL_DEBUG_* or'ed; 0 switches all off. */
QL_API void ql_log_set_debug(ql_loop_t *loop, unsigned categories);
/* NULL puts the default back: stderr, with time, level and pid; further lines of
 * an entry begin with a tab, control characters are "\x1B". */
QL_API void ql_log_set_writer(ql_loop_t *loop, ql_log_writer_pt writer,
                              void *data);
/* Lines logged at this level since the loop was made, also the dropped. */
QL_API uint64_t ql_log_count(const ql_loop_t *loop, int level);
/* "warn" -> QL_LOG_WARN; 0: no such name. Any thread. */
QL_API int ql_log_level_by_name(const char *name);
/* "aio" -> QL_DEBUG_AIO; 0: no such name. Any thread. */
QL_API unsigned ql_log_debug_by_name(const char *name);

/* ---------------------------------------------------- configuration ---- */

/* Size of the epoll module. nginx: ngx_epoll_conf_t. */
typedef struct {
    uint32_t events;       /* epoll_events: one epoll_wait batch; 512 */
    uint32_t aio_requests; /* worker_aio_requests: AIO context size; 256 */
} ql_epoll_conf_t;

typedef struct {
    ql_epoll_conf_t epoll;
    uint32_t worker_connections; /* live connections at most; 1,048,576 */
    uint32_t timer_resolution;   /* ms; 0: time is updated every turn */
    uint32_t multi_accept;       /* connections accepted a turn; 64 */
    uint32_t accept_queue;       /* accepted but not yet taken; 128 */
    uint32_t accept_delay;       /* ms a listener pauses on EMFILE; 500 */
    uint32_t level_triggered;    /* 1: EPOLLLT for connections; 0 */
    uint32_t threads;            /* of the pool for blocking calls; 4 */
    uint32_t thread_queue;       /* tasks waiting for the pool; 65,536 */
    uint32_t aio_queue;          /* reads waiting in user space; 65,536 */
    uint32_t overflow_error;     /* 1: reads and calls that find one of them
                                    full fail with EBUSY; 0: they wait too */
    uint32_t drain;              /* ms loop end waits for reads; 1,000 */
    uint32_t keepalive;          /* idle connections kept in all pools; live;
                                    1,024 */
    /* Files kept open between their users; live, see ql_conf_live(). */
    uint32_t open_file_cache;          /* entries at most; 0: none is kept */
    uint32_t open_file_cache_valid;    /* s an entry is believed; 60 */
    uint32_t open_file_cache_inactive; /* s an unused entry stays; 60 */
    uint32_t open_file_cache_min_uses; /* opens until a file is kept; 1 */
    uint32_t open_file_cache_errors;   /* 1: failures are kept too; 0 */
} ql_conf_t;

#define QL_CONF_UNSET 0xffffffffu

/* What takes a configuration is for any thread while nobody else has it; that of
 * a loop, ql_loop_conf(), is its thread's. */

/* Leaves every field unset. Any thread. */
QL_API void ql_epoll_create_conf(ql_epoll_conf_t *conf);
/* Gives every field that is unset its default. Any thread. */
QL_API void ql_epoll_init_conf(ql_epoll_conf_t *conf);
/* Leaves every field unset, those of conf->epoll too. Any thread. */
QL_API void ql_conf_create(ql_conf_t *conf);
/* Gives every field that is unset its default; ql_loop_create() does. Any
 * thread. */
QL_API void ql_conf_init(ql_conf_t *conf);
/*
 * Sets one field by its directive's name. NGX_OK; NGX_DECLINED: no such
 * setting; NGX_ERROR: not a whole number in its range. Either failure writes
 * a message that names the setting and its range into err[size]. Any thread.
 */
QL_API int ql_conf_set(ql_conf_t *conf, const char *name, double value,
                       char *err, size_t size);
/* The range of a setting, "epoll_events must be a whole number from 1 to
 * 65536" into err[size]; NGX_DECLINED: no such setting. Any thread. */
QL_API int ql_conf_describe(const char *name, char *err, size_t size);
/* True for a setting that is 0 or 1. Any thread. */
QL_API int ql_conf_flag(const char *name);
/* True for a setting that may change while the loop runs: open_file_cache and
 * its like, after which ql_open_cache_drop() follows, and keepalive, after
 * which ql_keepalive_trim() does. Any thread. */
QL_API int ql_conf_live(const char *name);
/* The name of setting i, NULL after the last; *value: its number in conf. Any
 * thread. */
QL_API const char *ql_conf_get(const ql_conf_t *conf, unsigned i,
                               uint32_t *value);

/* ------------------------------------------------------------ event ---- */

typedef void (*ql_event_handler_pt)(ql_event_t *ev);

enum {
    QL_READ_EVENT = 0x2001, /* EPOLLIN|EPOLLRDHUP */
    QL_WRITE_EVENT = 0x004, /* EPOLLOUT */
    QL_LEVEL_EVENT = 0,
    QL_CLOSE_EVENT = 1, /* del: the descriptor is closed next */
    QL_EXCLUSIVE_EVENT = 1 << 28,
    QL_ONESHOT_EVENT = 1 << 30
};
#define QL_CLEAR_EVENT 0x80000000u /* EPOLLET */

/* process_events' flags. */
enum {
    QL_UPDATE_TIME = 1,
    QL_POST_EVENTS = 2,
    QL_POST_THREAD_EVENTS = 4
};

/* loop->event_flags */
enum {
    QL_USE_LEVEL_EVENT = 1,
    QL_USE_CLEAR_EVENT = 4,
    QL_USE_GREEDY_EVENT = 0x20,
    QL_USE_EPOLL_EVENT = 0x40
};

#define QL_TIMER_INFINITE ((uint64_t) -1)

/* One direction of a descriptor, or a timer, or a completion: 64 bytes. */
struct ql_event_s {
    void *data; /* its ql_connection_t, or the owner's struct */
    /* Called when it happened. NULL: nobody is parked on it; `ready` is set
     * and the event is not posted. */
    ql_event_handler_pt handler;
    ql_queue_t queue; /* in a posted queue while `posted` */
    ql_queue_t timer; /* in the timer wheel while `timer_set` */
    uint64_t due;     /* ns of the clock at which the timer fires */
    /* Bytes that FIONREAD saw; -1: not asked since the last event. Set by
     * recv and process_events. On a listener: 1 to go on accepting. */
    int available;
    unsigned write : 1;        /* the write half; set once by get_connection */
    unsigned accept : 1;       /* a listener's; set by ql_listen */
    unsigned instance : 1;     /* flipped by get_connection at each reuse */
    unsigned active : 1;       /* in the epoll set; add/del */
    unsigned disabled : 1;     /* a pause keeps it out of the set: disable
                                 sets it, enable clears it */
    unsigned ready : 1;        /* epoll said so; cleared by EAGAIN and by a
                                 short read or write */
    unsigned oneshot : 1;      /* inactive once it fires; add sets it, del
                                 clears it: the set keeps a mute entry */
    unsigned eof : 1;          /* recv returned 0 */
    unsigned error : 1;        /* recv or send failed; a task of the pool was
                                 lost by a fork */
    unsigned timedout : 1;     /* set when the timer fires, cleared by who
                                 looks at it */
    unsigned timer_set : 1;    /* in the timer wheel */
    unsigned pending_eof : 1;  /* EPOLLRDHUP came: a short read is no end */
    unsigned posted : 1;       /* in a posted queue */
    unsigned posted_ready : 1; /* becomes `ready` when its queue reaches it */
    unsigned complete : 1;     /* AIO or pool: the result is there */
    unsigned cancelable : 1;   /* does not keep a stopping loop alive */
    unsigned abandoned : 1;    /* AIO or pool: set by the waiter that let go
                                 while `active`; the handler is not posted
                                 but called at completion, to free */
    unsigned clear : 1;        /* edge-triggered in the set; add */
    unsigned exclusive : 1;    /* EPOLLEXCLUSIVE in the set; add */
    unsigned freed : 1;        /* in debug builds: its connection was given
                                  back; cleared when that is taken anew */
};

/* The ten actions of an event module. nginx: ngx_event_actions_t. add, del,
 * enable, disable: ev->data is its connection. */
typedef struct {
    int (*add)(ql_loop_t *loop, ql_event_t *ev, uint32_t event, uint32_t flags);
    int (*del)(ql_loop_t *loop, ql_event_t *ev, uint32_t event, uint32_t flags);
    int (*enable)(ql_loop_t *loop, ql_event_t *ev, uint32_t event,
                  uint32_t flags);
    int (*disable)(ql_loop_t *loop, ql_event_t *ev, uint32_t event,
                   uint32_t flags);
    int (*add_conn)(ql_loop_t *loop, ql_connection_t *c);
    int (*del_conn)(ql_loop_t *loop, ql_connection_t *c, uint32_t flags);
    int (*notify)(ql_loop_t *loop); /* wakes epoll_wait; any thread */
    /* timer: ns to wait at most, QL_TIMER_INFINITE: for ever */
    int (*process_events)(ql_loop_t *loop, uint64_t timer, uint32_t flags);
    int (*init)(ql_loop_t *loop);
    void (*done)(ql_loop_t *loop);
} ql_event_actions_t;

/* Those of epoll, which every loop uses. */
QL_API extern const ql_event_actions_t ql_epoll_actions;

/* Nothing can be done before epoll says more: an attempt now would be
 * NGX_AGAIN. Holds for every io table: one whose recv has bytes of its own
 * keeps `ready` set while it has. */
static inline int
ql_event_waits(const ql_event_t *ev)
{
    return ev->active && !ev->ready && !ev->eof && !ev->error;
}

/*
 * Makes sure that the event will come when an attempt returned NGX_AGAIN.
 * Edge-triggered: the connection enters the set for both directions at the
 * first call, later calls are free. Level-triggered: added when it is wanted,
 * removed when it is ready. flags: QL_CLOSE_EVENT or 0.
 */
QL_API int ql_handle_read_event(ql_event_t *rev, uint32_t flags);
/* The same for writing. */
QL_API int ql_handle_write_event(ql_event_t *wev);

/* ------------------------------------------------------------- loop ---- */

/*
 * Makes a loop: memory only, no kernel object. conf may be NULL (defaults),
 * unset fields get theirs. sys NULL: the real system calls. NULL with errno
 * ENOMEM. Any thread: the loop is then that thread's.
 */
QL_API ql_loop_t *ql_loop_create(const ql_conf_t *conf, const ql_sys_t *sys);
/* Waits at most conf.drain ms for reads in flight, closes every connection,
 * releases everything; of what is under way no handler is called. What threads
 * still use after that is left to the process. NULL: nothing. */
QL_API void ql_loop_destroy(ql_loop_t *loop);
/* True on the thread whose loop it is: which called ql_loop_create(), or the
 * first ql_loop_init(); while ql_loop_run() runs, the one that called that. Any
 * thread. */
QL_API int ql_loop_own_thread(const ql_loop_t *loop);
/* Makes the epoll set and registers the pseudo connections; called by what
 * needs them. Also after a fork: the child's set is made anew. Also when
 * conf's epoll_events grew: the event list grows. The first call may be another
 * thread's, whose the loop is then. */
QL_API int ql_loop_init(ql_loop_t *loop);
/* The loop's configuration; change it before ql_loop_init(). */
QL_API ql_conf_t *ql_loop_conf(ql_loop_t *loop);
/*
 * One turn: submit gathered AIO, wait (0 when something is pending, else
 * until the next timer, and never longer than max_wait ms), accept events,
 * timers, posted events. NGX_ERROR only when epoll itself failed; EINTR is
 * NGX_OK.
 */
QL_API int ql_process_events_and_timers(ql_loop_t *loop, uint64_t max_wait);
/* ns until there is a turn to make even if no descriptor becomes ready: 0 now,
 * QL_TIMER_INFINITE never. For who waits for ql_loop_fd() elsewhere. */
QL_API uint64_t ql_loop_timeout(ql_loop_t *loop);
/* Turns until ql_loop_stop(). NGX_ERROR as a turn's. While no thread runs it
 * another one may: the loop is the calling thread's meanwhile. */
QL_API int ql_loop_run(ql_loop_t *loop);
/* ql_loop_run() returns after this turn; harmless when it does not run. */
QL_API void ql_loop_stop(ql_loop_t *loop);
/* Called in a signal handler on the loop's thread, so that it may call only
 * what signal-safety(7) lists. pc: where the thread was interrupted; NULL where
 * that is not known. False: no handler of the loop runs just now. */
typedef int (*ql_tick_pt)(ql_loop_t *loop, const void *pc);
/*
 * Calls handler every nsec while handlers of the loop run, by a timer of the
 * calling thread and SIGRTMIN + 9; a child after fork goes on from its first
 * turn. 0: no more. NGX_ERROR with errno, EBUSY when that signal has a handler.
 */
QL_API int ql_loop_tick(ql_loop_t *loop, uint64_t nsec, ql_tick_pt handler);
/*
 * An epoll descriptor, -1 before init: readable when events have come. From
 * ql_loop_watch() on it is the same one for the loop's life; before, the set is
 * built anew when stale events flood it. A forked child has its own from the
 * first call on that needs one (ql_loop_init()); until then this is the
 * parent's.
 */
QL_API int ql_loop_fd(const ql_loop_t *loop);
/*
 * Somebody else will wait for ql_loop_fd(), to be asked for after this, and for
 * ql_loop_timeout() at most: from now on what is posted or armed between two
 * turns makes it readable, so that a timeout which was asked for before that
 * does no harm. Does ql_loop_init(). NGX_ERROR with errno (EMFILE): nobody can.
 */
QL_API int ql_loop_watch(ql_loop_t *loop);
/* The table that its system calls go through: core/sys.h. Any thread. */
QL_API const ql_sys_t *ql_loop_sys(const ql_loop_t *loop);
/* The calling process: getpid(2), which is not asked once the loop has begun
 * there. For what a forked child must leave to its parent. */
QL_API pid_t ql_loop_pid(const ql_loop_t *loop);
/* A pointer of the program's; under Lua the bindings', and not to be changed. */
QL_API void ql_loop_set_data(ql_loop_t *loop, void *data);
/* That pointer; NULL before. */
QL_API void *ql_loop_data(const ql_loop_t *loop);

/* The loop's clock, monotonic, in ms, as of the last ql_time_update(). */
QL_API uint64_t ql_msec(const ql_loop_t *loop);
/* The same in ns. */
QL_API uint64_t ql_nsec(const ql_loop_t *loop);
/* Reads the clock; each turn does, once. */
QL_API void ql_time_update(ql_loop_t *loop);

/* Wakes the loop out of epoll_wait. Any thread. NGX_ERROR with errno: it has
 * not been started. */
QL_API int ql_notify(ql_loop_t *loop);
/* Posts ev, whose handler the loop's thread then calls, those of one thread in
 * their order. Any thread; ev is its caller's until the handler is called, and
 * must not be posted already. Costs a mutex, and a write to an eventfd unless
 * the loop has been woken before. */
QL_API void ql_post_from_thread(ql_loop_t *loop, ql_event_t *ev);

typedef struct {
    uint64_t turns;         /* of the loop */
    uint64_t events;        /* delivered by epoll */
    uint64_t stale;         /* events of a connection that was gone */
    uint64_t rebuilds;      /* of the epoll set */
    uint64_t epoll_ctl;     /* calls */
    uint64_t timers;        /* set now */
    uint64_t posted;        /* in the posted queues now */
    uint64_t opened;        /* connections taken; = closed + live */
    uint64_t closed;        /* connections given back */
    uint64_t live;          /* connections now, without pseudo ones */
    uint64_t accepted;      /* by listeners; part of opened */
    uint64_t rejected;      /* closed as they came: max_connections */
    uint64_t rejected_peer; /* the same for max_per_peer */
    uint64_t accept_errors;
    uint64_t accept_pauses; /* listeners out of the set for EMFILE etc. */
    uint64_t aio_submitted; /* iocbs; = aio_reaped + aio_in_flight */
    uint64_t aio_reaped;
    uint64_t aio_in_flight; /* in the kernel now */
    uint64_t aio_queued;    /* gathered or waiting for the context now */
    uint64_t aio_submits;   /* io_submit calls */
    uint64_t aio_eagain;    /* submits cut short by a full context */
    uint64_t aio_slow;      /* io_submit calls of more than 1 ms */
    uint64_t read_hits;     /* wholly answered from the page cache, 256 KiB at
                               a time; hits + misses: what was asked of it */
    uint64_t read_misses;   /* not (wholly) cached */
    uint64_t read_direct;   /* sent to the AIO */
    uint64_t read_pool;     /* sent to the thread pool */
    uint64_t read_nowait_unsupported;  /* fallback: no NOWAIT on that file */
    uint64_t read_direct_unsupported;  /* fallback: no O_DIRECT */
    uint64_t write_nowait_unsupported; /* fallback: no NOWAIT for writes */
    uint64_t write_hits;               /* writes done without a thread */
    uint64_t write_misses;             /* would have waited: to the pool */
    uint64_t write_pool;        /* parts of writes sent to the thread pool */
    uint64_t sync_aio;          /* syncs sent to the AIO */
    uint64_t sendfiles;         /* parts of files sent from the page cache */
    uint64_t read_dirty;        /* direct submit answered EAGAIN: to the pool */
    uint64_t reads_live;        /* ql_read_t now */
    uint64_t files_live;        /* ql_file_t now */
    uint64_t open_cached;       /* opened without asking a thread */
    uint64_t open_pool;         /* opened by a thread */
    uint64_t cache_hits;        /* opens that the open-file cache answered */
    uint64_t cache_misses;      /* it did not: unknown, stale, too few uses */
    uint64_t cache_entries;     /* now */
    uint64_t cache_evicted;     /* entries that made room, or were inactive */
    uint64_t cache_revalidated; /* stale ones that were found unchanged */
    uint64_t cache_negative;    /* opens that failed by a kept failure */
    uint64_t close_pool;        /* closed by a thread */
    uint64_t close_inline; /* fallback: the pool refused, closed on the loop */
    uint64_t pool_jobs;    /* finished by threads */
    uint64_t pool_pending; /* queued or running now */
    uint64_t calls_live;   /* ql_call_t now */
    uint64_t processes;    /* started */
    uint64_t processes_live; /* ql_process_t now */
    uint64_t orphans; /* reads and calls now whose waiter let go while the
                              kernel or a thread had them: at most
                              worker_aio_requests + threads */
} ql_stats_t;

/* What the loop has counted up to now. */
QL_API void ql_stats(const ql_loop_t *loop, ql_stats_t *stats);
/* How many turns have begun: what is the same within one. */
QL_API uint64_t ql_turn(const ql_loop_t *loop);

enum {
    QL_TURN_BUCKETS = 24
};

/* How long turns take: all but the waiting in epoll, and but the turns that a
 * handler ran inside them. */
typedef struct {
    uint64_t ns; /* of all turns together */
    /* Turns by their length: i: less than 2^i us, and not less than 2^(i-1);
     * the last: all others. Their sum is ql_stats_t.turns without those that
     * are under way. */
    uint64_t lengths[QL_TURN_BUCKETS];
    uint64_t longest;      /* ns, since ql_turns_reset(); 0: there was none */
    uint64_t longest_turn; /* its number, as ql_loop_turn() said in it */
    uint64_t longest_end;  /* ns of the clock */
} ql_turns_t;

/* Those of the loop; lives as long as it does. */
QL_API const ql_turns_t *ql_turns(const ql_loop_t *loop);
/* Forgets the longest turn. */
QL_API void ql_turns_reset(ql_loop_t *loop);
/* The number of this turn, or of the last: ql_stats_t.turns. */
QL_API uint64_t ql_loop_turn(const ql_loop_t *loop);

/* Calls on the loop of more than 1 ms. */
typedef struct {
    uint64_t count;
    uint64_t ns;    /* of the last one */
    char file[232]; /* its path as /proc has it, else "major:minor inode"; ""
                       while there was none */
} ql_slow_t;

/* io_submit; of a batch, its first file. */
QL_API const ql_slow_t *ql_slow_submit(const ql_loop_t *loop);
/* Reads of the page cache of more than 16 KiB: the clock would be a tenth of a
 * smaller one. */
QL_API const ql_slow_t *ql_slow_cached(const ql_loop_t *loop);

/* Reads and writes that a thread made in place of another lane. */
typedef struct {
    char device[32];    /* "ext4 8:1", or "others" */
    const char *reason; /* "nowait unsupported", "direct unsupported", "dirty
                           pages", "unaligned", "aio refused", "no descriptor",
                           "slow misses", "write nowait unsupported" */
    uint64_t count;
} ql_fallback_t;

/* Number i, from 0; NGX_DECLINED after the last. */
QL_API int ql_fallback(const ql_loop_t *loop, unsigned i,
                       ql_fallback_t *fallback);

/* ----------------------------------------------------- posted queues ---- */

/* Its handler is called in this turn's posted events, or the next one's: first
 * in, first out. Harmless when it is posted already. The event is its owner's,
 * who deletes it from the queue before it goes. */
QL_API void ql_post_event(ql_loop_t *loop, ql_event_t *ev);
/* After the next epoll_wait, not in this turn; sets ready on the way. */
QL_API void ql_post_next_event(ql_loop_t *loop, ql_event_t *ev);
/* Before the loop next waits, when all else of this turn is done: for output
 * that is gathered. Its handler runs no script. */
QL_API void ql_post_last_event(ql_loop_t *loop, ql_event_t *ev);
/* Its handler is not called for that. O(1), harmless when it is not posted. */
QL_API void ql_delete_posted_event(ql_loop_t *loop, ql_event_t *ev);

/* ------------------------------------------------------------ timers ---- */

/*
 * Arms ev->timer `ms` from now (the clock is read; at most 2^42 ms); an armed
 * one is moved. Cannot fail. When it fires: timer_set 0, timedout 1, handler
 * called. Due times are rounded up to ticks of 2^14 ns (16 us): a timer is
 * never early, and timers fire in the order of their ticks, within a tick in
 * the order in which they were armed.
 */
QL_API void ql_add_timer(ql_loop_t *loop, ql_event_t *ev, uint64_t ms);
/* The same in ns: for less than a millisecond. */
QL_API void ql_add_timer_nsec(ql_loop_t *loop, ql_event_t *ev, uint64_t nsec);
/* The same, due when the clock of ql_nsec() is at `at`; in the past: in the
 * next turn. Does not read the clock. */
QL_API void ql_add_timer_at(ql_loop_t *loop, ql_event_t *ev, uint64_t at);
/* The same, counted from the turn's cached clock: cheaper, for inactivity
 * timeouts that are armed often. */
QL_API void ql_add_timer_cached(ql_loop_t *loop, ql_event_t *ev, uint64_t ms);
/* O(1), harmless when it has none. */
QL_API void ql_del_timer(ql_loop_t *loop, ql_event_t *ev);
/* ns from the cached clock until the wheel must turn (0: due; may be before the
 * first timer's due time, never after), QL_TIMER_INFINITE without timers. */
QL_API uint64_t ql_event_find_timer(ql_loop_t *loop);
/* Fires what is due at the cached clock; handlers run from a list that is
 * fixed before the first is called. */
QL_API void ql_event_expire_timers(ql_loop_t *loop);

/* -------------------------------------------------------- connections ---- */

/* How bytes move. A TLS connection swaps the table. All of them: >0 bytes,
 * 0 end of file (reads), NGX_AGAIN (ready is cleared), NGX_ERROR (c->err).
 * EINTR is retried. No SIGPIPE. */
typedef struct {
    ssize_t (*recv)(ql_connection_t *c, void *buf, size_t size);
    ssize_t (*recv_chain)(ql_connection_t *c, const struct iovec *iov, int n);
    ssize_t (*udp_recv)(ql_connection_t *c, void *buf, size_t size);
    ssize_t (*send)(ql_connection_t *c, const void *buf, size_t size);
    ssize_t (*send_chain)(ql_connection_t *c, const struct iovec *iov, int n);
    /* Of the file's bytes what needs no waiting for the disk. 0: the file ends
     * before offset; NGX_DECLINED: the next byte has to be read and sent. */
    ssize_t (*sendfile)(ql_connection_t *c, ql_file_t *file, off_t offset,
                        size_t size);
    /* Nothing will be sent any more: what the table has to tell the peer before
     * its socket's SHUT_WR, which follows. NGX_AGAIN: the table makes that
     * itself once it has told. NULL: nothing. */
    int (*finish)(ql_connection_t *c);
    /* The connection is being closed: the table lets go of c->transport. Never
     * waits. NULL: nothing. */
    void (*close)(ql_connection_t *c);
} ql_os_io_t;

/* The system's: what a connection begins with. */
QL_API extern const ql_os_io_t ql_os_io;
/* That of QL_ADOPT_SHARED. */
QL_API extern const ql_os_io_t ql_shared_io;

typedef union {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
} ql_peer_t; /* a unix peer keeps its family only */

struct ql_connection_s {
    ql_event_t read;
    ql_event_t write;
    void *data; /* the owner's */
    ql_loop_t *loop;
    const ql_os_io_t *io;
    void *transport;           /* the io table's state: TLS; NULL: none */
    ql_listening_t *listening; /* the listener itself / in whose queue */
    ql_queue_t queue;          /* free list, or the listener's accept queue */
    struct ql__peer_s *peer_count; /* where its listener counts it; NULL: it
                                      does not */
    uint64_t number;               /* of this use of the struct; for logs */
    int fd;                        /* -1: closed */
    int err;                       /* errno of the last failed recv or send */
    ql_peer_t peer;                /* of an accepted or connected socket */
    uint32_t reused;       /* times taken from a pool; ql_keepalive_get */
    unsigned shared : 1;   /* dup'ed or inherited: close() alone does not take
                            it out of the epoll set */
    unsigned pseudo : 1;   /* quoll's own eventfd, signalfd: not counted */
    unsigned borrowed : 1; /* ql_close_connection leaves the fd open */
    unsigned stream : 1;   /* not a datagram socket */
    unsigned plain : 1;    /* no socket: read and write; set by ENOTSOCK */
    unsigned urgent : 1; /* EPOLLPRI came, or a descriptor: reads stop short at
                              its byte */
    unsigned more : 1;   /* what is sent now is followed by more at once: it may
                            wait for that, to leave together; set and cleared
                            around a send */
    uint16_t held;       /* bytes that the io table has begun to send of what
                              the last send, which was NGX_AGAIN, was given: only
                              the same ones can go on; set and cleared by it */
};

/*
 * Takes a connection struct for fd: events cleared, instances flipped, io
 * table set, handlers NULL. NULL with errno ENFILE when worker_connections
 * are in use (logged), ENOMEM. Does not touch fd and makes no system call.
 */
QL_API ql_connection_t *ql_get_connection(ql_loop_t *loop, int fd);
/* One that worker_connections does not limit and ql_stats() does not count:
 * for quoll's own descriptors (eventfd, signalfd). */
QL_API ql_connection_t *ql_get_pseudo_connection(ql_loop_t *loop, int fd);
enum {
    QL_ADOPT_DUP = 1,   /* a duplicate of fd is taken: fd stays its owner's */
    QL_ADOPT_SHARED = 2 /* O_NONBLOCK stays as it is: poll(2) is asked before
                           each read and write (ql_shared_io). Regular files are
                           welcome, too: they are always ready */
};
/*
 * A connection of a descriptor that was opened elsewhere: a stream socket that
 * is connected, a pipe, a terminal, whatever can be polled. Sets O_NONBLOCK,
 * which is the open file's: who shares it sees it. NULL with errno, and *why:
 * words where errno's own mislead, else NULL: EPERM a regular file, a directory
 * or a block device, EINVAL a datagram or listening socket, EBADF, ENFILE; fd
 * is still the caller's then.
 */
QL_API ql_connection_t *ql_adopt_connection(ql_loop_t *loop, int fd, int flags,
                                            const char **why);
/* Gives the struct back; it is reused after the next epoll_wait at the
 * earliest. Timers, posted events and the epoll set must be clear of it. */
QL_API void ql_free_connection(ql_connection_t *c);
/* Deletes timers and posted events, leaves the epoll set, fd = -1, frees,
 * closes (unless borrowed). */
QL_API void ql_close_connection(ql_connection_t *c);

/* ql_sockaddr_t: an address with its length. */
typedef struct {
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } u;
    socklen_t len;
} ql_sockaddr_t;

enum {
    QL_SOCKADDR_STRLEN = 128
};

/*
 * "127.0.0.1:80" "[::1]:0" ":80" (any address, IPv4) "localhost:80" (127.0.0.1)
 * "unix:/path" "unix:@name" (abstract). NGX_OK; NGX_DECLINED: a host name that
 * needs a resolver; NGX_ERROR: *err says what is wrong. Any thread.
 */
QL_API int ql_sockaddr_parse(const char *text, ql_sockaddr_t *addr,
                             const char **err);
/* The same forms into buf[QL_SOCKADDR_STRLEN]; returns buf. Any thread. */
QL_API const char *ql_sockaddr_text(const struct sockaddr *sa, socklen_t len,
                                    char *buf);
/*
 * Puts the n addresses of a host into the order in which they should be tried:
 * RFC 6724. Asks the kernel which address it would send from; sends nothing.
 * NGX_ERROR with errno ENOMEM: they are as they were.
 */
QL_API int ql_sockaddr_sort(ql_loop_t *loop, ql_sockaddr_t *addrs, size_t n);

/* ------------------------------------------------ passing descriptors ---- */

enum {
    QL_FDS_MAX = 64 /* sent at once, and kept until they are taken */
};

/* Whether descriptors can travel with what c sends and receives: a unix stream
 * whose bytes go as they are, with no TLS on it. */
QL_API int ql_fds_travel(const ql_connection_t *c);
/*
 * From now on descriptors that come with the bytes of a unix stream are kept,
 * close-on-exec; else the system closes them with the read that meets them.
 * What nobody takes is closed with the connection. Harmless when done already.
 * NGX_ERROR with errno: EOPNOTSUPP, it is none or has an io table of its own.
 */
QL_API int ql_fds_keep(ql_connection_t *c);
/* NGX_OK: one has been received, and *behind bytes after those that it came
 * with; NGX_DECLINED: none. */
QL_API int ql_fds_next(const ql_connection_t *c, uint64_t *behind);
/* After NGX_OK: it is the caller's; -1 with errno EMFILE: here the system, or
 * QL_FDS_MAX, has refused some. */
QL_API int ql_fds_take(ql_connection_t *c);
/* Sends bytes, at least one, with n descriptors, at most QL_FDS_MAX: as
 * io->send, and with the first byte the descriptors have gone. EBADF,
 * ETOOMANYREFS and EOPNOTSUPP (they cannot travel) break nothing. */
QL_API ssize_t ql_fds_send(ql_connection_t *c, const void *buf, size_t size,
                           const int *fds, unsigned n);

/* ---------------------------------------------------------- datagrams ---- */

struct mmsghdr; /* of recvmmsg(2), which <sys/socket.h> has for _GNU_SOURCE */

/* A datagram socket, AF_INET, AF_INET6 or AF_UNIX; `stream` is clear, and a
 * failure breaks nothing: the next attempt asks the kernel. NULL with errno. */
QL_API ql_connection_t *ql_udp_open(ql_loop_t *loop, int family);
/* The same of a datagram socket that was opened elsewhere, which becomes
 * nonblocking. NULL with errno, EINVAL for any other: fd is still the
 * caller's. */
QL_API ql_connection_t *ql_udp_adopt(ql_loop_t *loop, int fd);
/* A unix address that is its family alone: the kernel chooses a name. */
QL_API int ql_udp_bind(ql_connection_t *c, const ql_sockaddr_t *addr);
/* Whom it sends to and hears alone; addr NULL: nobody, and everybody. */
QL_API int ql_udp_connect(ql_connection_t *c, const ql_sockaddr_t *addr);
/* Call again: how many of the n have come, at least one, each with its own
 * length as msg_len even if that is more than there was room for (MSG_TRUNC);
 * NGX_AGAIN; NGX_ERROR with c->err. Fewer than n: there were no more. */
QL_API int ql_udp_recv(ql_connection_t *c, struct mmsghdr *msgs, unsigned n);
/* Call again: how many of the n have gone, at least one; NGX_AGAIN; NGX_ERROR
 * with c->err, about the first. Fewer than n: the next one has failed, and an
 * attempt with it says why. */
QL_API int ql_udp_send(ql_connection_t *c, struct mmsghdr *msgs, unsigned n);
/* As ql_close_connection(); the file of a unix name goes, too. */
QL_API void ql_udp_close(ql_connection_t *c);

/* A socket option, as setsockopt(2) takes it. */
typedef struct {
    int level;
    int name;
    socklen_t size; /* bytes of value */
    union {
        int number;
        struct linger linger;
        char text[16]; /* of a congestion control, of a network device */
    } value;
} ql_sockopt_t;

/* ---------------------------------------------------------- listeners ---- */

/* Zeroed: none of it. */
typedef struct {
    int backlog;  /* connections the kernel keeps; 0: 511 */
    int deferred; /* s: TCP_DEFER_ACCEPT, not told of before data comes */
    int fastopen; /* TCP_FASTOPEN: requests that may come with the SYN */
    const ql_sockopt_t *options; /* set before bind; what is accepted inherits
                                    them, but not on a unix socket */
    unsigned noptions;           /* length of options */
    uint32_t max_connections; /* alive at a time, else they are closed as they
                                 come; 0: any number */
    uint32_t max_per_peer;    /* the same, of one peer: an IPv4 address, 64 bits
                                 of an IPv6 address */
    unsigned mode;            /* permissions of a unix socket's file; 0: as the
                                umask says */
    uid_t uid;                /* its owner, where `owned` */
    gid_t gid;                /* and group */
    unsigned owned : 1;
    unsigned reuseport : 1;
    unsigned exclusive : 1; /* EPOLLEXCLUSIVE: several loops share the fd */
    unsigned v6only : 1;
    unsigned freebind : 1;    /* IP_FREEBIND: the address may come later */
    unsigned transparent : 1; /* IP_TRANSPARENT: any address, of a proxy */
} ql_listen_opts_t;

struct ql_listening_s {
    ql_connection_t *connection; /* NULL once it is dead or closed */
    /* Called from the accept queue's turn when a connection has come, and
     * with connection NULL when the listener died (err). May be NULL. */
    void (*handler)(ql_listening_t *ls);
    void *data;
    ql_loop_t *loop;
    ql_queue_t link;             /* in loop->listenings */
    ql_queue_t accepted;         /* connections nobody has taken yet */
    uint32_t queued;             /* how many */
    uint32_t wanted;             /* most in the queue; ql_listening_want */
    ql_event_t settle;           /* posted last: does `wanted` let it stay in
                                    the epoll set? */
    int err;                     /* errno that killed it */
    struct ql__limits_s *limits; /* NULL: there are none */
    ql_sockaddr_t addr;
    uint64_t file_dev;   /* the file of a unix socket, as bind made it */
    uint64_t file_ino;   /* 0: it has none, or it is not ours */
    unsigned full : 1;   /* out of epoll: the queue is full */
    unsigned idle : 1;   /* out of epoll: as many as are wanted wait */
    unsigned paused : 1; /* out of epoll: EMFILE, ENFILE, no connections */
    unsigned exclusive : 1;
};

/* Socket, options, bind, listen, level-triggered in the epoll set. NULL with
 * errno; a stale unix socket file that nobody listens on is replaced. */
QL_API ql_listening_t *ql_listen(ql_loop_t *loop, const ql_sockaddr_t *addr,
                                 const ql_listen_opts_t *opts);
/*
 * A listening stream socket that was opened elsewhere: becomes nonblocking and
 * close-on-exec; of opts `exclusive` counts, and `backlog` unless 0. NULL with
 * errno, and fd is still the caller's: EBADF, ENOTSOCK, EINVAL (it does not
 * listen, or is no stream socket), EEXIST (the loop has it already).
 */
QL_API ql_listening_t *ql_listen_inherited(ql_loop_t *loop, int fd,
                                           const ql_listen_opts_t *opts);
/* The read handler of a listener's connection. nginx: ngx_event_accept. */
QL_API void ql_event_accept(ql_event_t *ev);
/* The next accepted connection, NULL when there is none; brings a full
 * listener back when its queue is half empty. The caller owns it. */
QL_API ql_connection_t *ql_accept(ql_listening_t *ls);
/*
 * For a socket on which other processes accept too: no more than n connections
 * are taken into the queue, and while it holds so many the listener is out of
 * the epoll set when the loop sleeps, so that who comes wakes another process.
 * Before the first call any number is wanted.
 */
QL_API void ql_listening_want(ql_listening_t *ls, uint32_t n);
/* One more into the queue, wanted or not, if one has come and nothing holds the
 * listener up; not when epoll says so, but now. handler is not called. */
QL_API void ql_accept_now(ql_listening_t *ls);
/*
 * Accepts what has come, as far as the queue has room (not where others share
 * the socket: it is theirs), and closes the socket; a unix socket's file is
 * unlinked if it is still the one that bind made. The queue can still be taken;
 * handler is called before this returns, with connection NULL and err 0.
 */
QL_API void ql_listening_stop(ql_listening_t *ls);
/* Closes it and what its queue still holds; frees ls. A unix socket's file
 * is unlinked. */
QL_API void ql_listening_close(ql_listening_t *ls);

/* --------------------------------------------------------- connecting ---- */

/* Zeroed: none of it. */
typedef struct {
    const ql_sockaddr_t *bind;   /* address to connect from; NULL: any */
    const ql_sockopt_t *options; /* set before bind and connect */
    unsigned noptions;           /* length of options */
} ql_connect_opts_t;

/*
 * A nonblocking socket of addr's family and a connection for it. *c is set on
 * NGX_OK (connected at once) and NGX_AGAIN (in the epoll set; the write event
 * tells); NGX_ERROR with errno. The EAGAIN of a full unix backlog
 * has no event to wait for, so it is an error too. opts may be NULL.
 */
QL_API int ql_event_connect_peer(ql_loop_t *loop, const ql_sockaddr_t *addr,
                                 const ql_connect_opts_t *opts,
                                 ql_connection_t **c);
/* Call again: NGX_OK connected, NGX_AGAIN, NGX_ERROR with c->err. */
QL_API int ql_test_connect(ql_connection_t *c);

/* -------------------------------------------- idle connections kept ---- */

/* Why a kept connection was closed. */
enum {
    QL_DROP_CLOSED,   /* its peer closed it, or it failed */
    QL_DROP_READABLE, /* its peer sent what nobody had asked for */
    QL_DROP_TIMEOUT,  /* it was idle for too long */
    QL_DROP_EVICTED,  /* it made room in its pool, or in all of them */
    QL_DROP_ENDED,    /* ql_keepalive_drop(), the end of the loop */
    QL_DROP_FORKED,   /* in a child: it is the parent's */
    QL_DROPS
};

typedef struct {
    uint64_t created;           /* connections that were made for it */
    uint64_t parked;            /* times; = reused + idle ones + dropped */
    uint64_t reused;            /* times */
    uint64_t dropped[QL_DROPS]; /* by reason */
    uint64_t refused;           /* claims that found the backlog full */
} ql_keepalive_stats_t;

/*
 * The connections under one key: idle ones, of which the last parked is taken
 * first, and those in use. nginx: ngx_http_upstream_keepalive_srv_conf_t. It
 * lives while somebody has it open or one of its connections lives.
 */
struct ql_keepalive_s {
    ql_loop_t *loop;
    ql_queue_t bucket;    /* in its hash's */
    ql_queue_t link;      /* among the loop's pools */
    ql_queue_t idle;      /* kept connections, the last parked first */
    ql_queue_t claims;    /* of ql_claim_t.link, in the order they came */
    uint32_t refs;        /* ql_keepalive_open() without its close */
    uint32_t connections; /* idle, in use, being made */
    uint32_t nidle;       /* length of idle */
    uint32_t waiting;     /* length of claims */
    uint32_t granted;     /* claims that have yet to get what they may */
    uint32_t size;        /* idle ones at most; with a backlog, connections */
    uint32_t backlog;     /* claims that may wait; QL_CONF_UNSET: no limit to
                             connections, so none waits */
    uint32_t hash;        /* of key */
    uint64_t max_idle;    /* ns; for who names none */
    ql_keepalive_stats_t stats;
    unsigned size_set : 1; /* size, max_idle: by ql_keepalive_set() */
    unsigned max_idle_set : 1;
    uint32_t length; /* of key */
    char *key;       /* not terminated */
};

/* Who needs a connection of a pool. */
typedef struct {
    ql_keepalive_t *pool;
    ql_queue_t link;  /* in pool->claims while it waits */
    ql_event_t event; /* handler and data are the claimant's: posted when it is
                         worth claiming again */
    unsigned
        granted : 1; /* from ql_keepalive_claim() to _get() or _unclaim() */
} ql_claim_t;

/* The pool of that key, made if need be. NULL with errno ENOMEM. */
QL_API ql_keepalive_t *ql_keepalive_open(ql_loop_t *loop, const char *key,
                                         size_t length);
/* One that ql_keepalive_open() gave; it may be gone afterwards. */
QL_API void ql_keepalive_close(ql_keepalive_t *pool);
/* What nobody has set yet. size 0, backlog QL_CONF_UNSET, max_idle 0 (ns;
 * QL_TIMER_INFINITE: no limit): not named here. */
QL_API void ql_keepalive_set(ql_keepalive_t *pool, uint32_t size,
                             uint32_t backlog, uint64_t max_idle);
/*
 * Call again: NGX_OK: ql_keepalive_get() may follow; NGX_AGAIN: the pool is
 * full and claim->event will tell; NGX_BUSY: so is its backlog. First come,
 * first served. The pool is open, link self-linked before the first call.
 */
QL_API int ql_keepalive_claim(ql_claim_t *claim);
/* Wants it no more, whether it waits, was granted, or neither. */
QL_API void ql_keepalive_unclaim(ql_claim_t *claim);
/*
 * After NGX_OK, once: an idle connection of which the kernel says that its peer
 * was quiet and is there; NULL: one may be made, which counts from now on.
 * Either counts until it is parked and dropped, or ql_keepalive_leave().
 */
QL_API ql_connection_t *ql_keepalive_get(ql_claim_t *claim);
/* The connection that NULL allowed has been made. */
QL_API void ql_keepalive_created(ql_keepalive_t *pool);
/* A connection that counted is gone. */
QL_API void ql_keepalive_leave(ql_keepalive_t *pool);
/* Asks the kernel about c, on which nobody waits: NGX_OK: quiet and open;
 * NGX_DECLINED: it sent *byte; NGX_DONE: it closed; NGX_ERROR with c->err. */
QL_API int ql_test_idle(ql_connection_t *c, char *byte);
/* Keeps c, which counts in the pool, for max_idle ns at most; the oldest ones
 * make room. NGX_ERROR with errno: c is still the caller's. */
QL_API int ql_keepalive_park(ql_keepalive_t *pool, ql_connection_t *c,
                             uint64_t max_idle);
/* Closes all idle ones. */
QL_API void ql_keepalive_drop(ql_loop_t *loop);
/* Closes those that conf.keepalive has no room for, the longest idle first. */
QL_API void ql_keepalive_trim(ql_loop_t *loop);
/* Of all pools together, also of those that are gone; idle: connections now. */
QL_API const ql_keepalive_stats_t *ql_keepalive_stats(const ql_loop_t *loop,
                                                      uint64_t *idle);
/* The pool after this one, the first after NULL, open; this one is closed. NULL
 * after the last. */
QL_API ql_keepalive_t *ql_keepalive_next(ql_loop_t *loop, ql_keepalive_t *pool);

/* -------------------------------------------------------- thread pool ---- */

/* Work for a thread of the loop's pool. The pool has it while event.active;
 * afterwards event.handler(&event) runs on the loop's thread. Its memory must
 * live until then: where the waiter may lose interest, use a ql_call_t.
 * In a forked child event.error says that its parent had posted it: whether it
 * was done is not known, it may be posted again.
 * nginx: ngx_thread_task_t. */
typedef struct ql_thread_task_s ql_thread_task_t;
struct ql_thread_task_s {
    void (*run)(ql_thread_task_t *task); /* on a thread: no loop, no Lua */
    void *data;                          /* the owner's */
    ql_queue_t link;                     /* the pool's, as is: */
    ql_queue_t posted;                   /* in the loop's list of them */
    int waiting;                         /* no thread has begun it */
    int done;                            /* it was run, and not delivered */
    int patient; /* the owner's: waits its turn though the queue is full */
    ql_event_t event;
};

/* Threads start at the first task, up to `threads`. NGX_OK; NGX_BUSY:
 * thread_queue tasks wait, and this one is not patient; NGX_ERROR with errno:
 * no thread could be started. */
QL_API int ql_thread_task_post(ql_loop_t *loop, ql_thread_task_t *task);

/* ------------------------------------------------------ blocking calls ---- */

/*
 * A call that may block, made by a thread of the pool on memory with two
 * holders: the waiter, and the thread while it runs. In a forked child those
 * of its parent fail with ECANCELED: the parent makes them, and what may have
 * been made must not be made twice. A type embeds it first:
 *
 *     typedef struct { ql_call_t call; char *path; struct stat st; } my_stat_t;
 */

typedef struct {
    const char *name; /* "stat": for messages */
    /* Before a thread is asked, each time: what needs no waiting. NGX_OK with
     * res, NGX_ERROR with err, NGX_DECLINED: a thread has to, NGX_AGAIN: it
     * has posted call->task itself. May be NULL. */
    int (*attempt)(ql_call_t *call);
    /* On a thread: no loop, no Lua. Sets res, and err when res is -1. One that
     * would take long does a part and sets `more`. */
    void (*run)(ql_call_t *call);
    /* On the loop's thread, when the last holder has let go: what the call
     * owns, a result that nobody took included. May be NULL. */
    void (*release)(ql_call_t *call);
    /* On a thread, before release, when the last holder has let go of a call
     * whose `undo` is set: a close, an unlink. May be NULL. */
    void (*undo)(ql_call_t *call);
    /* On the loop's thread, while `run` may be under way: the waiter has let
     * go, and whatever run finds out is thrown away; it may be told to return
     * soon. May be NULL. */
    void (*abandon)(ql_call_t *call);
} ql_call_type_t;

struct ql_call_s {
    ql_event_t event; /* posted to the waiter when the call has returned */
    /* Its `active`: somebody else than the waiter has the call. The task's;
     * an attempt that returns NGX_AGAIN has put its own here, and is made
     * again when that has come. */
    ql_event_t *executor;
    const ql_call_type_t *type;
    ql_loop_t *loop;
    int64_t res; /* set by attempt or run; -1: failed */
    int err;     /* errno when res is -1 */
    int rc;      /* NGX_AGAIN: not done */
    int more;    /* set by run: to be run again, behind the tasks that wait */
    int undo;    /* set and cleared by run: type->undo has something to do */
    ql_thread_task_t task;
};

/* size bytes, zeroed but for the ql_call_t at their start. NULL with errno
 * ENOMEM. event.handler and event.data are the caller's to set. */
QL_API void *ql_call_create(ql_loop_t *loop, const ql_call_type_t *type,
                            size_t size);
/* Call again: NGX_AGAIN, handler(&event) will say when; NGX_OK; NGX_ERROR with
 * err (EBUSY: thread_queue calls wait already, with overflow_error). */
QL_API int ql_call_attempt(ql_call_t *call);
/* Takes a call back that no thread has begun: NGX_OK, it will not be made;
 * NGX_DECLINED: it has been made, or is being made. */
QL_API int ql_call_withdraw(ql_call_t *call);
/* After NGX_OK: the next attempt makes the call once more. */
QL_API void ql_call_again(ql_call_t *call);
/* The waiter lets go: no handler is called afterwards. One that no thread has
 * begun is not made at all. */
QL_API void ql_call_free(ql_call_t *call);

/* -------------------------------------------------------------- files ---- */

enum {
    QL_FILE_DIRECT = 1 /* reads go to the AIO with O_DIRECT */
};

enum {
    QL_PROVEN = 16 /* chunks of a file that are remembered */
};

/* 64 KiB of a file that were found in the page cache. */
typedef struct {
    uint32_t chunk; /* offset / 64 KiB */
    uint32_t at;    /* loop->msec then; 0: never */
} ql_proven_t;

/* An open regular file. Reads that are gathered or in flight hold it: close(2)
 * happens when the last holder lets go. */
struct ql_file_s {
    ql_loop_t *loop;
    int fd;
    int direct_fd;      /* opened O_DIRECT; -1: not yet, -2: not possible */
    uint32_t refs;      /* openers, the cache and reads: one each */
    uint32_t mem_align; /* of the buffer of a direct read, bytes */
    uint32_t off_align; /* of its offset and length, bytes */
    uint64_t dev; /* st_dev and type: key of what the file system can do */
    unsigned direct : 1;      /* asked for by the opener */
    unsigned miss_direct : 1; /* likewise: so are misses */
    unsigned no_nowait : 1;   /* RWF_NOWAIT is EOPNOTSUPP here */
    unsigned no_direct : 1;   /* O_DIRECT is EINVAL here */
    unsigned memory : 1;      /* tmpfs, ramfs: a plain pread never waits */
    unsigned readable : 1;    /* what it was opened for */
    unsigned writable : 1;
    unsigned append : 1;          /* writes go to the end (O_APPEND) */
    unsigned no_nowait_write : 1; /* for writes it is EOPNOTSUPP */
    unsigned local : 1;     /* a file system that asks nobody for attributes */
    unsigned slow_miss : 1; /* a miss of the page cache held the loop up */
    unsigned no_cachestat : 1; /* EPERM: another user's file */
    unsigned hits : 4; /* of the page cache since it missed; 15: or more */
    ql_proven_t proven[QL_PROVEN]; /* chunk % QL_PROVEN */
};

/*
 * Opens path for reading, and may block: for a program that starts; a loop
 * that serves takes a ql_open_t. NULL with errno; EISDIR for a directory,
 * EINVAL for what is not a regular file.
 */
QL_API ql_file_t *ql_file_open(ql_loop_t *loop, const char *path, int flags);
/* The opener lets go. The last holder's close(2) is made by a thread where it
 * may take long: of a file that was unlinked, was opened for writing, or is not
 * on a local file system. */
QL_API void ql_file_close(ql_file_t *file);
/* Another holder, who lets go by ql_file_close() too. */
QL_API void ql_file_hold(ql_file_t *file);
/* Bytes now, from fstat; -1 with errno. Of a file that is not local this may
 * ask a server: ql_open_file_info() does that on a thread. */
QL_API int64_t ql_file_size(ql_file_t *file);

/* A request to the kernel. nginx: ngx_event_aio_t. */
struct ql_event_aio_s {
    void *data;                  /* the owner's */
    ql_event_handler_pt handler; /* called when complete, with &event */
    ql_file_t *file;
    int fd;
    int err;         /* errno when res < 0 */
    int64_t res;     /* io_event.res: bytes, or -errno */
    size_t nbytes;   /* asked for */
    ql_queue_t link; /* gathered, or in the kernel; the bridge's, as is: */
    int gathered;    /* not submitted yet */
    int patient;     /* the owner's: waits its turn though the queue is full */
    struct iocb aiocb;
    ql_event_t event; /* active: the kernel or a queue has it */
};

/* The bridge: eventfd, io_setup, registration. NGX_DECLINED: this machine
 * refuses (said once in the log); reads take the other lanes. */
QL_API int ql_aio_init(ql_loop_t *loop);
/* Ends it: what the kernel has is waited for, at most conf.drain ms. */
QL_API void ql_aio_done(ql_loop_t *loop);
/* The read handler of the eventfd's connection: takes what has completed. */
QL_API void ql_aio_eventfd_handler(ql_event_t *ev);
/* Sends what was gathered in one io_submit; what does not fit stays queued
 * until completions make room. The loop calls it each turn. */
QL_API void ql_aio_submit(ql_loop_t *loop);
/*
 * Call again. First call: gathers the read, NGX_AGAIN; aio->handler is called
 * when it is complete; the next call returns bytes (0: end of file) or
 * NGX_ERROR with aio->err. While it is under way: NGX_AGAIN. NGX_DECLINED:
 * no AIO here, or the file, not a local one, was not opened for direct reads.
 * NGX_BUSY: aio_queue wait, and this one is not patient. buf, size and offset
 * aligned as file says; buf must live until then.
 */
QL_API ssize_t ql_file_aio_read(ql_file_t *file, ql_event_aio_t *aio, void *buf,
                                size_t size, off_t offset);
/* The handler of aio->event: calls aio->handler. aio->file may be closed, and
 * gone, by then. */
QL_API void ql_file_aio_event_handler(ql_event_t *ev);
/*
 * The same for what was written to the file and is to reach the disk (data:
 * without times and the like): NGX_AGAIN, NGX_DECLINED, NGX_BUSY as above;
 * NGX_OK when it is there, NGX_ERROR with aio->err.
 */
QL_API int ql_file_aio_sync(ql_file_t *file, ql_event_aio_t *aio, int data);

/*
 * Lane 1 alone: what the page cache has, without waiting, at most 64 KiB a
 * system call. Bytes (fewer than size: a partial hit or the end), 0 end of
 * file, NGX_AGAIN a miss or NOWAIT not supported, NGX_ERROR with errno.
 */
QL_API ssize_t ql_file_read_cached(ql_file_t *file, void *buf, size_t size,
                                   off_t offset);

/*
 * A read with all its lanes, on memory of its own with two holders: the
 * waiter, and the executor (kernel or pool) while it runs. Call again:
 * NGX_OK: data[0..nbytes), fewer than asked only at the end of the file, 0
 * past it; NGX_ERROR: err; NGX_AGAIN: handler(&event) will say when to
 * attempt again (event.data is data).
 */
struct ql_read_s {
    ql_event_t event; /* posted to the waiter when there is progress */
    ql_file_t *file;
    const char *data; /* result: in buf */
    size_t nbytes;    /* result: bytes at data */
    size_t size;      /* asked for */
    off_t offset;     /* asked for */
    int err;
    unsigned missed : 1; /* set by the caller before the first attempt: it has
                            asked the page cache just now, in vain */
};

/* size at most 1 GiB. NULL with errno ENOMEM. event.handler and event.data
 * are the caller's to set before it returns to the loop. */
QL_API ql_read_t *ql_read_create(ql_file_t *file, size_t size, off_t offset);
/* NGX_OK, NGX_ERROR, NGX_AGAIN: as above. */
QL_API int ql_read_attempt(ql_read_t *r);
/* Who has it, or is asked next: "cached" (the page cache), "direct" (the AIO),
 * "thread", "done". */
QL_API const char *ql_read_lane(const ql_read_t *r);
/* The waiter lets go: no handler is called afterwards. */
QL_API void ql_read_free(ql_read_t *r);

/*
 * A file from an offset on, with reads ahead in a window of at most 1 MiB (of
 * two pieces, when these are larger than 512 KiB). Call again: NGX_OK: the
 * next piece is at data, up to the next call; shorter than asked only at the
 * end of the file, and 0 bytes behind it, which may change when the file
 * grows; NGX_ERROR: err, in the order of the file, and the next call tries
 * that piece again; NGX_AGAIN: handler(&event) will say when to attempt again.
 */
struct ql_stream_s {
    ql_event_t event; /* called, not posted, from the posted queue */
    ql_file_t *file;
    const char *data; /* result */
    size_t nbytes;    /* result: bytes at data */
    int err;
};

/* piece: bytes, at most 1 GiB; limit: an offset at which the stream ends even
 * if the file goes on. NULL with errno ENOMEM or EINVAL. Reads nothing yet.
 * event.handler and event.data are the caller's to set. */
QL_API ql_stream_t *ql_stream_create(ql_file_t *file, size_t piece,
                                     off_t offset, off_t limit);
/* NGX_OK, NGX_ERROR, NGX_AGAIN: as above. */
QL_API int ql_stream_attempt(ql_stream_t *s);
/* The waiter lets go, of the file too: no handler is called afterwards. What
 * the kernel or a thread still has is freed when it comes back. */
QL_API void ql_stream_free(ql_stream_t *s);

/* ------------------------------------------------------ opening files ---- */

/* Zeroed: for reading. */
typedef struct {
    /* open(2)'s O_RDONLY, O_WRONLY or O_RDWR, and of O_CREAT, O_EXCL, O_TRUNC
     * and O_APPEND. Nothing but a regular file is ever truncated. */
    int flags;
    unsigned permissions; /* of a file that is created, before the umask */
    /* The directory that path, and every symbolic link in it, must stay below;
     * path may not begin with "/". NULL: none. */
    const char *root;
    uint64_t directio;   /* a file of this many bytes or more is read direct;
                            0: none is */
    unsigned direct : 1; /* read direct, whatever its size */
    unsigned miss_direct : 1; /* what the page cache has not is read direct */
} ql_open_opts_t;

/*
 * The opening of a regular file, which a ql_call_t makes: at once when the
 * kernel has the path in its cache, else on a thread; creating and truncating
 * take a thread. Failures: EISDIR for a directory, EINVAL for what is not a
 * regular file, EXDEV for what is outside of the root, ENOSYS for a root on a
 * kernel without openat2.
 */
typedef struct {
    ql_call_t call;   /* first: ql_call_attempt(), ql_call_free() */
    void *data;       /* the owner's */
    const char *path; /* a copy */
    const char *at;   /* failed: what err is about, path or the root */
    const char *why;  /* failed: words where err's own mislead; NULL: none */
} ql_open_t;

/* Copies what it is given. NULL with errno ENOMEM. */
QL_API ql_open_t *ql_open_create(ql_loop_t *loop, const char *path,
                                 const ql_open_opts_t *opts);
/* After NGX_OK, once: the file, which is then the caller's to close. One that
 * nobody takes is closed with the call. */
QL_API ql_file_t *ql_open_take(ql_open_t *open);

/*
 * The opener lets go, as by ql_file_close(), and hears what close(2) said,
 * which is how some servers tell that a write failed; nothing when reads still
 * hold the file. A call that is not attempted closes all the same. NULL with
 * errno ENOMEM: nothing has happened.
 */
QL_API ql_call_t *ql_close_create(ql_file_t *file);

/* Lets go of every file that the open-file cache keeps. */
QL_API void ql_open_cache_drop(ql_loop_t *loop);

/* ----------------------------------------------------- watching files ---- */

/* An inotify descriptor. Adds and removes under way hold it: close(2), which
 * may wait for the kernel, is a thread's when the last one lets go. */
struct ql_watch_s {
    ql_loop_t *loop;
    /* Its read.handler is the caller's: told when there is more to read. */
    ql_connection_t *connection;
    const struct inotify_event *event; /* set by ql_watch_read */
    int fd;
    uint32_t refs;   /* the opener's and one per call */
    uint32_t pos;    /* in buf: the next event */
    uint32_t end;    /* in buf: behind the last one */
    uint32_t closed; /* 1: fd is, or a thread is at it */
    char *buf;       /* what was read; NULL while there is nothing */
    ql_thread_task_t closing;
};

/* NULL with errno: EMFILE (descriptors, or fs.inotify.max_user_instances),
 * ENFILE, ENOMEM. */
QL_API ql_watch_t *ql_watch_create(ql_loop_t *loop);
/* The opener lets go; what was not read is lost. */
QL_API void ql_watch_close(ql_watch_t *w);
/*
 * Call again: NGX_OK: w->event is the next one (wd -1: IN_Q_OVERFLOW), valid
 * until ql_watch_next or the next call; NGX_AGAIN: the connection's read event
 * will tell; NGX_ERROR with errno. At most 64 KiB are taken by one read.
 */
QL_API int ql_watch_read(ql_watch_t *w);
/* Goes past w->event. */
QL_API void ql_watch_next(ql_watch_t *w);
/* A call whose res is the watch descriptor. mask: IN_*. Errors: ENOSPC
 * (fs.inotify.max_user_watches), ENOENT, EACCES, ... NULL: no memory. */
QL_API ql_call_t *ql_watch_add(ql_watch_t *w, const char *path, uint32_t mask);
/* A call; IN_IGNORED is the last event of wd. NULL: no memory. */
QL_API ql_call_t *ql_watch_remove(ql_watch_t *w, int wd);

/* ------------------------------------------------------ writing files ---- */

enum {
    QL_WRITE_MAX = 256 * 1024
};

/*
 * What the page cache takes without waiting: a file system in memory always,
 * one that knows RWF_NOWAIT often (XFS; neither ext4 nor overlayfs), and at
 * most 64 KiB. Bytes, maybe fewer than size, *offset moved behind them;
 * NGX_AGAIN: a thread has to; NGX_ERROR with errno. A file opened for appending
 * takes them at its end, wherever *offset is.
 */
QL_API ssize_t ql_file_write_cached(ql_file_t *file, const void *buf,
                                    size_t size, off_t *offset);

/* A write by a thread. Everything is written, or it fails. */
typedef struct {
    ql_call_t call;  /* first: ql_call_attempt(), ql_call_free() */
    ql_file_t *file; /* held */
    size_t size;     /* asked for */
    size_t nbytes;   /* result: bytes written, also before a failure */
    off_t next;      /* result: the offset behind them */
} ql_write_t;

/* Copies buf: its owner may change it, and who waits may let go, while a
 * thread writes. size at most QL_WRITE_MAX. NULL with errno ENOMEM, EINVAL. */
QL_API ql_write_t *ql_write_create(ql_file_t *file, const void *buf,
                                   size_t size, off_t offset);
/* ftruncate of an open file. NULL with errno ENOMEM. */
QL_API ql_call_t *ql_truncate_create(ql_file_t *file, off_t size);
/* fsync, or with data fdatasync, of an open file. NULL with errno ENOMEM. */
QL_API ql_call_t *ql_sync_create(ql_file_t *file, int data);

/* ------------------------------------------------ operations on paths ---- */

/*
 * Each is a ql_call_t: created here, with copies of its paths, attempted with
 * ql_call_attempt() and freed with ql_call_free(). Failures are errno values
 * of the system call that failed. NULL: errno ENOMEM.
 *
 * root: the paths are looked up below this directory, and nothing in them
 * leads out of there (EXDEV; ENOSYS before Linux 5.6), neither "..", "/" nor a
 * symbolic link; NULL: none.
 */
typedef struct {
    ql_call_t call;   /* first */
    char *path;       /* the first path */
    char *to;         /* the other one; NULL: there is none */
    const char *root; /* both are below it; NULL: anywhere */
    const char *at;   /* failed: which of the three err is about */
    const char *why;  /* failed: words where err's own mislead; NULL: none */
} ql_path_call_t;

/* mkdir. mode: permissions before the umask. */
QL_API ql_path_call_t *ql_create_dir(ql_loop_t *loop, const char *path,
                                     unsigned mode, const char *root);
/* The directories above it too, with 0777; no failure when it exists. */
QL_API ql_path_call_t *ql_create_full_path(ql_loop_t *loop, const char *path,
                                           unsigned mode, const char *root);
/* rmdir. */
QL_API ql_path_call_t *ql_delete_dir(ql_loop_t *loop, const char *path,
                                     const char *root);
/* unlink. */
QL_API ql_path_call_t *ql_delete_file(ql_loop_t *loop, const char *path,
                                      const char *root);
/* rename. */
QL_API ql_path_call_t *ql_rename_file(ql_loop_t *loop, const char *from,
                                      const char *to, const char *root);
/* A symbolic link at path, which leads to target; its call has them as `path`
 * and `to`. No root keeps target from leading out of it. */
QL_API ql_path_call_t *ql_symlink(ql_loop_t *loop, const char *target,
                                  const char *path, const char *root);

typedef struct {
    ql_path_call_t p; /* first */
    char *text;       /* result: the call's, not terminated */
    size_t length;    /* bytes of it */
} ql_link_call_t;

/* What the symbolic link at path leads to. */
QL_API ql_link_call_t *ql_readlink(ql_loop_t *loop, const char *path,
                                   const char *root);
/* The absolute path of the same file without symbolic links. */
QL_API ql_link_call_t *ql_realpath(ql_loop_t *loop, const char *path,
                                   const char *root);

/* Times: ns since 1970. */
typedef struct {
    uint64_t dev;      /* the device's number, as st_dev */
    uint64_t ino;      /* its number there */
    uint64_t size;     /* bytes */
    uint64_t blocks;   /* of 512 bytes, that it takes */
    uint32_t mode;     /* kind and permissions, as st_mode */
    uint32_t nlink;    /* names */
    uint32_t uid, gid; /* owner */
    int64_t atime, mtime, ctime;
    int64_t birthtime;   /* when it was created */
    int birthtime_known; /* 0: the file system does not keep it */
} ql_file_info_t;

typedef struct {
    ql_path_call_t p; /* first */
    ql_file_info_t info;
} ql_info_call_t;

/* stat: of what path leads to. What the kernel has cached is there at the first
 * attempt. */
QL_API ql_info_call_t *ql_file_info(ql_loop_t *loop, const char *path,
                                    const char *root);
/* lstat: of a symbolic link itself. */
QL_API ql_info_call_t *ql_link_info(ql_loop_t *loop, const char *path,
                                    const char *root);
/* Of an open file, which the call holds. */
QL_API ql_info_call_t *ql_open_file_info(ql_file_t *file);

/* A directory that is read in batches. Freed as any call. */
typedef struct {
    ql_path_call_t p; /* first */
    const char *name; /* of the entry, until the next call */
    unsigned type;    /* S_IFREG, S_IFDIR, ...; 0: unknown */
} ql_dir_t;

/* The directory at path; its entries are read by ql_read_dir(). */
QL_API ql_dir_t *ql_open_dir(ql_loop_t *loop, const char *path,
                             const char *root);
/* Call again: NGX_OK: name and type are the next entry, in no order, neither
 * "." nor ".."; NGX_DONE: there is none; NGX_AGAIN; NGX_ERROR. */
QL_API int ql_read_dir(ql_dir_t *dir);
/* After NGX_OK: goes past the entry. */
QL_API void ql_next_dir(ql_dir_t *dir);

enum {
    QL_SAVE_APPEND = 1, /* at the end of what is there */
    QL_SAVE_SYNC = 2    /* fsync before it is done */
};

/*
 * A file's new content: complete or not at all. It is written to a file
 * beside it, which takes its place, its owner and its permissions; on failure
 * nothing has changed. Appending: a failure may have written a part; up to
 * 1 MiB is one write. permissions: of a new file, before the umask. EISDIR,
 * EINVAL: path is no regular file; ELOOP: below a root, a symbolic link, which
 * is followed otherwise. data stays the caller's and must live until the call
 * is done or freed.
 */
QL_API ql_path_call_t *ql_save_file(ql_loop_t *loop, const char *path,
                                    const void *data, size_t size,
                                    unsigned permissions, int flags,
                                    const char *root);

enum {
    QL_COPY_EXCL = 1 /* EEXIST when `to` exists */
};

/* A copy of a regular file with its permissions, complete or not at all, as
 * by ql_save_file(). res: bytes. */
QL_API ql_path_call_t *ql_copy_file(ql_loop_t *loop, const char *from,
                                    const char *to, int flags,
                                    const char *root);

enum {
    QL_TEMPFILE_UNLINKED = 1 /* without a name: gone with its last descriptor */
};

/* A new file, open for reading and writing. */
typedef struct {
    ql_path_call_t p; /* first; its path: the directory */
    void *data;       /* the owner's */
    const char *name; /* result: its path, the call's; NULL: unlinked */
} ql_tempfile_t;

/* prefix and 16 random characters, for nobody but its owner (0600). One that
 * nobody takes is removed. */
QL_API ql_tempfile_t *ql_open_tempfile(ql_loop_t *loop, const char *dir,
                                       const char *prefix, int flags);
/* After NGX_OK, once: the file, which is then the caller's to close. */
QL_API ql_file_t *ql_tempfile_take(ql_tempfile_t *t);

/* ---------------------------------------------------------- processes ---- */

enum {
    QL_SPAWN_PIPE = -2,  /* a pipe to this process; targets 0 to 2 */
    QL_SPAWN_NULL = -3,  /* /dev/null */
    QL_SPAWN_STDOUT = -4 /* what its descriptor 1 is */
};

/* A descriptor of a new process. */
typedef struct {
    int target; /* its number there */
    int fd;     /* what it is a duplicate of, or QL_SPAWN_* */
} ql_spawn_fd_t;

/* How a process is started. */
typedef struct {
    char *const *argv;        /* NULL-terminated, one or more; the first is
                                 looked for in PATH unless it has a slash */
    char *const *env;         /* "NAME=value", NULL-terminated; NULL: ours.
                                 Its PATH is searched */
    const char *cwd;          /* working directory; NULL: ours */
    const ql_spawn_fd_t *fds; /* no other descriptor is open in it */
    int nfds;
    int64_t uid, gid;    /* -1: ours; without supplementary groups then */
    int umask;           /* -1: ours */
    unsigned pgroup : 1; /* leads a process group of its own */
    unsigned setsid : 1; /* leads a session, and a group, of its own */
} ql_spawn_opts_t;

/* The start of a process, a call; one that nobody takes is killed. */
typedef struct {
    ql_call_t call;      /* first: ql_call_attempt(), ql_call_free() */
    void *data;          /* the owner's */
    const char *program; /* argv[0]; a copy */
    const char *at;      /* failed: what err is about, a path or a step */
} ql_spawn_t;

enum {
    QL_PROCESS_RUNS,
    QL_PROCESS_EXITED,   /* status: its exit code */
    QL_PROCESS_SIGNALED, /* status: the signal */
    QL_PROCESS_UNKNOWN   /* reaped elsewhere, before Linux 6.15 */
};

/* A child process, until who started it lets go and it has ended. */
struct ql_process_s {
    ql_loop_t *loop;
    void *data; /* the owner's */
    /* Called once, when it has ended and was reaped. May be NULL. */
    void (*handler)(ql_process_t *p);
    ql_connection_t *connection; /* of its pidfd */
    ql_event_t timer;            /* its timeout, then the grace */
    ql_queue_t link;             /* in loop->processes */
    uint64_t grace;              /* ns between signo and SIGKILL */
    pid_t pid;
    pid_t parent;          /* that started it, and no child of that */
    int ended;             /* QL_PROCESS_* */
    int status;            /* once it has ended */
    int signo;             /* that asks it to end; SIGTERM */
    unsigned group : 1;    /* it leads one: signo and SIGKILL are the group's */
    unsigned timedout : 1; /* its timeout has ended it */
    unsigned stopping : 1; /* signo was sent */
    unsigned released : 1; /* its owner has let go */
    unsigned left : 1;     /* and lets it run */
};

/* Copies what it is given and duplicates the descriptors. NULL with errno. */
QL_API ql_spawn_t *ql_spawn_create(ql_loop_t *loop,
                                   const ql_spawn_opts_t *opts);
/* After NGX_OK, once: the process, which is then the caller's. NULL with errno:
 * it is killed with the call. The loop is ready. */
QL_API ql_process_t *ql_spawn_take(ql_spawn_t *spawn);
/* After NGX_OK, once each: our end of the pipe of target; -1: there is none. */
QL_API int ql_spawn_pipe(ql_spawn_t *spawn, int target);

/* Sends a signal, to it or to the group that it leads. NGX_ERROR with errno:
 * ESRCH it has ended, EPERM, EINVAL, ECHILD in a forked child of ours. */
QL_API int ql_process_kill(ql_process_t *p, int signo, int group);
/* It is stopped in nsec unless it has ended by then. */
QL_API void ql_process_timeout(ql_process_t *p, uint64_t nsec);
/* signo now, SIGKILL after the grace. Harmless when it has ended. */
QL_API void ql_process_stop(ql_process_t *p);
/* The owner lets go: it is stopped, or left to run on its own, and reaped by
 * the loop. The end of the loop waits for the grace of those it stops. */
QL_API void ql_process_release(ql_process_t *p, int leave);

#ifdef __cplusplus
}
#endif

#endif
