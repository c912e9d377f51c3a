/*
 * body.c: the bytes behind a head, without what frames them. All of it is
 * exact: llhttp would take a bare LF behind a chunk's size.
 */
#include "message.h"

#include "chars.h"

#include <string.h>

enum {
    SIZE,
    DATA,
    DATA_END,
    TRAILERS
};

/* Of n bytes that begin a line, how many it has with its CR LF; 0: its end has
 * not come. */
static uint32_t
line_size(ql_http_message_t *m, const char *s, uint32_t n)
{
    const char *end = NULL;

    if (n > m->scanned) { /* s may be NULL when there is nothing */
        end = memchr(s + m->scanned, '\n', n - m->scanned);
    }
    if (end == NULL) {
        m->scanned = n;
        return 0;
    }
    m->scanned = 0;
    return (uint32_t) (end - s) + 1;
}

/* [blanks] ";" ...: nobody here knows one, they are only counted */
static int
extension(ql_http_message_t *m, const char *s, uint32_t n)
{
    size_t blanks = ql__http_span(s, n, QL_HTTP_BLANK);

    m->extra += n;
    if (n == 0) {
        return NGX_OK;
    }
    if (blanks == n || s[blanks] != ';'
        || ql__http_span(s, n, QL_HTTP_TEXT) != n) {
        return ql__http_refuse(m, 400, "bad chunk extension");
    }
    if (n > QL_HTTP_EXTENSION_LINE || m->extra > QL_HTTP_EXTENSIONS) {
        return ql__http_refuse(m, 400, "chunk extensions too large");
    }
    return NGX_OK;
}

static unsigned
hex(char c)
{
    return ql__http_is(c, QL_HTTP_DIGIT) ? (unsigned) (c - '0')
                                         : (unsigned) (c | 0x20) - 'a' + 10;
}

/* size [extensions] CR LF */
static int
size_line(ql_http_message_t *m, const char *s, uint32_t n, uint32_t *used)
{
    enum {
        MOST = QL_HTTP_SIZE_DIGITS + QL_HTTP_EXTENSION_LINE + 2
    };
    uint32_t size = line_size(m, s, n < MOST ? n : MOST);
    uint32_t digits;
    uint64_t left = 0;

    if (size == 0) {
        return n < MOST ? NGX_AGAIN
                        : ql__http_refuse(m, 400, "chunk's line too long");
    }
    digits = (uint32_t) ql__http_span(s, size, QL_HTTP_HEX);
    if (digits == 0 || digits > QL_HTTP_SIZE_DIGITS || size < digits + 2
        || s[size - 2] != '\r')
    {
        return ql__http_refuse(m, 400, "bad chunk size");
    }
    for (uint32_t i = 0; i < digits; i++) {
        left = left << 4 | hex(s[i]);
    }
    if (left > INT64_MAX) {
        return ql__http_refuse(m, 400, "chunk too large");
    }
    m->left = left;
    m->state = left > 0 ? DATA : TRAILERS;
    *used += size;
    return extension(m, s + digits, size - digits - 2);
}

static int
data_end(ql_http_message_t *m, const char *s, uint32_t n, uint32_t *used)
{
    if ((n > 0 && s[0] != '\r') || (n > 1 && s[1] != '\n')) {
        return ql__http_refuse(m, 400, "chunk longer than its size");
    }
    if (n < 2) {
        return NGX_AGAIN;
    }
    m->state = SIZE;
    *used += 2;
    return NGX_OK;
}

/* Every trailer is known: they are of the last bytes of the message, from
 * `at` on. */
static int
finish(ql_http_message_t *m, uint32_t at)
{
    for (unsigned i = m->count; i < (unsigned) m->count + m->trailers; i++) {
        m->fields[i].name.at += at;
        m->fields[i].value.at += at;
    }
    m->ended = 1;
    return NGX_DONE;
}

/* Line by line, as each is complete; they are used together, once the last
 * has come. */
static int
trailers(ql_http_message_t *m, const char *s, uint32_t n, uint32_t *used)
{
    uint32_t most = n < m->limits->head ? n : m->limits->head;
    uint32_t at, size;

    for (;;) {
        at = m->line;
        size = line_size(m, s + at, most - at);
        if (size == 0) {
            return n < m->limits->head
                     ? NGX_AGAIN
                     : ql__http_refuse(m, 431, "trailers too large");
        }
        m->line += size;
        if (size == 2 && s[at] == '\r') {
            at = *used;
            *used += m->line;
            return finish(m, at);
        }
        if (ql__http_trailer(m, s, at, size) != NGX_OK) {
            return NGX_ERROR;
        }
    }
}

static int
step(ql_http_message_t *m, const char *data, uint32_t n, uint32_t *used)
{
    const char *s = data + *used;

    n -= *used;
    switch (m->state) {
    case SIZE:
        return size_line(m, s, n, used);
    case DATA_END:
        return data_end(m, s, n, used);
    default:
        return trailers(m, s, n, used);
    }
}

static void
take(ql_http_message_t *m, uint32_t n, uint32_t *used, ql_http_span_t *piece)
{
    piece->at = *used;
    piece->size = n - *used;
    if (!m->until_eof) {
        piece->size = m->left < piece->size ? (uint32_t) m->left : piece->size;
        m->left -= piece->size;
    }
    *used += piece->size;
}

/* One chunk's data at most; with it what frames it, as far as it has come. */
static int
chunked(ql_http_message_t *m, const char *data, uint32_t n, uint32_t *used,
        ql_http_span_t *piece)
{
    int rc = NGX_OK;

    while (rc == NGX_OK) {
        if (m->state != DATA) {
            rc = step(m, data, n, used);
        } else if (piece->size > 0) {
            return NGX_OK;
        } else if (*used == n) {
            return NGX_AGAIN;
        } else {
            take(m, n, used, piece);
            m->state = m->left > 0 ? DATA : DATA_END;
        }
    }
    return rc == NGX_DONE || piece->size == 0 ? rc : NGX_OK;
}

int
ql_http_body(ql_http_message_t *m, const char *data, uint32_t n, uint32_t *used,
             ql_http_span_t *piece)
{
    *used = 0;
    *piece = (ql_http_span_t){0, 0};
    if (m->error != 0 || m->size == 0) {
        return NGX_ERROR;
    }
    if (m->ended) {
        return NGX_DONE;
    }
    if (m->chunked) {
        return chunked(m, data, n, used, piece);
    }
    take(m, n, used, piece);
    if (!m->until_eof && m->left == 0) {
        m->ended = 1;
        return NGX_DONE;
    }
    return piece->size > 0 ? NGX_OK : NGX_AGAIN;
}

int
ql_http_eof(ql_http_message_t *m)
{
    if (m->error != 0) {
        return NGX_ERROR;
    }
    if (!m->ended && !m->until_eof) {
        return ql__http_refuse(m, 400, "cut");
    }
    m->ended = 1;
    return NGX_OK;
}
