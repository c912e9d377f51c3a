/*
 * websocket.h: a WebSocket as a script holds it, and what the files of its
 * functions share. The connection is lent to it and closed with it. One read
 * and one write may wait at the same time.
 */
#ifndef QUOLL_WEBSOCKET_H
#define QUOLL_WEBSOCKET_H

#include "../core/buffer.h"
#include "../quoll_lua.h"

#include "websocket/frame.h"

#include <stdbool.h>

enum {
    QL_WEBSOCKET_SMALL = 128, /* bytes of a frame that is sent from a copy */
    QL_WEBSOCKET_MASKS = 16   /* made at once: a system call */
};

/* What a send still has to write. */
typedef struct {
    struct iovec iov[2]; /* the pieces, in order */
    int at;              /* the first of them with anything left */
    size_t left;         /* bytes of both */
    bool begun;          /* some have gone */
} ql_frame_out_t;

typedef struct {
    ql_handle_t handle;
    ql_handle_t *lent; /* the connection's, anchored by our environment */
    const ql_stream_type_t *stream; /* of it */
    ql_connection_t *c;             /* its; NULL: closed */
    ql_buffers_t *pool;             /* its */
    ql_op_t rop;                    /* reads; has the connection */
    ql_op_t wop;                    /* sends */
    ql_buffer_t in;                 /* received, not taken yet */
    ql_frames_t frames;
    ql_frame_out_t out;
    uint8_t small[QL_WEBSOCKET_SMALL]; /* a head, a small frame */
    uint8_t *message;      /* fragments of the one under way; NULL: none */
    uint32_t size;         /* bytes of them */
    uint32_t room;         /* bytes at message */
    uint8_t *control;      /* frames sent when nobody else sends; NULL: none */
    uint16_t control_at;   /* bytes of them that have gone */
    uint16_t control_size; /* of them */
    uint8_t silent;        /* periods of `ping` in which nothing came */
    uint8_t masks_left;    /* of masks */
    uint32_t masks[QL_WEBSOCKET_MASKS]; /* random, not used yet */
    uint64_t ping;  /* ns of silence after which one is sent; INFINITE: never */
    uint64_t due;   /* when, by ql_nsec() */
    uint64_t until; /* the receive under way ends; INFINITE */
    pid_t pid; /* of the process that opened it; its children say no more */
    unsigned control_begun : 1; /* the io table was given them: nothing may
                                   go before its rest */
    unsigned heard : 1;         /* something came since `due` was set */
    unsigned eof : 1;           /* recv returned 0 */
    unsigned rbroken : 1;       /* a read failed, or a frame was refused */
    unsigned wbroken : 1;       /* a send was cut or failed: later ones too */
    unsigned said : 1;          /* our close frame has gone, or is on its way */
    unsigned ended : 1;         /* theirs has come */
    unsigned taking : 1; /* a frame is being taken; stays when that raised */
} ql_websocket_t;

extern const ql_handle_type_t ql__websocket_type;
extern const luaL_Reg ql__websocket_receive_functions[];
extern const luaL_Reg ql__websocket_drain_functions[];
extern const luaL_Reg ql__websocket_send_functions[];

static inline ql_websocket_t *
ql__websocket_check(lua_State *L, const char *method)
{
    return ql_handle_check(L, 1, &ql__websocket_type, method);
}

/* Whose read op is. */
static inline ql_websocket_t *
ql__websocket_reader(ql_op_t *op)
{
    return ql_queue_data(op, ql_websocket_t, rop);
}
/* What its read event waits with: rop attempts again. */
void ql__websocket_on_readable(ql_event_t *ev);

/* Nobody waits for ev any more. */
static inline void
ql__websocket_unpark(ql_websocket_t *ws, ql_event_t *ev)
{
    ev->handler = NULL;
    ql_delete_posted_event(ws->c->loop, ev);
}

/* As ql_frames_look(), at what was received. */
static inline int
ql__websocket_look(ql_websocket_t *ws)
{
    return ql_frames_look(&ws->frames,
                          (const uint8_t *) ws->in.data + ws->in.start,
                          ql_buffer_unread(&ws->in));
}

/* Takes the frame that was looked at, and those behind it, up to one that is
 * the script's. Pushes message, "text"|"binary", compressed | false: more has
 * to come | false, close code, reason | nil, why, close code | nil, err, CODE;
 * returns their number. */
int ql__websocket_take(lua_State *L, ql_websocket_t *ws);

/* The time by ql_nsec() that is ns away. */
static inline uint64_t
ql__websocket_later(const ql_websocket_t *ws, uint64_t ns)
{
    return ns == QL_TIMER_INFINITE ? ns : ql_nsec(ws->c->loop) + ns;
}

/* A control frame with n bytes, sent at once or as soon as nobody else sends,
 * never waited for. */
void ql__websocket_control(ql_websocket_t *ws, unsigned opcode,
                           const uint8_t *payload, size_t n);
/* Four random bytes. */
void ql__websocket_mask(ql_websocket_t *ws, uint8_t to[4]);

#endif
