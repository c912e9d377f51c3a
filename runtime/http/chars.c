/*
 * chars.c: classes of bytes.
 */
#include "chars.h"

enum {
    TEXT = QL_HTTP_TEXT,
    SEEN = QL_HTTP_TEXT | QL_HTTP_TARGET,
    NAME = SEEN | QL_HTTP_REGNAME,
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
    ['$' ... '\''] = BOTH,
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
