/*
 * message.h: one HTTP/1 message as it comes in, request or response (QL_HTTP):
 * RFC 9112 by llhttp, and what llhttp lets pass refused. Knows neither sockets
 * nor Lua, allocates nothing. The bytes of a head are the caller's, in one
 * piece; spans point into them. However the bytes were cut on their way, the
 * result is the same.
 */
#ifndef QUOLL_HTTP_MESSAGE_H
#define QUOLL_HTTP_MESSAGE_H

#include "../quoll.h"

#include <llhttp.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    QL_HTTP_FIELDS = 128,         /* that a message can hold, with trailers */
    QL_HTTP_SIZE_DIGITS = 16,     /* of a chunk's size */
    QL_HTTP_EXTENSIONS = 16384,   /* bytes of chunk extensions in a message */
    QL_HTTP_EXTENSION_LINE = 256, /* of them in one chunk */
    QL_HTTP_BLOCK = 1024,         /* bytes of fields that are known again */
    QL_HTTP_BLOCK_FIELDS = 24     /* and how many */
};

typedef enum {
    QL_HTTP_REQUEST,
    QL_HTTP_RESPONSE
} ql_http_kind_t;

typedef struct {
    uint32_t at; /* from the first byte of the head */
    uint32_t size;
} ql_http_span_t;

typedef struct {
    ql_http_span_t name;
    ql_http_span_t value; /* without the blanks around it */
} ql_http_field_t;

/* What a head may be; more is refused. */
typedef struct {
    uint32_t line;   /* bytes of the start line, without CR LF */
    uint32_t head;   /* bytes of start line and fields; also of trailers */
    uint32_t fields; /* how many, trailers too: at most QL_HTTP_FIELDS */
} ql_http_limits_t;

/* The fields of a plain request without a body, up to the end of its head, and
 * what they say; zeroed: none. */
typedef struct {
    uint32_t size;  /* bytes; 0: none */
    uint32_t first; /* where they began: what the spans count from */
    uint16_t count; /* fields */
    unsigned keep_alive : 1;
    ql_http_span_t host;
    ql_http_field_t fields[QL_HTTP_BLOCK_FIELDS];
    char bytes[QL_HTTP_BLOCK];
} ql_http_block_t;

typedef struct {
    llhttp_t parser;
    const ql_http_limits_t *limits;
    ql_http_block_t *block; /* of requests before, with the same limits; the
                               caller's, set behind init; NULL: none is kept */
    const char *data;       /* the head, while ql_http_head runs; and... */
    const char *end;        /* ... the end of what has come of it */
    const char *why;        /* of an error: static words, for the log */
    uint64_t length;        /* Content-Length; without: 0 */
    uint64_t left;          /* bytes that the body, or its chunk, still has */
    uint32_t begin;         /* of the start line: 2 behind an empty line */
    uint32_t first;         /* where its first field begins */
    uint32_t parsed;        /* bytes of the head that need no further look */
    uint32_t size;          /* of the whole head, when it is complete */
    uint32_t scanned; /* bytes of a chunk's line or of trailers, likewise */
    uint32_t extra;   /* bytes of chunk extensions so far */
    uint32_t line;    /* where the first trailer begins that is not complete */
    ql_http_span_t target;
    ql_http_span_t path;   /* of the target, up to "?"; CONNECT: none */
    ql_http_span_t query;  /* behind "?" */
    ql_http_span_t host;   /* with its port: of an absolute target, or Host */
    ql_http_span_t reason; /* of a response; may be empty */
    uint16_t status;       /* of a response */
    uint16_t error; /* status that refuses it: 400 414 417 431 501 505; or 0 */
    uint16_t count; /* fields */
    uint16_t trailers;       /* fields[count] and on: spans into the bytes that
                                ql_http_body got when the body ended */
    uint8_t kind;            /* ql_http_kind_t */
    uint8_t method;          /* llhttp_method_t */
    uint8_t minor;           /* of HTTP/1.minor: 0 or 1 */
    uint8_t state;           /* of the body: body.c's */
    unsigned keep_alive : 1; /* the connection outlives the message */
    unsigned chunked : 1;
    unsigned has_length : 1; /* Content-Length was there */
    unsigned until_eof : 1;  /* a response's body that its connection ends */
    unsigned expect : 1;     /* Expect: 100-continue */
    unsigned upgrade : 1;    /* Connection: upgrade, and Upgrade */
    unsigned absolute : 1;   /* the target names scheme and host */
    unsigned secure : 1;     /* ... and the scheme is https */
    unsigned ended : 1;      /* nothing of it is to come */
    unsigned bodyless : 1;   /* ql_http_message_bodyless */
    unsigned has_host : 1;   /* a field Host was there */
    unsigned in_line : 1;    /* the start line is complete; likewise: */
    unsigned in_value : 1;   /* a field's value has begun */
    ql_http_field_t fields[QL_HTTP_FIELDS];
} ql_http_message_t;

/* `limits` outlives the message. */
void ql_http_message_init(ql_http_message_t *m, ql_http_kind_t kind,
                          const ql_http_limits_t *limits);
/* It has no body: of a response to HEAD, before its head is parsed; or to a
 * CONNECT that was granted, after that. */
void ql_http_message_bodyless(ql_http_message_t *m);

/* ---- head.c ---- */

/* data[0..n): all bytes of the message so far, which may have moved; those
 * before m->parsed are not looked at again. NGX_OK: the head is complete,
 * m->size bytes; m->ended: there is no body. NGX_AGAIN: more is needed.
 * NGX_ERROR: m->error, m->why. */
int ql_http_head(ql_http_message_t *m, const char *data, uint32_t n);
/* Sets what an error is; NGX_ERROR. */
int ql__http_refuse(ql_http_message_t *m, unsigned status, const char *why);

/* ---- target.c: the target of a request, Host ---- */

/* Sets path, query, host, absolute; the bytes are known to be a target's. */
int ql__http_target(ql_http_message_t *m, const char *data);
/* uri-host [":" port]; an empty one too. Behind it is a byte of none. */
bool ql__http_authority(const char *s, size_t n);

/* ---- plain.c ---- */

/* As ql_http_head, of a request's head that is all there and has nothing but
 * what most have. False: it is another; m is as it was. */
bool ql__http_plain(ql_http_message_t *m, const char *data, uint32_t n);

/* ---- block.c ---- */

/* The fields of a plain request, as m has them, into b, if they can come again
 * and say the same. */
void ql__http_block_keep(ql_http_block_t *b, const ql_http_message_t *m,
                         const char *data);
/* Those in b are what m has from m->first on, in data[0..n): they are m's, its
 * head is complete. False: they are others. */
bool ql__http_block_take(const ql_http_block_t *b, ql_http_message_t *m,
                         const char *data, uint32_t n);

/* ---- fields.c: what the fields say of the message ---- */

typedef struct {
    unsigned encodings; /* fields Transfer-Encoding seen */
    unsigned lengths;
    unsigned connections;
} ql__http_seen_t;

/* What one says, whose line is as it should. */
int ql__http_field(ql_http_message_t *m, const char *data,
                   const ql_http_field_t *f, ql__http_seen_t *seen);
/* That was the last one; the head has `size` bytes. */
int ql__http_head_end(ql_http_message_t *m, const ql__http_seen_t *seen,
                      uint32_t size);
/* All of a head that llhttp has found complete within data[0..n). Sets size. */
int ql__http_fields(ql_http_message_t *m, const char *data, uint32_t n);

/* ---- trailer.c ---- */

/* The line s[at..at+size), its LF too, is one more trailer. */
int ql__http_trailer(ql_http_message_t *m, const char *s, uint32_t at,
                     uint32_t size);

/* ---- body.c ---- */

/* data[0..n): what follows, not used yet. *used of it may be dropped once
 * *piece, a run of decoded bytes in it, is used. NGX_OK: there is a piece, go
 * on with the rest; NGX_AGAIN: no piece, more bytes are needed; NGX_DONE: the
 * message has ended, *piece is its last (often empty) and unused bytes are of
 * the next message; NGX_ERROR: no piece, m->error, m->why. A chunk's line and
 * the trailers are used as a whole: they have to be in one piece, at most
 * limits->head bytes. */
int ql_http_body(ql_http_message_t *m, const char *data, uint32_t n,
                 uint32_t *used, ql_http_span_t *piece);
/* The peer has sent its end. NGX_OK: the message ends by it, or has ended;
 * NGX_ERROR: it was cut. */
int ql_http_eof(ql_http_message_t *m);

#endif
