/*
 * out.c: names, values, reasons, numbers and dates of a head.
 */
#include "out.h"

#include "chars.h"

#include <string.h>

static const char *const reasons[] = {
    [100] = "Continue",
    [101] = "Switching Protocols",
    [102] = "Processing",
    [103] = "Early Hints",
    [200] = "OK",
    [201] = "Created",
    [202] = "Accepted",
    [203] = "Non-Authoritative Information",
    [204] = "No Content",
    [205] = "Reset Content",
    [206] = "Partial Content",
    [207] = "Multi-Status",
    [208] = "Already Reported",
    [226] = "IM Used",
    [300] = "Multiple Choices",
    [301] = "Moved Permanently",
    [302] = "Found",
    [303] = "See Other",
    [304] = "Not Modified",
    [305] = "Use Proxy",
    [307] = "Temporary Redirect",
    [308] = "Permanent Redirect",
    [400] = "Bad Request",
    [401] = "Unauthorized",
    [402] = "Payment Required",
    [403] = "Forbidden",
    [404] = "Not Found",
    [405] = "Method Not Allowed",
    [406] = "Not Acceptable",
    [407] = "Proxy Authentication Required",
    [408] = "Request Timeout",
    [409] = "Conflict",
    [410] = "Gone",
    [411] = "Length Required",
    [412] = "Precondition Failed",
    [413] = "Content Too Large",
    [414] = "URI Too Long",
    [415] = "Unsupported Media Type",
    [416] = "Range Not Satisfiable",
    [417] = "Expectation Failed",
    [418] = "I'm a teapot",
    [421] = "Misdirected Request",
    [422] = "Unprocessable Content",
    [423] = "Locked",
    [424] = "Failed Dependency",
    [425] = "Too Early",
    [426] = "Upgrade Required",
    [428] = "Precondition Required",
    [429] = "Too Many Requests",
    [431] = "Request Header Fields Too Large",
    [451] = "Unavailable For Legal Reasons",
    [500] = "Internal Server Error",
    [501] = "Not Implemented",
    [502] = "Bad Gateway",
    [503] = "Service Unavailable",
    [504] = "Gateway Timeout",
    [505] = "HTTP Version Not Supported",
    [506] = "Variant Also Negotiates",
    [507] = "Insufficient Storage",
    [508] = "Loop Detected",
    [510] = "Not Extended",
    [511] = "Network Authentication Required",
};

bool
ql_http_token(const char *s, size_t n)
{
    return n > 0 && ql__http_span(s, n, QL_HTTP_TCHAR) == n;
}

bool
ql_http_value(const char *s, size_t n)
{
    return ql__http_span_text(s, n) == n;
}

const char *
ql_http_reason(unsigned status)
{
    if (status >= sizeof(reasons) / sizeof(reasons[0]) || !reasons[status]) {
        return "";
    }
    return reasons[status];
}

char *
ql_http_number(char *to, uint64_t n)
{
    char *end = to + 1;

    for (uint64_t rest = n; rest >= 10; rest /= 10) {
        end++;
    }
    for (char *at = end; at > to; n /= 10) {
        *--at = (char) ('0' + n % 10);
    }
    return end;
}

static void
digits(char *to, unsigned n, int count)
{
    for (int i = count; i-- > 0; n /= 10) {
        to[i] = (char) ('0' + n % 10);
    }
}

/* Whatever the locale: no strftime. */
void
ql_http_date(char to[QL_HTTP_DATE + 1], time_t t)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm;

    memcpy(to, "Thu, 01 Jan 1970 00:00:00 GMT", QL_HTTP_DATE + 1);
    if (gmtime_r(&t, &tm) == NULL || tm.tm_year < -1900 || tm.tm_year > 8099) {
        return;
    }
    memcpy(to, days + (ptrdiff_t) 3 * tm.tm_wday, 3);
    digits(to + 5, (unsigned) tm.tm_mday, 2);
    memcpy(to + 8, months + (ptrdiff_t) 3 * tm.tm_mon, 3);
    digits(to + 12, (unsigned) (tm.tm_year + 1900), 4);
    digits(to + 17, (unsigned) tm.tm_hour, 2);
    digits(to + 20, (unsigned) tm.tm_min, 2);
    digits(to + 23, (unsigned) tm.tm_sec, 2);
}

const char *
ql_http_clock(ql_http_clock_t *clock, time_t now)
{
    if (clock->text[0] == '\0' || clock->second != now) {
        clock->second = now;
        ql_http_date(clock->text, now);
    }
    return clock->text;
}
