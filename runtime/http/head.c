/*
 * head.c: the head of a message. Most requests' are plain (plain.c); of all
 * others the start line is looked at as a whole; then
 * llhttp takes the bytes as they come, and its callbacks only note where spans
 * are. llhttp is lenient about what stands between the spans (folded lines, a
 * bare LF): fields.c proves that they tile the head.
 */
#include "message.h"

#include "chars.h"
#include "out.h"

#include <string.h>

enum {
    VERSION = 8 /* bytes of "HTTP/1.1" */
};

static ql_http_message_t *
message_of(llhttp_t *parser)
{
    return (ql_http_message_t *) parser; /* its first member */
}

/* Only once the whole name is there: it may be none. */
static int
too_many(ql_http_message_t *m, const char *end)
{
    if (end == m->end) {
        return 0;
    }
    ql__http_refuse(m, 431, "too many fields");
    return HPE_USER;
}

static int
on_field(llhttp_t *parser, const char *at, size_t n)
{
    ql_http_message_t *m = message_of(parser);
    ql_http_span_t *name;

    if (m->count > 0 && !m->in_value) {
        m->fields[m->count - 1].name.size += (uint32_t) n;
        return 0;
    }
    if (m->count >= m->limits->fields || m->count >= QL_HTTP_FIELDS) {
        return too_many(m, at + n);
    }
    m->in_value = 0;
    name = &m->fields[m->count++].name;
    name->at = (uint32_t) (at - m->data);
    name->size = (uint32_t) n;
    return 0;
}

/* A folded value goes on elsewhere than where it stopped: what is added is left
 * out, and no field follows the first line. */
static int
on_value(llhttp_t *parser, const char *at, size_t n)
{
    ql_http_message_t *m = message_of(parser);
    uint32_t start = (uint32_t) (at - m->data);
    ql_http_span_t *value = &m->fields[m->count - 1].value;

    if (!m->in_value) {
        m->in_value = 1;
        value->at = start;
        value->size = (uint32_t) n;
        return 0;
    }
    if (start == value->at + value->size) {
        value->size += (uint32_t) n;
    }
    return 0;
}

static int
on_complete(llhttp_t *parser)
{
    (void) parser;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_complete,
};

#ifdef QL_HTTP_SSE42
/* llhttp's, compiled for SSE4.2. */
int ql__sse42_llhttp__internal_execute(llhttp_t *parser, const char *data,
                                       const char *end);
#endif

static llhttp_errno_t
execute(llhttp_t *parser, const char *data, size_t n)
{
#ifdef QL_HTTP_SSE42
    if (__builtin_cpu_supports("sse4.2")) {
        return (llhttp_errno_t) ql__sse42_llhttp__internal_execute(parser, data,
                                                                   data + n);
    }
#endif
    return llhttp_execute(parser, data, n);
}

static int
version(ql_http_message_t *m, const char *s)
{
    if (memcmp(s, "HTTP/", 5) != 0 || !ql__http_is(s[5], QL_HTTP_DIGIT)
        || s[6] != '.' || !ql__http_is(s[7], QL_HTTP_DIGIT))
    {
        return ql__http_refuse(m, 400, "bad version");
    }
    if (s[5] != '1') {
        return ql__http_refuse(m, 505, "unknown version");
    }
    m->minor = s[7] != '0'; /* RFC 9110, 2.5: the highest one that is known */
    return NGX_OK;
}

/* method SP target SP version */
static int
request_line(ql_http_message_t *m, const char *data, uint32_t n)
{
    const char *line = data + m->begin;
    size_t method = ql__http_span(line, n, QL_HTTP_TCHAR);

    if (method == 0 || method == n || line[method] != ' '
        || n < method + 1 + VERSION)
    {
        return ql__http_refuse(m, 400, "bad request line");
    }
    m->target.at = m->begin + (uint32_t) method + 1;
    if (version(m, line + n - VERSION) != NGX_OK) {
        return NGX_ERROR;
    }
    if (n < method + 3 + VERSION || line[n - VERSION - 1] != ' ') {
        return ql__http_refuse(m, 400, "bad request line");
    }
    m->target.size = n - (uint32_t) method - 2 - VERSION;
    if (ql__http_span(data + m->target.at, m->target.size, QL_HTTP_TARGET)
        != m->target.size)
    {
        return ql__http_refuse(m, 400, "bad character in the target");
    }
    return NGX_OK;
}

/* version SP 3DIGIT [SP reason]: the last blank is missed by many servers */
static int
status_line(ql_http_message_t *m, const char *data, uint32_t n)
{
    const char *line = data + m->begin;

    if (n < VERSION + 4) {
        return ql__http_refuse(m, 400, "bad status line");
    }
    if (version(m, line) != NGX_OK) {
        return NGX_ERROR;
    }
    if (line[VERSION] != ' '
        || ql__http_span(line + VERSION + 1, 3, QL_HTTP_DIGIT) != 3
        || line[VERSION + 1] == '0' || (n > 12 && line[12] != ' ')
        || !ql_http_value(line + 12, n - 12))
    {
        return ql__http_refuse(m, 400, "bad status line");
    }
    m->status = (uint16_t) ((line[9] - '0') * 100 + (line[10] - '0') * 10
                            + (line[11] - '0'));
    if (n > 13) {
        m->reason.at = m->begin + 13;
        m->reason.size = n - 13;
    }
    return NGX_OK;
}

static int
begin(ql_http_message_t *m, const char *data, uint32_t n)
{
    llhttp_init(&m->parser,
                m->kind == QL_HTTP_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE,
                &settings);
    m->parser.lenient_flags = LENIENT_VERSION;
    m->in_line = 1;
    m->parsed = m->begin;
    return m->kind == QL_HTTP_REQUEST ? request_line(m, data, n)
                                      : status_line(m, data, n);
}

/* Waits for the whole line, so that what it is refused for does not depend on
 * how much of it has come. One empty line before a request is skipped. */
static int
start_line(ql_http_message_t *m, const char *data, uint32_t n)
{
    const char *end;

    if (m->kind == QL_HTTP_REQUEST && m->begin == 0 && n > 0 && data[0] == '\r')
    {
        if (n == 1) {
            return NGX_AGAIN;
        }
        m->begin = m->parsed = data[1] == '\n' ? 2 : 0;
    }
    if (n > m->begin && !ql__http_is(data[m->begin], QL_HTTP_TCHAR)) {
        return ql__http_refuse(m, 400, "bad start line");
    }
    end = NULL;
    if (n > m->parsed) { /* data may be NULL when there is nothing */
        end = memchr(data + m->parsed, '\n', n - m->parsed);
    }
    if (end == NULL) {
        m->parsed = n;
        if (n - m->begin > m->limits->line + 1) {
            return ql__http_refuse(m, 414, "start line too long");
        }
        return NGX_AGAIN;
    }
    m->first = (uint32_t) (end - data) + 1;
    n = m->first - 1 - m->begin;
    if (n > m->limits->line + 1) {
        return ql__http_refuse(m, 414, "start line too long");
    }
    if (n == 0 || end[-1] != '\r') {
        return ql__http_refuse(m, 400, "bare LF");
    }
    return begin(m, data, n - 1);
}

static int
refuse_parsed(ql_http_message_t *m, llhttp_errno_t err)
{
    if (m->error != 0) {
        return NGX_ERROR; /* a callback has said what it is */
    }
    switch (err) {
    case HPE_INVALID_METHOD:
    case HPE_INVALID_CONSTANT: /* these two of a method of another protocol: */
    case HPE_INVALID_VERSION:  /* the version has been seen to be good */
    case HPE_PAUSED_H2_UPGRADE:
        return ql__http_refuse(m, 501, "unknown method");
    case HPE_INVALID_URL:
        return ql__http_refuse(m, 400, "bad target");
    case HPE_INVALID_CONTENT_LENGTH:
        return ql__http_refuse(m, 400, "bad Content-Length");
    case HPE_UNEXPECTED_CONTENT_LENGTH:
        return ql__http_refuse(m, 400, "Content-Length that must not be");
    case HPE_INVALID_TRANSFER_ENCODING:
        return ql__http_refuse(m, 400, "bad Transfer-Encoding");
    default:
        return ql__http_refuse(m, 400, "bad field");
    }
}

/* The end is not asked of llhttp: fields.c finds it. */
static int
complete(ql_http_message_t *m, const char *data, uint32_t n)
{
    m->method = m->parser.method;
    if (m->kind == QL_HTTP_REQUEST && ql__http_target(m, data) != NGX_OK) {
        return NGX_ERROR;
    }
    return ql__http_fields(m, data, n);
}

int
ql_http_head(ql_http_message_t *m, const char *data, uint32_t n)
{
    uint32_t limit = m->limits->head;
    uint32_t end;
    llhttp_errno_t err;
    int rc;

    if (m->error != 0) {
        return NGX_ERROR;
    }
    if (m->parsed == 0 && ql__http_plain(m, data, n)) {
        return NGX_OK;
    }
    if (!m->in_line) {
        rc = start_line(m, data, n);
        if (rc != NGX_OK) {
            return rc;
        }
    }
    end = n - m->begin < limit ? n : m->begin + limit;
    m->data = data;
    m->end = data + end;
    err = execute(&m->parser, data + m->parsed, end - m->parsed);
    m->data = m->end = NULL;
    if (err == HPE_PAUSED) {
        return complete(m, data, end);
    }
    if (err != HPE_OK) {
        return refuse_parsed(m, err);
    }
    m->parsed = end;
    if (n - m->begin >= limit) {
        return ql__http_refuse(m, 431, "head too large");
    }
    return NGX_AGAIN;
}
