/*
 * target.c: the target of a request (RFC 9112, 3.2) and the host it is for.
 */
#include "message.h"

#include "chars.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static bool
bracketed(const char *s, size_t n)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr addr;

    if (n < 2 || n - 2 >= sizeof(text)) {
        return false;
    }
    memcpy(text, s + 1, n - 2);
    text[n - 2] = '\0';
    return inet_pton(AF_INET6, text, &addr) == 1;
}

/* Where the name ends that begins at s; NULL: a "%" that no two digits follow.
 * Behind all that is asked of is a byte that is of no name. */
static const char *
regname(const char *s)
{
    for (;; s += 3) {
        s = ql__http_skip(s, QL_HTTP_HOST);
        if (*s != '%') {
            return s;
        }
        if (!ql__http_is(s[1], QL_HTTP_HEX) || !ql__http_is(s[2], QL_HTTP_HEX))
        {
            return NULL;
        }
    }
}

bool
ql__http_authority(const char *s, size_t n)
{
    const char *end = s + n, *at;

    if (n > 0 && s[0] == '[') {
        at = memchr(s, ']', n);
        if (at == NULL || !bracketed(s, (size_t) (at - s) + 1)) {
            return false;
        }
        at++;
    } else {
        at = regname(s);
    }
    if (at == NULL || at == end) {
        return at == end;
    }
    return at > s && *at == ':' && end - at <= 6
        && ql__http_skip(at + 1, QL_HTTP_DIGIT) == end;
}

static ql_http_span_t
span(size_t at, size_t end)
{
    return (ql_http_span_t){(uint32_t) at, (uint32_t) (end - at)};
}

/* From `at` to the target's end: path ["?" query]. */
static int
split(ql_http_message_t *m, const char *data, uint32_t at)
{
    uint32_t end = m->target.at + m->target.size;
    const char *mark = memchr(data + at, '?', end - at);

    m->path = span(at, mark != NULL ? (size_t) (mark - data) : end);
    if (mark != NULL) {
        m->query = span((size_t) (mark - data) + 1, end);
    }
    return NGX_OK;
}

/* http://host[:port][path]; nobody's name in it */
static int
absolute(ql_http_message_t *m, const char *data)
{
    const char *s = data + m->target.at;
    uint32_t n = m->target.size;
    uint32_t scheme, end;

    if (n > 7 && strncasecmp(s, "http://", 7) == 0) {
        scheme = 7;
    } else if (n > 8 && strncasecmp(s, "https://", 8) == 0) {
        scheme = 8;
        m->secure = 1;
    } else {
        return ql__http_refuse(m, 400, "bad target");
    }
    for (end = scheme; end < n && s[end] != '/' && s[end] != '?';) {
        end++;
    }
    if (end == scheme || !ql__http_authority(s + scheme, end - scheme)) {
        return ql__http_refuse(m, 400, "bad host in the target");
    }
    m->absolute = 1;
    m->host = span(m->target.at + scheme, m->target.at + end);
    return split(m, data, m->target.at + end);
}

/* host ":" port, both */
static int
authority(ql_http_message_t *m, const char *data)
{
    const char *s = data + m->target.at;
    uint32_t n = m->target.size;

    if (!ql__http_authority(s, n) || !ql__http_is(s[n - 1], QL_HTTP_DIGIT)
        || memrchr(s, ':', n) == NULL || s[n - 1] == ']')
    {
        return ql__http_refuse(m, 400, "bad target of CONNECT");
    }
    m->host = m->target;
    m->path = span(m->target.at + n, m->target.at + n);
    return NGX_OK;
}

int
ql__http_target(ql_http_message_t *m, const char *data)
{
    const char *s = data + m->target.at;
    uint32_t n = m->target.size;

    if (m->method == HTTP_CONNECT) {
        return authority(m, data);
    }
    if (s[0] == '/') {
        return split(m, data, m->target.at);
    }
    if (n == 1 && s[0] == '*') {
        if (m->method != HTTP_OPTIONS) {
            return ql__http_refuse(m, 400, "target * of another method");
        }
        m->path = m->target;
        return NGX_OK;
    }
    return absolute(m, data);
}
