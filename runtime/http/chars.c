/*
 * chars.c: classes of bytes.
 */
#include "chars.h"

#include <endian.h>

enum {
    TEXT = QL_HTTP_TEXT,
    SEEN = QL_HTTP_TEXT | QL_HTTP_TARGET,
    NAME = SEEN | QL_HTTP_HOST,
    MARK = SEEN | QL_HTTP_TCHAR,
    BOTH = NAME | QL_HTTP_TCHAR,
    DIGIT = BOTH | QL_HTTP_DIGIT | QL_HTTP_HEX,
    HEX = BOTH | QL_HTTP_HEX,
    BLANK = QL_HTTP_TEXT | QL_HTTP_BLANK
};

const uint8_t ql__http_chars[256] = {
    ['\t'] = BLANK,
    [' '] = BLANK,
    ['!'] = BOTH,
    ['"'] = SEEN,
    ['#'] = TEXT | QL_HTTP_TCHAR,
    ['$'] = BOTH,
    ['%'] = MARK,
    ['&' ... '\''] = BOTH,
    ['(' ... ')'] = NAME,
    ['*' ... '+'] = BOTH,
    [','] = NAME,
    ['-' ... '.'] = BOTH,
    ['/'] = SEEN,
    ['0' ... '9'] = DIGIT,
    [':'] = SEEN,
    [';'] = NAME,
    ['<'] = SEEN,
    ['='] = NAME,
    ['>' ... '@'] = SEEN,
    ['A' ... 'F'] = HEX,
    ['G' ... 'Z'] = BOTH,
    ['[' ... ']'] = SEEN,
    ['^'] = MARK,
    ['_'] = BOTH,
    ['`'] = MARK,
    ['a' ... 'f'] = HEX,
    ['g' ... 'z'] = BOTH,
    ['{'] = SEEN,
    ['|'] = MARK,
    ['}'] = SEEN,
    ['~'] = BOTH,
    [0x80 ... 0xff] = TEXT,
};

size_t
ql__http_span(const char *s, size_t n, int class)
{
    size_t i = 0;

    while (i < n && ql__http_is(s[i], class)) {
        i++;
    }
    return i;
}

/* The top bit of each of the eight bytes that is below 0x20, or 0x7f; above
 * the lowest such byte it may be of others, too. */
static uint64_t
controls(uint64_t bytes)
{
    const uint64_t ones = UINT64_MAX / 0xff;
    uint64_t deletes = bytes ^ (ones * 0x7f);

    return (((bytes - ones * 0x20) & ~bytes) | ((deletes - ones) & ~deletes))
         & (ones * 0x80);
}

size_t
ql__http_span_text(const char *s, size_t n)
{
    size_t i = 0;
    uint64_t bytes, found;

    while (n - i >= sizeof(bytes)) {
        memcpy(&bytes, s + i, sizeof(bytes));
        found = controls(le64toh(bytes));
        if (found == 0) {
            i += sizeof(bytes);
            continue;
        }
        i += (size_t) __builtin_ctzll(found) / 8;
        if (s[i] != '\t') {
            return i;
        }
        i++;
    }
    return i + ql__http_span(s + i, n - i, QL_HTTP_TEXT);
}
