/*
 * quoll_lua.h: from an event to a coroutine. The C interface of
 * libquoll-lua: what quoll's own bindings and every extension are made of.
 *
 * LuaJIT has no lua_yieldk: after a C function has yielded, no C of it runs
 * again. So a waiting function is an *operation* that is attempted, parked on
 * NGX_AGAIN, attempted again by its event handler, and whose results are
 * pushed by `take`, inside the task. Scripts see a Lua function around the C
 * one (lua/quoll/wait.lua), which calls take when it had to wait:
 *
 *     function Thing:read(n) return finish(core_read(self, n)) end
 *
 * core_read ends with `return ql_await(L, op, anchors)`.
 *
 *   the runtime, errors, operations, handles, streams, blocking calls, select,
 *   tasks; quoll's own modules
 *
 * What holds for every function: only the Lua state's thread calls it; debug
 * builds look, but for those that are static inline. One that
 * is given a lua_State may raise where its comment says so, or where memory is
 * lacking. Attempts, cancels and handlers are called by the loop, which runs no
 * deeper in the C stack than a function that waits. Memory is the caller's; what
 * the runtime keeps pointers to is an op from its wait to its push, and a handle.
 */
#ifndef QUOLL_LUA_H
#define QUOLL_LUA_H

#include <quoll.h>

#include <errno.h>

#ifdef __cplusplus
extern "C" {
#endif

#include <lauxlib.h> /* in here: they are C's, and do not say so */
#include <lua.h>

/* One Lua state's runtime: its loop, its tasks. Made at the first use. */
typedef struct ql_lua_s ql_lua_t;
/* A task: what quoll.spawn() starts, or the main chunk. */
typedef struct ql_task_s ql_task_t;
typedef struct ql_op_s ql_op_t;
typedef struct ql_handle_s ql_handle_t;

/* The runtime of L's state, made if need be; raises on lack of memory. A
 * registry look-up: keep the result. */
QL_API ql_lua_t *ql_lua(lua_State *L);
/* Raises unless abi is the QL_ABI of this library; version, for the message: the
 * module's QL_VERSION. */
QL_API void ql_lua_check_abi(lua_State *L, int abi, const char *version);
/* How luaopen_* begins: the same as ql_lua(), once it is certain that the
 * module was compiled for the quoll that is loaded; raises if it was not, with
 * both versions. */
static inline ql_lua_t *
ql_lua_open(lua_State *L)
{
    ql_lua_check_abi(L, QL_ABI, QL_VERSION);
    return ql_lua(L);
}
/* Its loop; NULL once the state is closing, when a finaliser may still ask. */
QL_API ql_loop_t *ql_lua_loop(ql_lua_t *lua);
/* Its loop, started or not; raises once the state is closing, when a finaliser
 * may still call. A ql_call_t needs no more. */
QL_API ql_loop_t *ql_check_loop(lua_State *L, ql_lua_t *lua);
/* Its loop with the kernel objects made: for what enters the epoll set. NULL
 * with errno when that fails; raises once the state is closing. */
QL_API ql_loop_t *ql_lua_ready(ql_lua_t *lua, lua_State *L);

/* ------------------------------------------------------------ errors ---- */

/* What ends an operation, beside errno values. */
enum {
    QL_E_TIMEOUT = 0x10000, /* "timeout", TIMEOUT */
    QL_E_CLOSED,            /* "closed", CLOSED */
    QL_E_OWNER_ENDED,       /* "closed", OWNER_ENDED */
    QL_E_CANCELLED,         /* "cancelled", CANCELLED; raised by take */
    QL_E_BUSY_READING,      /* "busy reading", BUSY */
    QL_E_BUSY_WRITING,      /* "busy writing", BUSY */
    QL_E_NOT_FOUND,         /* "host not found", ENOTFOUND */
    QL_E_DEADLINE,          /* "timeout", DEADLINE: of a scope */
    QL_E_STOPPING,          /* "stopping", STOPPING: an idle wait */
    QL_E_UNREAD,            /* "unread bytes", UNREAD */
    QL_E_FORCED             /* "ended by force", FORCED: the task waited for */
};

/* Pushes the error's words: lower-case strerror, or the words above. */
QL_API void ql_push_error_text(lua_State *L, int err);
/* Pushes its CODE: the errno's name, or the word above. */
QL_API void ql_push_error_code(lua_State *L, int err);
/* nil, text, CODE: 3. */
QL_API int ql_push_error(lua_State *L, int err) QL_COLD;
/* nil, text, partial, CODE: 4; partial is popped from the top of the stack. */
QL_API int ql_push_error_partial(lua_State *L, int err) QL_COLD;

/* The words of errors beyond errno and the above: of err, whose upper 16 bits
 * are the range: 16 to 32767, the lower ones are quoll's. Each function writes
 * a string into to[size]. */
typedef struct {
    const char *owner; /* the module that has the range: "quoll.core.tls" */
    void (*text)(int err, char *to, size_t size);
    void (*code)(int err, char *to, size_t size);
} ql_error_words_t;

/* Words must outlive the state. Raises when the range has others already, with
 * the names of both owners. */
QL_API void ql_error_range(lua_State *L, int range,
                           const ql_error_words_t *words);

/* Raises "file:line: text" with the position of the script's line: the first
 * Lua frame outside quoll's own modules. */
QL_API int ql_raise(lua_State *L, const char *fmt, ...) QL_PRINTF(2, 3) QL_COLD;
/* Raises "bad argument 'name' to 'method' (expected expected, got value)", the
 * value being the one at index arg. */
QL_API int ql_bad_argument(lua_State *L, int arg, const char *name,
                           const char *method, const char *expected) QL_COLD;
/* A timeout argument in seconds at index arg -> ns, rounded up; nil, none and
 * math.huge: QL_TIMER_INFINITE. Raises on anything else and on negatives. */
QL_API uint64_t ql_check_timeout(lua_State *L, int arg, const char *name,
                                 const char *method);
/* A whole number from min to max at index arg; raises. */
QL_API int64_t ql_check_whole(lua_State *L, int arg, const char *name,
                              const char *method, int64_t min, int64_t max);

/* Of the table of options at index arg, which have been checked: whether the
 * one of that name is true. */
QL_API int ql_field_flag(lua_State *L, int arg, const char *name);
/* Its number; absent when it is nil. */
QL_API lua_Number ql_field_number(lua_State *L, int arg, const char *name,
                                  lua_Number absent);

/* -------------------------------------------------------- operations ---- */

typedef struct {
    const char *name; /* "receive": for messages */
    /* NGX_OK, NGX_ERROR (op->err set) or NGX_AGAIN; then it has made sure
     * that an event handler will call ql_op_ready(op). Never touches Lua.
     * Sets op->progress when something moved (re-arms the timeout). */
    int (*attempt)(ql_op_t *op);
    /* Pushes the results, inside the task; returns how many. rc is NGX_OK,
     * or NGX_ERROR with op->err. May raise. */
    int (*push)(lua_State *L, ql_op_t *op, int rc);
    /* Stops waiting: no handler will touch op afterwards. */
    void (*cancel)(ql_op_t *op);
    /* The waiter lets go, after push (not when push raised: memory that a
     * raise may leave behind belongs in an anchored userdata). May be NULL. */
    void (*free)(ql_op_t *op);
    /* Of a parked op: what it waits for, "receive from 127.0.0.1:80 (fd 9)",
     * into text, of size bytes. For quoll.tasks() and the SIGQUIT dump, which
     * add the time left. Changes nothing, never touches Lua, never blocks.
     * NULL: its name says it all. */
    void (*describe)(ql_op_t *op, char *text, size_t size);
} ql_op_type_t;

struct ql_op_s {
    const ql_op_type_t *type; /* may change between two waits */
    ql_lua_t *lua;
    ql_task_t *task;       /* parked in this task; NULL: nobody waits */
    uint64_t timeout;      /* ns per wait, below 2^63, QL_TIMER_INFINITE, 0: try
                              once; set between init and await */
    int rc;                /* of the last attempt, or what ended the wait */
    int err;               /* why, when rc is NGX_ERROR; set by attempt or by
                              what ended the wait */
    unsigned progress : 1; /* set by attempt; cleared when its timer is armed */
    unsigned pending : 1;  /* parked, or its result is not taken yet */
    unsigned idle : 1;     /* set by an attempt that waits for work: quoll.stop
                              ends the wait with QL_E_STOPPING; cleared by who
                              set it */
    unsigned pushing : 1;  /* its results are being pushed; a push that raised
                              leaves it set, ql_op_pushing() clears it */
    unsigned life : 8;     /* QL_OP_*: set by ql_op_init(), ql_op_fini(); looked
                              at by debug builds */
};

enum {
    QL_OP_LIVE = 0xa5,
    QL_OP_FREED = 0x5a
};

/* Makes *op an operation that nobody waits for, without a timeout. Again only
 * while nobody does. */
QL_API void ql_op_init(ql_op_t *op, const ql_op_type_t *type, ql_lua_t *lua);
/* Before memory that holds op is released: nobody waits with it, and nobody
 * will. Only debug builds need it, to find who still uses op. */
QL_API void ql_op_fini(ql_op_t *op);

/*
 * Attempts op. Done: pushes and returns the number of results. NGX_AGAIN:
 * parks the running task, keeping the topmost `anchors` stack values alive
 * until the results are pushed (the memory of op among them), and yields; in
 * the main chunk and inside require it runs the loop instead. Raises where a
 * task cannot wait, and when the task is cancelled.
 */
QL_API int ql_await(lua_State *L, ql_op_t *op, int anchors);
/*
 * For a function that could have waited and has its n results on top of the
 * stack at once (a closed handle, nothing asked for): counts them as an
 * immediate completion, so that a hot loop of such calls holds nobody up.
 */
QL_API int ql_return(lua_State *L, ql_lua_t *lua, int n);
/* Raises where ql_await() would because L cannot wait: for what is made before
 * the wait, and would be left to the collector. */
QL_API void ql_check_wait(lua_State *L, ql_lua_t *lua);
/* The handler's half: attempts again, resumes the task unless NGX_AGAIN. To be
 * called from the loop's posted queue or timers only. */
QL_API void ql_op_ready(ql_op_t *op);
/*
 * For an attempt that found nothing to do: ev's connection will report its
 * direction, and call on_event, which calls ql_op_ready(op). NGX_AGAIN, or
 * NGX_ERROR with op->err.
 */
static inline int
ql_park(ql_event_t *ev, ql_event_handler_pt on_event, ql_op_t *op)
{
    if (!ql_event_waits(ev)
        && (ev->write ? ql_handle_write_event(ev) : ql_handle_read_event(ev, 0))
               != NGX_OK)
    {
        op->err = errno;
        return NGX_ERROR;
    }
    ev->handler = on_event;
    return NGX_AGAIN;
}
/* Ends the wait from elsewhere (close, cancel): op->type->cancel, then err
 * is what the waiter gets, also when a result was there that it has not taken
 * yet. Posts; harmless when nobody waits. */
QL_API void ql_op_end(ql_op_t *op, int err);
/* Ends the wait from elsewhere with NGX_OK. From now on nothing takes back what
 * the waiter was given: no timeout, no cancellation. Posts; op waits. */
QL_API void ql_op_done(ql_op_t *op);
/* True until the waiter has its result: op may not be used for another wait. */
static inline int
ql_op_waiting(const ql_op_t *op)
{
    return op->pending;
}
/* What a parked operation waits for, in words: its type's describe, or its
 * name. */
QL_API void ql_op_describe(ql_op_t *op, char *text, size_t size);
/*
 * True while a function further down pushes the results of op, which is part
 * of h: it was interrupted by a finaliser, and L's function may neither begin
 * another wait with op nor change what the results are made of.
 */
QL_API int ql_op_pushing(lua_State *L, ql_op_t *op, const ql_handle_t *h);

/* ----------------------------------------------------------- handles ---- */

/* A resource that a script holds: a userdata that starts with ql_handle_t. */
typedef struct {
    const char *name; /* "connection": its metatable's __name */
    /* Releases the resource; waiters get err. Called once. */
    void (*close)(ql_handle_t *h, int err);
    /* The collector takes the userdata, closed by now: releases what a push
     * that raised left in it. May be NULL. */
    void (*collect)(ql_handle_t *h);
} ql_handle_type_t;

struct ql_handle_s {
    const ql_handle_type_t *type;
    ql_lua_t *lua;
    ql_task_t *owner; /* closes it when it ends; NULL: the collector does */
    ql_queue_t link;  /* in the owner's list */
    int closed;       /* 0: open; else QL_E_CLOSED or QL_E_OWNER_ENDED */
    unsigned waits;   /* in debug builds: operations in its memory that tasks
                         are parked with */
};

/*
 * Pushes a new userdata of `size` bytes (zeroed), still closed. Its metatable
 * is made at the first call per type: __index (the methods table, see
 * ql_handle_methods), __gc, __tostring, __name, __metatable (the name).
 */
QL_API void *ql_handle_new(lua_State *L, ql_lua_t *lua,
                           const ql_handle_type_t *type, size_t size);
/* The resource is in: open, owned by the running task. */
QL_API void ql_handle_open(ql_handle_t *h);
/* Closes once; err: QL_E_CLOSED or QL_E_OWNER_ENDED. Harmless when closed. */
QL_API void ql_handle_close(ql_handle_t *h, int err);
/* Argument idx as a handle of this type, open or closed; raises. */
static inline void *
ql_handle_check(lua_State *L, int idx, const ql_handle_type_t *type,
                const char *method)
{
    ql_handle_t *h = (ql_handle_t *) lua_touserdata(L, idx);

    /* A light userdata has no length. */
    if (h == NULL || lua_objlen(L, idx) < sizeof(*h) || h->type != type) {
        ql_bad_argument(L, idx, "self", method, type->name);
    }
    return h;
}
/* The handle at idx whatever its type, NULL when it is none. */
QL_API ql_handle_t *ql_handle_test(lua_State *L, int idx);
/* Moves the handle to task (NULL: to the collector). */
QL_API void ql_handle_own(ql_handle_t *h, ql_task_t *task);
/* Pushes the table in which scripts find the type's methods; it holds close,
 * own and disown already. */
QL_API void ql_handle_methods(lua_State *L, const ql_handle_type_t *type);

/* ----------------------------------------------------------- streams ---- */

/*
 * What a handle of a ql_connection_t lets other modules do, so that one may
 * swap the connection's io table: TLS does.
 */
typedef struct {
    /* NULL: h is closed. */
    ql_connection_t *(*connection)(const ql_handle_t *h);
    /* Gives both directions to op, whose memory is anchored beside h: nobody
     * else reads or writes ("busy"), and closing h ends op. 0, or why not: an
     * error of ql_push_error(), QL_E_UNREAD when bytes were received already
     * that nobody has asked for. */
    int (*lend)(ql_handle_t *h, ql_op_t *op);
    /* op needs them no more; harmless when it had them not. */
    void (*restore)(ql_handle_t *h, const ql_op_t *op);
} ql_stream_type_t;

/* Handles of this type are streams. */
QL_API void ql_handle_streams(lua_State *L, const ql_handle_type_t *type,
                              const ql_stream_type_t *stream);
/* Of the handle at idx, which is set to *h; NULL: it is no stream. */
QL_API const ql_stream_type_t *ql_handle_stream(lua_State *L, int idx,
                                                ql_handle_t **h);

/* ----------------------------------------------------- blocking calls ---- */

/*
 * A ql_call_t that the running task waits for:
 *
 *     ql_lua_call_t *w = ql_lua_call_new(L, lua, push_stat);
 *     w->call = my_stat_create(loop, path);
 *     return ql_lua_call_await(L, w);
 *
 * The userdata lets the call go by whatever path the wait ends.
 */
typedef struct {
    ql_handle_t handle;
    ql_op_t op;
    ql_call_t *call; /* NULL: none could be made, errno says why */
    /* Pushes the results, or the failure when err (an errno) is not 0; returns
     * how many. May raise. */
    int (*push)(lua_State *L, ql_call_t *call, int err);
    /* What the call works on, a path, for who asks what the task waits for;
     * lives as long as the call. NULL: the call's name says it all. */
    const char *about;
} ql_lua_call_t;

/* Pushes the userdata; raises where L cannot wait. */
QL_API ql_lua_call_t *ql_lua_call_new(lua_State *L, ql_lua_t *lua,
                                      int (*push)(lua_State *L, ql_call_t *call,
                                                  int err));
/* Waits; the userdata is on top of the stack. push finds the stack as it is
 * now, arguments of the C function included, and may use them. */
QL_API int ql_lua_call_await(lua_State *L, ql_lua_call_t *w);

/* ------------------------------------------------------------ select ---- */

/*
 * What quoll.sync.select keeps for each object it waits for. It takes nothing
 * out of the object: it waits until a wait for the object would end at once.
 */
typedef struct ql_select_s ql_select_t;

typedef struct {
    /* NGX_OK: a wait would end at once, also by a failure. NGX_AGAIN: w is
     * parked, again if it was, and ql_select_ready(w) follows when it is worth
     * another attempt. NGX_ERROR: it cannot wait, w->op->err says why. Never
     * touches Lua. */
    int (*attempt)(ql_select_t *w);
    /* Parks no more; harmless when w is not parked. */
    void (*cancel)(ql_select_t *w);
} ql_select_type_t;

struct ql_select_s {
    const ql_select_type_t *type;
    void *object;    /* the handle, anchored while the select waits */
    ql_op_t *op;     /* the select's */
    ql_queue_t link; /* in the object's selectors; self-linked when not */
};

/* Handles of this type can be selected. */
QL_API void ql_handle_selectable(lua_State *L, const ql_handle_type_t *type,
                                 const ql_select_type_t *select);
/* w's select attempts again, soon. */
QL_API void ql_select_ready(const ql_select_t *w);
/* The same for all of a queue of ql_select_t.link. */
QL_API void ql_selectors_ready(const ql_queue_t *selectors);
/* Puts w into the queue of selectors, once. NGX_AGAIN. */
QL_API int ql_select_park(ql_select_t *w, ql_queue_t *selectors);
/* The cancel of who uses such a queue. */
QL_API void ql_select_leave(ql_select_t *w);

/* ------------------------------------------------------------- tasks ---- */

/* The task that runs now; the root task in the main chunk. Never NULL. */
QL_API ql_task_t *ql_task_current(ql_lua_t *lua);
/* Cancels t and all below it; why: static words. */
QL_API void ql_task_cancel(ql_task_t *t, const char *why);
/* Has the running task spawned what has not ended, deferred a call or opened
 * a handle since h, which it owns, was its newest? */
QL_API int ql_task_touched(const ql_lua_t *lua, const ql_handle_t *h);
/* Live tasks, without the root. */
QL_API uint64_t ql_task_count(ql_lua_t *lua);

/* True since quoll.stop was called: what would wait for work ends instead. */
QL_API int ql_stopping(const ql_lua_t *lua);

/* ------------------------------------------------ quoll's own modules ---- */

/* What quoll.core has from libquoll-lua; of no use to an extension. */

/* How long a task may run without giving the loop back, s; 0: any time. */
typedef struct {
    double warn; /* then it is named in the log */
    double max;  /* then it is stopped by an error */
} ql_slices_t;

/* Raises when the profiler or its signal is not to be had: both are off then. */
QL_API void ql_watchdog_set(lua_State *L, ql_lua_t *lua,
                            const ql_slices_t *slices);
/* What was set. */
QL_API const ql_slices_t *ql_watchdog_slices(const ql_lua_t *lua);

/* Seconds that the first SIGINT or SIGTERM leaves to the tasks; 0: it cancels
 * them. */
QL_API double ql_stop_grace(const ql_lua_t *lua);
/* Sets it; s: 0 or more. */
QL_API void ql_stop_set_grace(ql_lua_t *lua, double s);
/* Registers quoll's own task functions (spawn, run, take, ...) into the table
 * on top of the stack. */
QL_API void ql_task_register(lua_State *L, ql_lua_t *lua);

#ifdef __cplusplus
}
#endif

#endif
