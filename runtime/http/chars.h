/*
 * chars.h: classes of bytes that a message is made of.
 */
#ifndef QUOLL_HTTP_CHARS_H
#define QUOLL_HTTP_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    QL_HTTP_TCHAR = 1,  /* of a token: RFC 9110, 5.6.2 */
    QL_HTTP_TEXT = 2,   /* of a value: no control character but HTAB */
    QL_HTTP_TARGET = 4, /* of a target: what can be seen, but no "#" */
    QL_HTTP_HOST = 8,   /* of a host's name but "%": RFC 3986, 3.2.2 */
    QL_HTTP_DIGIT = 16,
    QL_HTTP_HEX = 32,
    QL_HTTP_BLANK = 64 /* SP and HTAB */
};

extern const uint8_t ql__http_chars[256];

static inline int
ql__http_is(char c, int class)
{
    return ql__http_chars[(uint8_t) c] & class;
}

/* The same of bytes behind which there is one of another class. */
static inline const char *
ql__http_skip(const char *s, int class)
{
    for (;; s += 2) {
        if (!ql__http_is(s[0], class)) {
            return s;
        }
        if (!ql__http_is(s[1], class)) {
            return s + 1;
        }
    }
}

/* A token of n bytes as `known`, which is in lower case. */
static inline bool
ql__http_same(const char *token, const char *known, size_t n)
{
    const uint64_t lower = UINT64_MAX / 0xff * 0x20;
    uint64_t a, b;

    for (; n >= sizeof(a); n -= sizeof(a)) {
        memcpy(&a, token, sizeof(a));
        memcpy(&b, known, sizeof(b));
        if ((a | lower) != b) {
            return false;
        }
        token += sizeof(a);
        known += sizeof(b);
    }
    while (n > 0 && (*token | 0x20) == *known) {
        token++;
        known++;
        n--;
    }
    return n == 0;
}

/* How many of the first bytes are of the class. */
size_t ql__http_span(const char *s, size_t n, int class);
/* The same of QL_HTTP_TEXT, eight bytes at a time. */
size_t ql__http_span_text(const char *s, size_t n);

#endif
