/*
 * session.h: the server's side of one HTTP/2 connection, by nghttp2, in memory:
 * bytes that came are fed in, bytes to send are taken out, and news of the
 * streams are asked for. No sockets and no waiting: that is Lua's.
 */
#ifndef QUOLL_HTTP2_SESSION_H
#define QUOLL_HTTP2_SESSION_H

#include "../core/core.h"

#include <nghttp2/nghttp2.h>

enum {
    QL_H2_OUT_FULL = 64 * 1024, /* bytes queued: write says "full" */
    QL_H2_OUT_LOW = 32 * 1024,  /* bytes queued: a full stream drained */
    QL_H2_CONTROL_MAX = 1000,   /* control frames in one go, */
    QL_H2_CONTROL_RATE = 100    /* and a second, for nothing in return */
};

typedef struct {
    ql_handle_t handle;
    nghttp2_session *session; /* NULL: closed */
    ql_core_t *core;          /* whose buffers it takes */
    ql_loop_t *loop;
    ql_queue_t streams;   /* all, by ql_h2_stream_t.link */
    ql_queue_t news;      /* those with something to tell, in order */
    uint32_t head_max;    /* bytes of a request's fields, */
    uint32_t fields_max;  /* and how many */
    uint32_t control;     /* control frames that are left to the peer */
    uint64_t refilled;    /* ms: when control was filled up */
    unsigned flooded : 1; /* more control frames have come than were left */
    unsigned dead : 1;    /* nghttp2 has failed: nothing but closing is left */
} ql_h2_t;

/* Names and values, as they came. */
typedef struct {
    ql_buffer_t bytes;  /* for ql__h2_push_fields() */
    uint32_t count;     /* how many */
    unsigned large : 1; /* above the limits: none are kept */
} ql_h2_fields_t;

typedef struct {
    int32_t id;
    ql_h2_t *h2;
    ql_queue_t link; /* h2->streams */
    ql_queue_t next; /* h2->news; self-linked when there are none */
    ql_h2_fields_t head;
    ql_h2_fields_t trailer;
    ql_buffer_t in;        /* of the body, unread */
    ql_buffer_t out;       /* of the answer's body, unsent */
    unsigned fresh : 1;    /* its head is complete, and has not been told */
    unsigned told : 1;     /* Lua knows it, until it forgets it */
    unsigned ended : 1;    /* the request is complete */
    unsigned closed : 1;   /* nghttp2 knows it no more */
    unsigned reset : 1;    /* by the peer, before its answer was complete */
    unsigned full : 1;     /* writer waits until the queue is low */
    unsigned sent : 1;     /* the answer has left */
    unsigned finished : 1; /* nothing follows what is in `out` */
    unsigned starved : 1;  /* nghttp2 waits for more in `out` */
} ql_h2_stream_t;

/* -------------------------------------------------------- callbacks.c ---- */

/* What nghttp2 calls; NULL without memory. To be freed by nghttp2's del. */
nghttp2_session_callbacks *ql__h2_callbacks(void);

/* ----------------------------------------------------------- stream.c ---- */

/* NULL without memory. */
ql_h2_stream_t *ql__h2_stream_new(ql_h2_t *h2, int32_t id);
/* Frees what neither nghttp2 nor Lua knows any more. */
void ql__h2_stream_settle(ql_h2_stream_t *s);
void ql__h2_stream_free(ql_h2_stream_t *s);
/* The one that Lua calls by this number; NULL: it has been forgotten. */
ql_h2_stream_t *ql__h2_find(ql_h2_t *h2, int32_t id);
/* Puts it among the news, unless Lua does not know it. */
void ql__h2_tell(ql_h2_stream_t *s);
/* NGX_OK or NGX_ERROR (no memory); above the limits they become `large`. */
int ql__h2_add_field(ql_h2_t *h2, ql_h2_fields_t *to, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size);
/* Pushes an array: name, value, name, value, ... They are gone then. */
void ql__h2_push_fields(lua_State *L, ql_h2_t *h2, ql_h2_fields_t *fields);
/* More bytes. NGX_OK or NGX_ERROR (no memory). */
int ql__h2_append(ql_h2_t *h2, ql_buffer_t *b, const void *data, size_t size);

/* ----------------------------------------------------------- answer.c ---- */

/* Registers what answers: inform, respond, write, finish, reset. */
void ql__h2_open_answer(lua_State *L, ql_core_t *core);

/* ---------------------------------------------------------- session.c ---- */

extern const ql_handle_type_t ql__h2_type;

/* Argument 1 as an open session; raises. */
ql_h2_t *ql__h2_check(lua_State *L, const char *method);

#endif
