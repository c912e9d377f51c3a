/*
 * connection.h: a connection as a script holds it, and what the files of its
 * methods share. One read and one write may wait at the same time.
 */
#ifndef QUOLL_CONNECTION_H
#define QUOLL_CONNECTION_H

#include "../core/core.h"
#include "pattern.h"

typedef struct ql_listener_s ql_listener_t;
typedef struct ql_transfer_s ql_transfer_t;
typedef struct ql_passing_s ql_passing_t;

typedef struct ql_cork_s ql_cork_t;

/* What a send still has to write. */
typedef struct {
    struct iovec *iov;  /* the pieces, in order; whole is one of them */
    int pieces;         /* length of iov */
    size_t left;        /* bytes of all */
    size_t sent;        /* by this send */
    struct iovec whole; /* a single piece */
    char *copy;         /* what was left of passing pieces; freed by the end */
    unsigned fresh : 1; /* the first attempt: may be gathered */
    unsigned passing : 1; /* what iov points at, and iov, may go once Lua runs:
                             what has to wait is copied; else it is anchored */
} ql_out_t;

/* An accept: the connection that it will fill waits in the listener's queue. */
typedef struct {
    ql_listener_t *listener; /* anchored beside the connection */
    ql_queue_t link;         /* in its waiters; self-linked when not */
} ql_accepting_t;

/* A connect, up to the end of its first attempt. */
typedef struct {
    const ql_sockaddr_t *addr;
    const ql_connect_opts_t *opts;
} ql_connecting_t;

typedef struct ql_conn_s ql_conn_t;

/* What another module keeps beside a connection while it speaks its protocol:
 * a struct that starts with this. */
typedef struct {
    /* The connection is being closed; what is gathered has gone. */
    void (*close)(ql_conn_t *conn);
} ql_protocol_t;

struct ql_conn_s {
    ql_handle_t handle;
    ql_core_t *core;
    ql_connection_t *c;    /* NULL: none yet, or closed */
    ql_keepalive_t *pool;  /* it counts there; NULL: in none, or closed */
    unsigned promised : 1; /* a connection of the listener is ours to take */
    unsigned eof : 1;      /* recv returned 0 */
    unsigned eof_told : 1; /* and the script knows */
    unsigned rbroken : 1;  /* a read failed: later ones are "closed" */
    unsigned bulk : 1;     /* the last recv filled its buffer */
    unsigned wbroken : 1;  /* a send was cut or failed: later ones too */
    unsigned exact : 1;    /* reads take no byte that they do not need: it may
                              be the handshake's; set by exact() */
    unsigned rlate : 1;    /* a select met the failure of rop.err: the next read
                              tells it */
    uint32_t messages;     /* of its protocol, so far */
    ql_protocol_t *protocol; /* NULL: scripts read it */
    ql_cork_t *cork;         /* NULL: never corked */
    ql_select_t *selector;   /* of the select that waits; NULL: none does */
    ql_op_t *guest; /* of another module, has both directions; NULL: none */
    ql_op_t rop;    /* reads, and what opens the connection; its timeout is the
                    script's for reads */
    ql_op_t wop;    /* sends */
    ql_buffer_t in; /* received, not asked for yet; stays while a string is made
                       of it (rop.pushing), whoever closes the connection */
    ql_pattern_t pattern; /* of the read under way */
    union {
        ql_out_t out;
        ql_transfer_t *transfer; /* anchored beside the connection */
        ql_passing_t *passing;   /* likewise */
        ql_accepting_t accepting;
        ql_connecting_t connecting;
    };
};

extern const ql_handle_type_t ql__connection_type;
extern const luaL_Reg ql__receive_functions[];
extern const luaL_Reg ql__idle_functions[];
extern const luaL_Reg ql__send_functions[];
/* Pushes what the script gets of a transfer that has ended. */
typedef int (*ql_transfer_done_pt)(lua_State *L, ql_conn_t *conn, int err);
int ql__sendfile_start(lua_State *L, ql_conn_t *conn, int64_t offset, int64_t n,
                       ql_transfer_done_pt done);
extern const luaL_Reg ql__sendfile_functions[];
extern const luaL_Reg ql__cork_functions[];
extern const luaL_Reg ql__sendfd_functions[];
extern const luaL_Reg ql__receivefd_functions[];
extern const luaL_Reg ql__sockopt_functions[];
extern const luaL_Reg ql__keepalive_functions[];

enum {
    /* Moved by one attempt before others get on: 50 us. With 1 MiB a small
     * request waited 50 ms (p99) beside 32 downloads, with this 3 ms. */
    QL__TURN_BYTES = 1 << 17
};

static inline ql_conn_t *
ql__connection_check(lua_State *L, int idx, const char *method)
{
    return ql_handle_check(L, idx, &ql__connection_type, method);
}

/* Sends what out says; its bytes, unless `passing`, and the connection are on
 * the stack. bytes | nil, err, sent, CODE */
int ql__send_start(lua_State *L, ql_conn_t *conn, const ql_out_t *out);
/* The failure of a late flush, told now; 0: there was none. */
int ql__cork_error(ql_conn_t *conn);

/* Why nothing can be sent now; 0: it can. */
static inline int
ql__writer_error(ql_conn_t *conn)
{
    int err = 0;

    if (conn->handle.closed) {
        return conn->handle.closed;
    }
    if (ql_op_waiting(&conn->wop) || conn->guest != NULL) {
        return QL_E_BUSY_WRITING;
    }
    if (conn->cork != NULL) {
        err = ql__cork_error(conn);
    }
    return err == 0 && conn->wbroken ? QL_E_CLOSED : err;
}

/* Pushes a new connection, still closed. */
ql_conn_t *ql__connection_new(lua_State *L, ql_core_t *core);
/* One recv into conn->in: bytes, 0 at the end, NGX_AGAIN, NGX_ERROR with
 * rop.err. */
ssize_t ql__read_more(ql_conn_t *conn);
/* Nobody may read: another task does, or selects, or has it as a guest. */
static inline bool
ql__reader_busy(const ql_conn_t *conn)
{
    return conn->selector != NULL || conn->guest != NULL
        || ql_op_waiting(&conn->rop);
}
/* Why L cannot begin to read, whatever there is to read; 0: it can. */
static inline int
ql__reader_unusable(lua_State *L, ql_conn_t *conn)
{
    if (conn->handle.closed) {
        return conn->handle.closed;
    }
    return ql__reader_busy(conn) || ql_op_pushing(L, &conn->rop, &conn->handle)
             ? QL_E_BUSY_READING
             : 0;
}
/* What a read of a broken connection, which has no more bytes, is told. */
static inline int
ql__reader_failure(ql_conn_t *conn)
{
    int err = conn->rlate ? conn->rop.err : QL_E_CLOSED;

    conn->rlate = 0;
    return err;
}
/* Why L cannot read now; 0: it can. */
static inline int
ql__reader_error(lua_State *L, ql_conn_t *conn)
{
    int err = ql__reader_unusable(L, conn);

    if (err == 0 && conn->rbroken && ql_buffer_unread(&conn->in) == 0) {
        err = ql__reader_failure(conn);
    }
    return err;
}
extern const ql_select_type_t ql__connection_select;

/* c is in; owned by the running task. */
void ql__connection_open(ql_conn_t *conn, ql_connection_t *c);

/* Pushes a connection of fd, owned by the running task: 1; or nil, err, CODE: 3,
 * and fd is still the caller's. flags: QL_ADOPT_*. */
int ql__adopt(lua_State *L, ql_core_t *core, int fd, int flags);

/* "verb 127.0.0.1:4711 (fd 9)": for an operation's describe. */
void ql__describe_peer(const ql_conn_t *conn, const char *verb, char *text,
                       size_t size);

/* The connection whose read or send op is. */
static inline ql_conn_t *
ql__reader(ql_op_t *op)
{
    return ql_queue_data(op, ql_conn_t, rop);
}
static inline ql_conn_t *
ql__writer(ql_op_t *op)
{
    return ql_queue_data(op, ql_conn_t, wop);
}
/* What they wait with: rop or wop attempts again. */
void ql__on_readable(ql_event_t *ev);
void ql__on_writable(ql_event_t *ev);

/* As ql_park(), when this attempt has had its share: goes on in the next turn. */
int ql__park_next(ql_event_t *ev, ql_event_handler_pt on_event);
/* Nobody waits for ev any more. */
static inline void
ql__unpark_event(ql_loop_t *loop, ql_event_t *ev)
{
    ev->handler = NULL;
    if (ev->posted) {
        ql_delete_posted_event(loop, ev);
    }
}

enum {
    QL__SOCKOPTS = 24 /* of one connect, at most */
};

/* The table at index arg, by name, as options of a socket of that family, into
 * list (of QL__SOCKOPTS); how many. Raises. */
unsigned ql__check_sockopts(lua_State *L, int arg, const char *method,
                            int family, ql_sockopt_t *list);
/* Options of a pool at index arg; raise. max_idle in ns, 0 s: no limit; 0: nil
 * was given. */
uint64_t ql__check_max_idle(lua_State *L, int arg, const char *method);
uint32_t ql__check_pool_size(lua_State *L, int arg, const char *method);

/* The address (a string) at index arg. NGX_OK, or NGX_ERROR with nil, err,
 * CODE pushed; raises when it is no string. */
int ql__check_address(lua_State *L, int arg, const char *name,
                      const char *method, ql_sockaddr_t *addr);

/* Pushes "10.0.0.1" or "fe80::1%2" and the port: 2; "unix:/path": 1. */
int ql__push_address(lua_State *L, const ql_sockaddr_t *addr);

#endif
