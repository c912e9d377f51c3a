/*
 * frame.h: WebSocket frames (RFC 6455, section 5): heads out and in, masks, and
 * what a peer may send when. Knows neither sockets nor Lua.
 */
#ifndef QUOLL_WEBSOCKET_FRAME_H
#define QUOLL_WEBSOCKET_FRAME_H

#include "utf8.h"

enum {
    QL_FRAME_CONTINUATION = 0,
    QL_FRAME_TEXT = 1,
    QL_FRAME_BINARY = 2,
    QL_FRAME_CLOSE = 8, /* this and above: control frames */
    QL_FRAME_PING = 9,
    QL_FRAME_PONG = 10
};

enum {
    QL_FRAME_FIN = 0x80,        /* of the first byte: the message's last */
    QL_FRAME_COMPRESSED = 0x40, /* RSV1, of a message's first (RFC 7692) */
    QL_FRAME_HEAD = 14,         /* bytes of a head at most */
    QL_FRAME_CONTROL = 125      /* bytes in a control frame at most */
};

/* Codes of a close frame that we send of our own accord. */
enum {
    QL_CLOSE_NORMAL = 1000,
    QL_CLOSE_GOING_AWAY = 1001,
    QL_CLOSE_PROTOCOL = 1002,
    QL_CLOSE_NONE = 1005, /* never sent: the frame has none */
    QL_CLOSE_BAD_DATA = 1007,
    QL_CLOSE_TOO_BIG = 1009
};

/* What comes in, frame by frame. */
typedef struct {
    uint64_t max;    /* bytes of a message, all its fragments; set by the owner,
                        0: none but empty ones */
    uint64_t size;   /* of the message under way */
    uint64_t length; /* of the payload, of the frame looked at */
    uint64_t want;   /* bytes from its first on that are needed to go on */
    ql_utf8_t utf8;  /* of the text under way */
    uint16_t error;  /* the close code that refuses what came; 0: none */
    uint16_t code;   /* of the close frame taken; QL_CLOSE_NONE: it had none */
    const char *why; /* it is refused, in words; static */
    uint8_t first;   /* first byte of the frame looked at */
    uint8_t head;    /* bytes of its head */
    uint8_t opcode;  /* of it; a continuation's is its message's */
    uint8_t message; /* opcode of the message under way; 0: none is */
    unsigned client : 1;  /* set by the owner: we are, so no frame is masked */
    unsigned deflate : 1; /* set by the owner: RSV1 may be set */
    unsigned compressed : 1; /* the message under way, or the last, is */
} ql_frames_t;

/*
 * Looks at the frame that data[0..n) begin with, and changes nothing but what
 * it found. NGX_OK: all of it is there, head + length bytes. NGX_AGAIN: `want`
 * bytes are needed. NGX_ERROR: error, why.
 */
int ql_frames_look(ql_frames_t *in, const uint8_t *data, size_t n);
/*
 * Takes the frame just looked at, whose first byte is at data: unmasks its
 * payload in place, checks it. NGX_OK: a whole message or a control frame
 * (opcode); NGX_AGAIN: the message goes on. NGX_ERROR: error, why.
 */
int ql_frames_take(ql_frames_t *in, uint8_t *data);

/* Writes a head into `to`; first: opcode | QL_FRAME_FIN | ...; mask: 4 bytes,
 * NULL: none. Its size. */
size_t ql_frame_head(uint8_t to[QL_FRAME_HEAD], unsigned first, uint64_t length,
                     const uint8_t *mask);
/* to[i] = from[i] ^ mask[i % 4]; `to` may be `from`. */
void ql_frame_mask(uint8_t *to, const uint8_t *from, size_t n,
                   const uint8_t mask[4]);
/* May a close frame have this code? (RFC 6455, 7.4; IANA's registry) */
bool ql_close_code(unsigned code);

#endif
