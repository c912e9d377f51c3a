/*
 * plain.c: the head of a request as nearly all clients send it, in one pass.
 * What is rare in it, or wrong, or has not come yet, leaves all of it to head.c
 * and llhttp; what is taken here they take too, with the same result.
 */
#include "message.h"

#include "chars.h"

#include <string.h>

typedef struct {
    ql_http_message_t *m;
    const char *data;
    const char *at;  /* up to here it is plain */
    const char *end; /* behind the last LF: no class of bytes has that */
    ql__http_seen_t seen;
} scan_t;

static bool
take(scan_t *s, const char *bytes, size_t n)
{
    if ((size_t) (s->end - s->at) < n || memcmp(s->at, bytes, n) != 0) {
        return false;
    }
    s->at += n;
    return true;
}

static ql_http_span_t
span(const scan_t *s, const char *from)
{
    return (ql_http_span_t){(uint32_t) (from - s->data),
                            (uint32_t) (s->at - from)};
}

static bool
method(scan_t *s)
{
    static const struct {
        char text[8];
        uint8_t size;
        uint8_t number;
    } methods[] = {{"GET ", 4, HTTP_GET},        {"POST ", 5, HTTP_POST},
                   {"HEAD ", 5, HTTP_HEAD},      {"PUT ", 4, HTTP_PUT},
                   {"DELETE ", 7, HTTP_DELETE},  {"PATCH ", 6, HTTP_PATCH},
                   {"OPTIONS ", 8, HTTP_OPTIONS}};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (take(s, methods[i].text, methods[i].size)) {
            s->m->method = methods[i].number;
            return true;
        }
    }
    return false;
}

static bool
request_line(scan_t *s)
{
    const char *target;

    if (!method(s) || *s->at != '/') {
        return false;
    }
    target = s->at;
    s->at = ql__http_skip(target, QL_HTTP_TARGET);
    s->m->target = span(s, target);
    s->m->minor = 1;
    return take(s, " HTTP/1.1\r\n", 11)
        && s->at - s->data - 2 <= (ptrdiff_t) s->m->limits->line;
}

/* name ":" [blanks] value CR LF */
static bool
field_line(scan_t *s, ql_http_field_t *f)
{
    const char *begin = s->at;

    s->at = ql__http_skip(begin, QL_HTTP_TCHAR);
    f->name = span(s, begin);
    if (f->name.size == 0 || *s->at != ':') {
        return false;
    }
    begin = s->at = ql__http_skip(s->at + 1, QL_HTTP_BLANK);
    s->at += ql__http_span_text(begin, (size_t) (s->end - begin));
    f->value = span(s, begin);
    return !ql__http_is(s->at[-1], QL_HTTP_BLANK) && take(s, "\r\n", 2);
}

static bool
same(const scan_t *s, ql_http_span_t token, const char *known)
{
    return ql__http_same(s->data + token.at, known, token.size);
}

static bool
connection(scan_t *s, ql_http_span_t value)
{
    s->seen.connections++;
    if (value.size == 10 && same(s, value, "keep-alive")) {
        s->m->parser.flags |= F_CONNECTION_KEEP_ALIVE;
        return true;
    }
    s->m->parser.flags |= F_CONNECTION_CLOSE;
    return value.size == 5 && same(s, value, "close");
}

/* Those that llhttp looks into are plain only as far as that needs no look. */
static bool
meaning(scan_t *s, const ql_http_field_t *f)
{
    switch (f->name.size) {
    case 4:
    case 6:
    case 14:
        return ql__http_field(s->m, s->data, f, &s->seen) == NGX_OK;
    case 7:
        return !same(s, f->name, "upgrade");
    case 10:
        return !same(s, f->name, "connection") || connection(s, f->value);
    case 16:
        return !same(s, f->name, "proxy-connection");
    case 17:
        return !same(s, f->name, "transfer-encoding");
    default:
        return true;
    }
}

static bool
fields(scan_t *s)
{
    ql_http_message_t *m = s->m;

    while (!take(s, "\r\n", 2)) {
        ql_http_field_t *f = &m->fields[m->count];

        if (s->at == s->end || m->count >= m->limits->fields
            || m->count >= QL_HTTP_FIELDS || !field_line(s, f)
            || !meaning(s, f))
        {
            return false;
        }
        m->count++;
    }
    return ql__http_head_end(m, &s->seen, (uint32_t) (s->at - s->data))
        == NGX_OK;
}

/* The same as before, or others. */
static bool
rest(scan_t *s)
{
    ql_http_message_t *m = s->m;
    ql_http_block_t *b = m->block;

    m->first = (uint32_t) (s->at - s->data);
    if (b == NULL) {
        return fields(s);
    }
    if (ql__http_block_take(b, m, s->data, (uint32_t) (s->end - s->data))) {
        return true;
    }
    if (!fields(s)) {
        return false;
    }
    ql__http_block_keep(b, m, s->data);
    return true;
}

bool
ql__http_plain(ql_http_message_t *m, const char *data, uint32_t n)
{
    uint32_t most = n < m->limits->head ? n : m->limits->head;
    const char *last = n > 0 ? memrchr(data, '\n', most) : NULL;
    ql_http_block_t *block = m->block;
    scan_t s = {.m = m, .data = data, .at = data};

    if (m->kind != QL_HTTP_REQUEST || last == NULL) {
        return false;
    }
    s.end = last + 1;
    if (request_line(&s) && ql__http_target(m, data) == NGX_OK && rest(&s)) {
        m->in_line = 1;
        return true;
    }
    ql_http_message_init(m, m->kind, m->limits);
    m->block = block;
    return false;
}
