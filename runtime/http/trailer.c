/*
 * trailer.c: fields behind a chunked body (RFC 9112, 7.1.2).
 */
#include "message.h"

#include "chars.h"

#include <string.h>
#include <strings.h>

/* What frames, routes or explains a message, or says who sent it, is known
 * before its body or never. */
static bool
refused(const char *name, uint32_t n)
{
    static const char *const names[] = {
        "content-length",
        "transfer-encoding",
        "host",
        "connection",
        "upgrade",
        "te",
        "trailer",
        "expect",
        "content-encoding",
        "content-type",
        "content-range",
        "authorization",
        "cookie",
        "set-cookie",
        "cache-control",
        "proxy-connection",
        "proxy-authorization",
        "keep-alive",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == n && strncasecmp(names[i], name, n) == 0) {
            return true;
        }
    }
    return false;
}

int
ql__http_trailer(ql_http_message_t *m, const char *s, uint32_t at,
                 uint32_t size)
{
    unsigned next = (unsigned) m->count + m->trailers;
    uint32_t end = at + size - 2;
    uint32_t name = (uint32_t) ql__http_span(s + at, size, QL_HTTP_TCHAR);
    uint32_t value = at + name + 1;

    if (size < 2 || s[end] != '\r' || name == 0 || s[at + name] != ':'
        || ql__http_span(s + value, end - value, QL_HTTP_TEXT) != end - value)
    {
        return ql__http_refuse(m, 400, "bad trailer");
    }
    if (refused(s + at, name)) {
        return ql__http_refuse(m, 400, "trailer that must not be");
    }
    if (next >= m->limits->fields || next >= QL_HTTP_FIELDS) {
        return ql__http_refuse(m, 431, "too many fields");
    }
    value += (uint32_t) ql__http_span(s + value, end - value, QL_HTTP_BLANK);
    while (end > value && ql__http_is(s[end - 1], QL_HTTP_BLANK)) {
        end--;
    }
    m->fields[next].name = (ql_http_span_t){at, name};
    m->fields[next].value = (ql_http_span_t){value, end - value};
    m->trailers++;
    return NGX_OK;
}
