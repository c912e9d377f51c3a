/*
 * judge.c: heads that must not be taken, told from their lines.
 */
#include "message.h"

#include <string.h>
#include <strings.h>

typedef struct {
    unsigned fields, lengths, encodings, hosts;
} seen_t;

static bool
named(const char *line, size_t n, const char *name)
{
    size_t size = strlen(name);

    return n > size && strncasecmp(line, name, size) == 0 && line[size] == ':';
}

/* One line without its end. */
static void
judge_field(seen_t *seen, const char *line, size_t n)
{
    const char *colon = memchr(line, ':', n);

    FUZZ_ASSERT(colon != NULL && colon > line);
    for (const char *c = line; c < colon; c++) {
        FUZZ_ASSERT(*c > ' ' && *c < 127
                    && strchr("()<>@,;\\\"/[]?={}", *c) == NULL);
    }
    seen->fields++;
    seen->lengths += named(line, n, "content-length");
    seen->encodings += named(line, n, "transfer-encoding");
    seen->hosts += named(line, n, "host");
}

/* Every line ends by CR LF, and nothing else is a control character. */
static void
judge_bytes(const char *head, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t c = (uint8_t) head[i];

        if (c == '\r') {
            FUZZ_ASSERT(i + 1 < n && head[i + 1] == '\n');
        } else if (c == '\n') {
            FUZZ_ASSERT(i > 0 && head[i - 1] == '\r');
        } else {
            FUZZ_ASSERT((c >= ' ' || c == '\t') && c != 127);
        }
    }
}

static void
judge_seen(const ql_http_message_t *m, const seen_t *seen)
{
    FUZZ_ASSERT(seen->fields == m->count);
    FUZZ_ASSERT(seen->lengths + seen->encodings <= 1);
    FUZZ_ASSERT(m->has_length == seen->lengths
                && m->chunked == seen->encodings);
    if (m->kind == QL_HTTP_REQUEST) {
        FUZZ_ASSERT(seen->hosts == 1 || (seen->hosts == 0 && !m->minor));
    }
    FUZZ_ASSERT(m->minor || !m->chunked);
}

static void
judge_spans(const ql_http_message_t *m)
{
    const ql_http_span_t spans[] = {m->target, m->path, m->query, m->host,
                                    m->reason};

    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        FUZZ_ASSERT(spans[i].at <= m->size
                    && spans[i].size <= m->size - spans[i].at);
    }
    for (unsigned i = 0; i < m->count; i++) {
        const ql_http_field_t *f = &m->fields[i];

        FUZZ_ASSERT(f->name.size > 0 && f->name.at < m->size
                    && f->value.at >= f->name.at + f->name.size + 1
                    && f->value.at + f->value.size <= m->size - 4);
    }
}

void
fuzz_judge(const fuzz_result_t *result, const uint8_t *data)
{
    const ql_http_message_t *m = &result->message;
    const char *head = (const char *) data;
    size_t at = m->begin;
    size_t lines = 0;
    seen_t seen = {0, 0, 0, 0};

    FUZZ_ASSERT((result->head == NGX_ERROR || result->body == NGX_ERROR)
                == (m->error != 0));
    if (result->head != NGX_OK) {
        return;
    }
    judge_bytes(head, m->size);
    FUZZ_ASSERT(m->size >= 4 && memcmp(head + m->size - 4, "\r\n\r\n", 4) == 0);
    for (; at < m->size - 2; lines++) {
        const char *end = memchr(head + at, '\r', m->size - at);
        size_t n = (size_t) (end - head) - at;

        if (lines > 0) {
            judge_field(&seen, head + at, n);
        }
        at += n + 2;
    }
    judge_seen(m, &seen);
    judge_spans(m);
}
