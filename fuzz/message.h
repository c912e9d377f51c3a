/*
 * message.h: a message from bytes, cut somewhere, and what it came to; each
 * look at the bytes is at a block of its own, so that the sanitizer sees the
 * first byte beyond them.
 */
#ifndef QUOLL_FUZZ_MESSAGE_H
#define QUOLL_FUZZ_MESSAGE_H

#include "http/message.h"

typedef struct {
    ql_http_message_t message;
    int head;      /* what ql_http_head came to */
    int body;      /* and ql_http_body, or NGX_AGAIN */
    size_t size;   /* of the body */
    size_t used;   /* bytes of the input, head and body */
    size_t tail;   /* where the data of the last look at the body begins */
    uint64_t hash; /* of the body's bytes */
} fuzz_result_t;

typedef struct {
    ql_http_kind_t kind;
    bool bodyless;
    size_t first, step;     /* bytes that have come at the first look, and that
                           come at each later one; step 0: all */
    ql_http_block_t *block; /* of the messages before; or NULL */
} fuzz_plan_t;

/* Bytes 0..n of a message, with small limits. */
void fuzz_parse(fuzz_result_t *to, const fuzz_plan_t *plan, const uint8_t *data,
                size_t n);
/* Ends the process when the two differ. */
void fuzz_same(const fuzz_result_t *a, const fuzz_result_t *b);
/* Ends the process when a head was taken that must not be: judged by lines,
 * without the parser. */
void fuzz_judge(const fuzz_result_t *result, const uint8_t *data);
/* The input whole, in two, byte by byte, in steps; then the message behind. */
void fuzz_message(ql_http_kind_t kind, bool bodyless, const uint8_t *data,
                  size_t n);

#define FUZZ_ASSERT(condition)                                                 \
    do {                                                                       \
        if (!(condition)) {                                                    \
            __builtin_trap();                                                  \
        }                                                                      \
    } while (0)

#endif
