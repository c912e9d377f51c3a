/*
 * utf8.h: is a text that comes in pieces UTF-8 (RFC 3629)? No overlong forms,
 * no surrogates, nothing above U+10FFFF.
 */
#ifndef QUOLL_WEBSOCKET_UTF8_H
#define QUOLL_WEBSOCKET_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where in a character the bytes so far end; zeroed: between two. */
typedef struct {
    uint8_t need; /* bytes that the character lacks; 0: none is under way */
    uint8_t low;  /* the next of them is low..high */
    uint8_t high;
} ql_utf8_t;

/* The next n bytes; false: no continuation makes a text of them. */
bool ql_utf8(ql_utf8_t *u, const void *data, size_t n);

/* Is what came so far a whole text? */
static inline bool
ql_utf8_whole(const ql_utf8_t *u)
{
    return u->need == 0;
}

#endif
