/*
 * out.h: what may be sent in a head, and the words and dates in it. Response
 * splitting ends here.
 */
#ifndef QUOLL_HTTP_OUT_H
#define QUOLL_HTTP_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum {
    QL_HTTP_DATE = 29 /* bytes of "Sun, 06 Nov 1994 08:49:37 GMT" */
};

/* A field's name, a method: RFC 9110, 5.6.2. */
bool ql_http_token(const char *s, size_t n);
/* A field's value: no control character but HTAB. */
bool ql_http_value(const char *s, size_t n);
/* "OK", "Not Found"; of an unknown status "". */
const char *ql_http_reason(unsigned status);

/* The decimal digits of n, at most 20; returns their end. */
char *ql_http_number(char *to, uint64_t n);

/* With the final zero; years 0 to 9999. */
void ql_http_date(char to[QL_HTTP_DATE + 1], time_t t);

typedef struct {
    time_t second; /* that `text` says */
    char text[QL_HTTP_DATE + 1];
} ql_http_clock_t; /* zeroed before its first use */

/* The date of `now`, formatted once a second. */
const char *ql_http_clock(ql_http_clock_t *clock, time_t now);

#endif
