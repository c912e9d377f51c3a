/*
 * http.h: what the files of the module quoll.core.http share: HTTP/1 spoken on
 * a connection itself, which keeps nothing for it while it is idle.
 */
#ifndef QUOLL_CORE_HTTP_H
#define QUOLL_CORE_HTTP_H

#include "../stream/calls.h"
#include "http/message.h"
#include "http/out.h"

enum {
    QL_HTTP_MESSAGES_KEPT = 64, /* free ones kept at most */
    QL_HTTP_GATHERED = 1 << 16, /* bytes of answers that leave in one send */
    QL_HTTP_DROPPED = 1 << 16,  /* of a body that nobody reads; more: close */
    QL_HTTP_LINE = 80,          /* bytes of a request line kept for the log */
    QL_HTTP_BLOCKS = 16,        /* fields that are known again: of connections
                                   whose descriptors differ in that */
    QL_HTTP_TLS = 1024,         /* beside a method's number, or a status */
    QL_HTTP_COPIED = 4096       /* a longer body is sent from where it is */
};

/* Counted from the beginning. */
typedef struct {
    uint64_t requests;  /* handed out */
    uint64_t responses; /* likewise */
    uint64_t refused;   /* malformed, or beyond a limit: 4xx, 5xx of ours */
    uint64_t timeouts;  /* heads and bodies that did not come in time */
    uint64_t left;      /* handlers cancelled, their client having left */
} ql_http_stats_t;

typedef struct ql_http_exchange_s ql_http_exchange_t;

/* One per Lua state; every function of the module has it as upvalue 1. */
typedef struct {
    ql_lua_t *lua;
    ql_core_t *core;
    const ql_stream_calls_t *stream;
    ql_http_exchange_t *free; /* exchanges that nobody uses now */
    void *messages;           /* free messages, chained by their first bytes */
    uint32_t messages_kept;   /* length of the chain */
    const char *parsed_head;  /* string that was looked at last; or NULL */
    int parsed_anchor;        /* keeps it: in the registry */
    int parts;                /* likewise: metatable of parts of files */
    ql_http_message_t parsed; /* what it says */
    uint64_t clock_due;       /* ms of the loop at which the date is another */
    ql_http_clock_t clock;
    ql_http_stats_t stats;
} ql_http_t;

/* What a server is set to: shared by its connections, and by the userdata that
 * a script made it with. */
typedef struct {
    ql_protocol_t protocol; /* of a connection that is idle */
    ql_http_t *http;
    uint32_t holders; /* the last one to let go frees it */
    ql_http_limits_t limits;
    uint32_t requests;     /* of a connection, at most */
    uint32_t rate;         /* bytes per second that a body has to come at */
    uint64_t body;         /* bytes of a body that is read whole, by default */
    uint64_t body_max;     /* bytes of a body, however it is read */
    uint64_t idle_timeout; /* ns, as the following */
    uint64_t head_timeout;
    uint64_t body_timeout;
    uint64_t send_timeout;
    uint16_t plain_begin;   /* bytes of `plain` up to the length */
    uint16_t plain_size;    /* all of them; 0: there is no length yet */
    uint8_t server_size;    /* bytes of the line `server`; 0: none */
    unsigned http2 : 1;     /* who begins with its preface is handed over */
    unsigned half_open : 1; /* a client that has sent its end has not left */
    unsigned unasked : 1;   /* the handler takes no request: none is made */
    time_t plain_second;    /* whose date is in `plain` */
    uint64_t plain_length;  /* of the body that it is for */
    char server[128];       /* "Server: x\r\n" */
    char plain[320];        /* the head that most answers have */
    ql_http_block_t blocks[QL_HTTP_BLOCKS];
} ql_http_config_t;

typedef enum {
    QL_HTTP_RECEIVING, /* a head, or waits for its first byte */
    QL_HTTP_READY,     /* the head is there, not handed out */
    QL_HTTP_OUT,       /* the message is with the script */
    QL_HTTP_DROPPING,  /* answered; the rest of its body is read and dropped */
    QL_HTTP_CLOSING,   /* the last answer is on its way */
    QL_HTTP_LINGERING  /* it has left: the client is to see it before a reset */
} ql_http_state_t;

/* What the step waits for: each has a time of its own. */
typedef enum {
    QL_HTTP_NOTHING,
    QL_HTTP_HEAD,
    QL_HTTP_SEND,
    QL_HTTP_REST,
    QL_HTTP_END
} ql_http_phase_t;

/* A connection from the first byte of a message to its answer. */
struct ql_http_exchange_s {
    ql_protocol_t protocol;
    ql_http_config_t *config;
    ql_conn_t *conn;          /* NULL: nobody's */
    ql_http_exchange_t *next; /* free one */
    ql_http_message_t *m;     /* NULL: all of it has been handed out */
    uint32_t serial;          /* of the message that is out: how many the
                                 connection has had; 0: none is */
    ql_task_t *task;          /* which handles it */
    ql_cork_t cork;           /* answers on their way, of a server */
    const char *tail;         /* body behind them, anchored by the step */
    size_t tail_size;         /* not sent yet */
    ql_event_t watch;         /* posted: sees to it that the client's leaving is
                                 told */
    ql_http_span_t piece;     /* of the body, not given out yet; in conn->in */
    uint32_t used;            /* unread bytes that go with it */
    uint32_t max;             /* a read's: bytes of a piece */
    uint64_t limit;           /* a whole body's: bytes */
    ql_buffer_t body;         /* what there is of it */
    uint64_t began;           /* ns: the body's first read */
    uint64_t bytes;           /* of the body, decoded */
    char line[QL_HTTP_LINE];  /* begin of the request's first line */
    char *trailer;            /* bytes that trailers point into; or NULL */
    uint8_t state;            /* ql_http_state_t */
    uint8_t phase;            /* ql_http_phase_t */
    uint8_t method;           /* of the request */
    uint8_t minor;            /* HTTP/1.minor of the request */
    uint16_t status;          /* of the answer */
    uint64_t length;          /* of its body, unless that is chunked */
    unsigned server : 1;      /* it answers */
    unsigned keep : 1;        /* the connection goes on after the answer */
    unsigned expect : 1;      /* the client waits for 100 (Continue) */
    unsigned chunked : 1;     /* the answer is coded so */
    unsigned bodyless : 1;    /* the answer has no body */
    unsigned begun : 1;       /* the head of the answer is out */
    unsigned linger : 1;      /* unread bytes may turn a close into a reset */
    unsigned whole : 1;       /* a read asks for all of the body */
    unsigned refused : 1;     /* answered by us: no handler hears of it */
};

/* A head that a script has, for the time of a call. */
typedef struct {
    const char *head; /* the argument's bytes */
    const ql_http_message_t *m;
} ql_http_held_t;

static inline ql_http_t *
ql_http(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* Argument 1 as a connection; raises. */
static inline ql_conn_t *
ql__http_connection(lua_State *L, const ql_http_t *http, const char *method)
{
    return ql_handle_check(L, 1, http->stream->type, method);
}

/* Where the connection's exchange is; NULL: it is idle, or speaks no HTTP. */
static inline ql_http_exchange_t *ql__http_exchange(const ql_conn_t *conn);

/* exchange.c */
void ql__http_exchange_close(ql_conn_t *conn);
/* Begins one; NULL: no memory. */
ql_http_exchange_t *ql__http_begin(ql_conn_t *conn, ql_http_config_t *config,
                                   bool server);
/* Ends it. What is unread stays so; nothing may be gathered. The connection
 * stays with `config`, if there is one. */
void ql__http_end(ql_http_exchange_t *x, ql_http_config_t *config);
/* What was decoded of the body and not given out is dropped. */
void ql__http_discard(ql_http_exchange_t *x);
/* Its message is over, another may come. */
void ql__http_over(ql_http_exchange_t *x);
/* A fresh message to receive. NGX_OK or NGX_ERROR: no memory. */
int ql__http_receive(ql_http_exchange_t *x);
void ql__http_message_free(ql_http_exchange_t *x);
void ql__http_exchanges_free(ql_http_t *http);

static inline ql_http_exchange_t *
ql__http_exchange(const ql_conn_t *conn)
{
    ql_protocol_t *p = conn->protocol;

    return p != NULL && p->close == ql__http_exchange_close
             ? ql_queue_data(p, ql_http_exchange_t, protocol)
             : NULL;
}

/* Of a connection that speaks HTTP. */
static inline ql_http_t *ql__http(const ql_conn_t *conn);

/* config.c */
void ql__http_config_close(ql_conn_t *conn);
void ql__http_config_drop(ql_http_config_t *config);
/* The userdata at idx; raises. */
ql_http_config_t *ql__http_config_check(lua_State *L, int idx,
                                        const char *method);
/* Of the connection, with or without an exchange; NULL: it is no server's. */
ql_http_config_t *ql__http_config(const ql_conn_t *conn);
extern const luaL_Reg ql__http_config_functions[];

static inline ql_http_t *
ql__http(const ql_conn_t *conn)
{
    const ql_http_exchange_t *x = ql__http_exchange(conn);

    return x != NULL ? x->config->http : ql__http_config(conn)->http;
}

/* held.c */
/* Pushes what a script gets of the message whose head has come, and uses its
 * bytes up: serial, method's number or status (more by QL_HTTP_TLS on a
 * connection with TLS), head, path, query if any; how many these are. 0: the
 * connection was closed meanwhile. May raise. */
int ql__http_push(lua_State *L, ql_http_exchange_t *x);
/* The head that has come is handed out: its bytes are used up. */
void ql__http_use_head(ql_http_exchange_t *x);
/* Argument idx as a head; raises. */
ql_http_held_t ql__http_held(lua_State *L, int idx, const char *method);
extern const luaL_Reg ql__http_held_functions[];

/* message.c: the module is on top. */
void ql__open_message(lua_State *L, ql_http_t *http);

/* fields.c */
extern const luaL_Reg ql__http_field_functions[];
/* Gives the table on top n fields by their names, those of one name joined,
 * and the metatable that finds them in any case. */
void ql__http_join_fields(lua_State *L, const char *bytes,
                          const ql_http_field_t *fields, unsigned n);

/* answer.c */
/* What a head is to say. */
typedef struct {
    unsigned status;
    int headers;     /* index of a table; 0: none */
    uint64_t length; /* of the body */
    bool chunked;    /* and the length is not known */
    bool text;       /* it is text unless the headers say else */
} ql_http_head_t;
/* Gathers a head. NULL, or why not: nothing is gathered then. */
const char *ql__http_put_head(lua_State *L, ql_http_exchange_t *x,
                              const ql_http_head_t *head);
/* Room for n gathered bytes, which the caller writes; NULL: no memory. */
char *ql__http_room(ql_http_exchange_t *x, size_t n);
/* Gathers bytes. NGX_OK or NGX_ERROR: no memory. */
int ql__http_put(ql_http_exchange_t *x, const char *s, size_t n);
/* All of an answer is gathered or sent. */
void ql__http_answered(ql_http_exchange_t *x);
/* Gathers an answer of ours, after which the connection closes. */
void ql__http_turn_away(ql_http_exchange_t *x, unsigned status);

/* headers.c */
/* What a script's headers have said. */
typedef struct {
    bool date;
    bool type;
    bool server;
    bool has_length;
    uint64_t length;
} ql_http_said_t;
/* Gathers a line for each value of the table at index `headers`; NULL, or why
 * not. */
const char *ql__http_put_fields(lua_State *L, ql_http_exchange_t *x,
                                int headers, ql_http_said_t *said);

/* reply.c */
/* The answer that the values from index 2 on are, gathered; a long body is the
 * tail then, and the value at index 2. NGX_DECLINED: it is not one that C knows,
 * or has a body beyond `longest` bytes; nothing was done. */
int ql__http_reply(lua_State *L, ql_http_exchange_t *x, size_t longest);
/* The status at index 3 into *head; false: it is none. */
bool ql__http_reply_status(lua_State *L, ql_http_head_t *head);
extern const luaL_Reg ql__http_reply_functions[];

/* part.c */
/* Answers with the values from index 2 on, if their body is a part of a file and
 * the handler has left nothing else to end: *results as answer's. */
bool ql__http_answer_part(lua_State *L, ql_http_exchange_t *x, int *results);
extern const luaL_Reg ql__http_part_functions[];

/* flush.c */
/* For an operation of rop: sends what is gathered, and the tail. NGX_OK;
 * NGX_AGAIN, it is parked; NGX_ERROR with rop.err. */
int ql__http_flush(ql_http_exchange_t *x);
/* As ql_park() for rop, with the time of the phase. */
int ql__http_park(ql_conn_t *conn, ql_event_t *ev, ql_http_phase_t phase);
/* rop waits no more. */
void ql__http_unpark(ql_conn_t *conn);
/* One recv: as ql__read_more. */
ssize_t ql__http_recv(ql_conn_t *conn);

/* linger.c */
/* All answers have left: waits for the client's end, if that matters, and drops
 * what comes until then. NGX_AGAIN, it is parked; NGX_ERROR with rop.err. */
int ql__http_linger(ql_http_exchange_t *x);

/* watch.c */
/* From now on the task is cancelled when the client leaves. */
void ql__http_watch(ql_http_exchange_t *x);
void ql__http_unwatch(ql_http_exchange_t *x);
void ql__http_watch_init(ql_http_exchange_t *x);

/* body.c */
/* The next decoded bytes, of those that have come, into x->piece. NGX_OK;
 * NGX_DONE: there is none and will be none; NGX_AGAIN: none yet; NGX_ERROR with
 * rop.err. */
int ql__http_next_piece(ql_http_exchange_t *x);
/* n bytes of the piece have been used. */
void ql__http_piece_used(ql_http_exchange_t *x, uint32_t n);
/* What has come of it, up to its end, into x->body: NGX_OK when that is there.
 * One that came whole stays where it is, as the piece. */
int ql__http_next_whole(ql_http_exchange_t *x);
/* The body cannot be read on. NGX_ERROR with rop.err. */
int ql__http_body_fail(ql_http_exchange_t *x, int err);

/* step.c */
/* Goes on as far as the bytes that have come allow. NGX_OK: with the state as
 * it is now; NGX_AGAIN: more bytes are needed; NGX_ERROR with rop.err. */
int ql__http_advance(ql_http_exchange_t *x);
/* A request is there, and it may be handed out before the answers that are
 * gathered leave. */
bool ql__http_may_go_on(const ql_http_exchange_t *x);
/* Pushes why the connection has ended, and tells the client that its time is
 * over. */
int ql__http_step_fail(lua_State *L, ql_conn_t *conn, int err);
/* Of step and answer: why the connection cannot be read now, or is ours no
 * more; 0: it can. */
int ql__http_reader_error(lua_State *L, ql_conn_t *conn);
void ql__http_step_cancel(ql_op_t *op);
void ql__http_step_describe(ql_op_t *op, char *text, size_t size);
extern const luaL_Reg ql__http_step_functions[];

/* turn.c */
/* Pushes the request that is there, as ql__http_push(), or true for who does not
 * look at it: the script's from now on. How many values; 0: the connection was
 * closed meanwhile. May raise. */
int ql__http_hand_out(lua_State *L, ql_http_exchange_t *x);
extern const luaL_Reg ql__http_turn_functions[];

/* read.c, response.c, hijack.c */
extern const luaL_Reg ql__http_read_functions[];
extern const luaL_Reg ql__http_response_functions[];
extern const luaL_Reg ql__http_hijack_functions[];
/* The client has begun with the preface of HTTP/2, and the server speaks it. */
bool ql__http_is_http2(const ql_http_exchange_t *x);

#endif
