/*
 * fields.c: the fields of a complete head. Each begins right behind the end of
 * the line before it, its colon stands right behind its name: what llhttp has
 * skipped in between was nothing else. Then what they say of the message.
 */
#include "message.h"

#include "chars.h"

#include <string.h>
#include <strings.h>

static int
length(ql_http_message_t *m, const char *s, uint32_t n)
{
    if (n == 0 || n > 18 || ql__http_span(s, n, QL_HTTP_DIGIT) != n) {
        return ql__http_refuse(m, 400, "bad Content-Length");
    }
    m->has_length = 1;
    m->length = 0;
    for (uint32_t i = 0; i < n; i++) {
        m->length = m->length * 10 + (uint64_t) (s[i] - '0');
    }
    return NGX_OK;
}

/* "gzip, chunked" could be framed, but nobody here unpacks it: 501. All other
 * than "chunked" has no known end: 400. */
static int
encoding(ql_http_message_t *m, const char *s, uint32_t n)
{
    uint32_t last = n;

    if (n == 7 && strncasecmp(s, "chunked", 7) == 0) {
        m->chunked = 1;
        return NGX_OK;
    }
    if (n > 9 && strncasecmp(s + n - 7, "chunked", 7) == 0) {
        last = n - 7;
        while (last > 0 && ql__http_is(s[last - 1], QL_HTTP_BLANK)) {
            last--;
        }
    }
    if (last < n && last > 0 && s[last - 1] == ','
        && ql__http_span(s, last - 1, QL_HTTP_TCHAR) == last - 1
        && (last != 8 || strncasecmp(s, "chunked", 7) != 0))
    {
        return ql__http_refuse(m, 501, "unknown Transfer-Encoding");
    }
    return ql__http_refuse(m, 400, "bad Transfer-Encoding");
}

static int
host(ql_http_message_t *m, const char *data, ql_http_span_t value)
{
    if (m->has_host) {
        return ql__http_refuse(m, 400, "several Host");
    }
    if (!ql__http_authority(data + value.at, value.size)) {
        return ql__http_refuse(m, 400, "bad Host");
    }
    m->has_host = 1;
    if (!m->absolute && m->method != HTTP_CONNECT) {
        m->host = value;
    }
    return NGX_OK;
}

static int
expect(ql_http_message_t *m, const char *s, uint32_t n)
{
    if (!m->minor) {
        return NGX_OK; /* not of 1.0 */
    }
    if (n != 12 || strncasecmp(s, "100-continue", 12) != 0) {
        return ql__http_refuse(m, 417, "unknown Expect");
    }
    m->expect = 1;
    return NGX_OK;
}

int
ql__http_field(ql_http_message_t *m, const char *data, const ql_http_field_t *f,
               ql__http_seen_t *seen)
{
    const char *name = data + f->name.at;
    const char *value = data + f->value.at;

    switch (f->name.size) {
    case 4:
        if (m->kind == QL_HTTP_REQUEST && ql__http_same(name, "host", 4)) {
            return host(m, data, f->value);
        }
        break;
    case 6:
        if (m->kind == QL_HTTP_REQUEST && ql__http_same(name, "expect", 6)) {
            return expect(m, value, f->value.size);
        }
        break;
    case 10:
        seen->connections += ql__http_same(name, "connection", 10);
        break;
    case 14:
        if (ql__http_same(name, "content-length", 14)) {
            seen->lengths++;
            return length(m, value, f->value.size);
        }
        break;
    case 17:
        if (ql__http_same(name, "transfer-encoding", 17)) {
            seen->encodings++;
            return encoding(m, value, f->value.size);
        }
        break;
    }
    return NGX_OK;
}

/* Its line starts at `at`; returns where the next one does, 0 when it is none
 * that stands as it should. An empty value is wherever llhttp has noticed it. */
static uint32_t
line(const char *data, ql_http_field_t *f, uint32_t at)
{
    uint32_t colon = f->name.at + f->name.size;
    ql_http_span_t *v = &f->value;
    uint32_t end;

    if (f->name.at != at || f->name.size == 0 || data[colon] != ':') {
        return 0;
    }
    at = colon + 1;
    while (ql__http_is(data[at], QL_HTTP_BLANK)) {
        at++;
    }
    end = at + v->size;
    if ((v->size > 0 && v->at != at) || data[end] != '\r'
        || data[end + 1] != '\n') {
        return 0;
    }
    v->at = at;
    while (v->size > 0 && ql__http_is(data[at + v->size - 1], QL_HTTP_BLANK)) {
        v->size--;
    }
    return end + 2;
}

/* llhttp takes Proxy-Connection for Connection. */
static void
options(ql_http_message_t *m, const ql__http_seen_t *seen)
{
    unsigned flags = seen->connections > 0 ? m->parser.flags : 0;

    m->keep_alive = !(flags & F_CONNECTION_CLOSE)
                 && (m->minor || (flags & F_CONNECTION_KEEP_ALIVE));
    m->upgrade = m->minor && (flags & F_UPGRADE)
              && (flags & F_CONNECTION_UPGRADE);
}

static int
framing(ql_http_message_t *m, const ql__http_seen_t *seen)
{
    if (seen->lengths + seen->encodings > 1) {
        return ql__http_refuse(m, 400, "two lengths");
    }
    if (m->chunked && !m->minor) {
        return ql__http_refuse(m, 400, "Transfer-Encoding in HTTP/1.0");
    }
    if (m->kind == QL_HTTP_REQUEST) {
        if (!m->has_host && m->minor) {
            return ql__http_refuse(m, 400, "no Host");
        }
        m->ended = !m->chunked && m->length == 0;
    } else if (m->bodyless || m->status < 200 || m->status == 204
               || m->status == 304)
    {
        m->ended = 1;
    } else if (!m->chunked && !m->has_length) {
        m->until_eof = 1;
        m->keep_alive = 0;
    } else {
        m->ended = !m->chunked && m->length == 0;
    }
    m->left = m->chunked ? 0 : m->length;
    return NGX_OK;
}

int
ql__http_head_end(ql_http_message_t *m, const ql__http_seen_t *seen,
                  uint32_t size)
{
    m->size = m->parsed = size;
    options(m, seen);
    return framing(m, seen);
}

int
ql__http_fields(ql_http_message_t *m, const char *data, uint32_t n)
{
    uint32_t at = m->first;
    ql__http_seen_t seen = {0, 0, 0};

    for (ql_http_field_t *f = m->fields; f < m->fields + m->count; f++) {
        at = line(data, f, at);
        if (at == 0) {
            return ql__http_refuse(m, 400, "bad field line");
        }
        if (ql__http_field(m, data, f, &seen) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    if (n - at < 2 || data[at] != '\r' || data[at + 1] != '\n') {
        return ql__http_refuse(m, 400, "bare LF");
    }
    return ql__http_head_end(m, &seen, at + 2);
}
