/*
 * answer.c: heads of answers, and what becomes of the connection behind them.
 */
#include "http.h"

#include "core/sys.h"

#include <llhttp.h>
#include <string.h>
#include <time.h>

static ql_buffers_t *
buffers_of(const ql_http_exchange_t *x)
{
    return &x->config->http->core->buffers;
}

char *
ql__http_room(ql_http_exchange_t *x, size_t n)
{
    ql_buffer_t *out = &x->cork.out;
    char *to;

    if (n > out->cap - out->end
        && (n > UINT32_MAX
            || ql_buffer_room(buffers_of(x), out, (uint32_t) n, QL_BUFFER_MAX)
                   != NGX_OK))
    {
        return NULL;
    }
    to = out->data + out->end;
    out->end += (uint32_t) n;
    return to;
}

int
ql__http_put(ql_http_exchange_t *x, const char *s, size_t n)
{
    char *to;

    if (n == 0) {
        return NGX_OK;
    }
    to = ql__http_room(x, n);
    if (to == NULL) {
        return NGX_ERROR;
    }
    memcpy(to, s, n);
    return NGX_OK;
}

/* ----------------------------------------------------------- our fields ---- */

static char *
append(char *to, const char *s, size_t n)
{
    memcpy(to, s, n);
    return to + n;
}

#define APPEND(to, literal) append(to, literal, sizeof(literal) - 1)

/* The wall clock is read once a second of the loop's. */
static const char *
date(ql_http_t *http)
{
    const ql_loop_t *loop = ql_lua_loop(http->lua);
    uint64_t now = ql_msec(loop);

    if (now >= http->clock_due) {
        struct timespec ts;

        (void) ql_loop_sys(loop)->clock_gettime(CLOCK_REALTIME, &ts);
        http->clock_due = now + 1000 - (uint64_t) ts.tv_nsec / 1000000;
        return ql_http_clock(&http->clock, ts.tv_sec);
    }
    return http->clock.text;
}

static char *
append_connection(const ql_http_exchange_t *x, char *to)
{
    if (!x->keep) {
        return APPEND(to, "Connection: close\r\n");
    }
    return x->minor == 0 ? APPEND(to, "Connection: keep-alive\r\n") : to;
}

static char *
append_length(const ql_http_exchange_t *x, const ql_http_head_t *head,
              const ql_http_said_t *said, char *to)
{
    bool theirs = said->has_length
               && (head->status == 304 || x->method == HTTP_HEAD);
    uint64_t length = theirs ? said->length : head->length;

    if (head->status < 200 || head->status == 204
        || (head->status == 304 && !theirs))
    {
        return to;
    }
    if (head->chunked && !theirs) {
        return x->chunked ? APPEND(to, "Transfer-Encoding: chunked\r\n") : to;
    }
    to = APPEND(to, "Content-Length: ");
    to = ql_http_number(to, length);
    return APPEND(to, "\r\n");
}

static char *
append_fields(const ql_http_exchange_t *x, const ql_http_head_t *head,
              const ql_http_said_t *said, char *to)
{
    const ql_http_config_t *config = x->config;

    if (!said->date) {
        to = APPEND(to, "Date: ");
        to = append(to, date(config->http), QL_HTTP_DATE);
        to = APPEND(to, "\r\n");
    }
    if (!said->server) {
        to = append(to, config->server, config->server_size);
    }
    if (head->text && !said->type && head->status != 204 && head->status != 304)
    {
        to = APPEND(to, "Content-Type: text/plain; charset=utf-8\r\n");
    }
    to = append_length(x, head, said, to);
    to = append_connection(x, to);
    return APPEND(to, "\r\n");
}

static char *
append_status(unsigned status, char *to)
{
    const char *reason;

    if (status == 200) {
        return APPEND(to, "HTTP/1.1 200 OK\r\n");
    }
    reason = ql_http_reason(status);
    to = APPEND(to, "HTTP/1.1 ");
    to = ql_http_number(to, status);
    *to++ = ' ';
    to = append(to, reason, strlen(reason));
    return APPEND(to, "\r\n");
}

/* The head that most answers have: 200, text, nothing of the script's, and the
 * connection goes on. It is the same for a second, but for the length. */
static void
plain_begin(ql_http_config_t *config)
{
    char *to = config->plain;

    to = APPEND(to, "HTTP/1.1 200 OK\r\nDate: ");
    to = append(to, config->http->clock.text, QL_HTTP_DATE);
    to = APPEND(to, "\r\n");
    to = append(to, config->server, config->server_size);
    to = APPEND(to, "Content-Type: text/plain; charset=utf-8\r\n"
                    "Content-Length: ");
    config->plain_begin = (uint16_t) (to - config->plain);
    config->plain_second = config->http->clock.second;
    config->plain_size = 0;
}

static void
plain_end(ql_http_config_t *config, uint64_t length)
{
    char *to = ql_http_number(config->plain + config->plain_begin, length);

    to = APPEND(to, "\r\n\r\n");
    config->plain_size = (uint16_t) (to - config->plain);
    config->plain_length = length;
}

static char *
append_plain(const ql_http_exchange_t *x, uint64_t length, char *to)
{
    ql_http_config_t *config = x->config;

    (void) date(config->http);
    if (config->plain_begin == 0
        || config->plain_second != config->http->clock.second)
    {
        plain_begin(config);
    }
    if (config->plain_size == 0 || config->plain_length != length) {
        plain_end(config, length);
    }
    return append(to, config->plain, config->plain_size);
}

/* ---------------------------------------------------------------- heads ---- */

enum {
    HEAD_ROOM = 512 /* bytes that our own lines may take */
};

/* Is there enough of the request left unread to be a reason to close? */
static bool
rest_is_too_long(const ql_http_exchange_t *x)
{
    const ql_http_message_t *m = x->m;

    return m != NULL && !m->ended
        && (x->expect || (!m->chunked && m->left > QL_HTTP_DROPPED));
}

/* What is known of the answer before its fields are. */
static void
head_begin(ql_http_exchange_t *x, const ql_http_head_t *head)
{
    /* Behind a CONNECT comes what was meant for the tunnel. */
    x->keep &= !ql_stopping(x->config->http->lua) && !rest_is_too_long(x)
            && x->method != HTTP_CONNECT;
    x->bodyless = x->method == HTTP_HEAD || head->status == 204
               || head->status == 304 || head->status < 200;
    x->chunked = head->chunked && x->minor != 0;
    if (head->chunked && x->minor == 0 && !x->bodyless) {
        x->keep = 0;
    }
}

static bool
is_plain(const ql_http_exchange_t *x, const ql_http_head_t *head)
{
    return head->status == 200 && head->headers == 0 && head->text
        && !head->chunked && x->keep && x->minor != 0;
}

/* All lines of it; what is there already stays when it fails. */
static const char *
put_lines(lua_State *L, ql_http_exchange_t *x, const ql_http_head_t *head)
{
    ql_buffer_t *out = &x->cork.out;
    ql_http_said_t said = {.date = false};
    const char *why;
    char *to = append_status(head->status, out->data + out->end);

    out->end = (uint32_t) (to - out->data);
    if (head->headers != 0) {
        why = ql__http_put_fields(L, x, head->headers, &said);
        if (why != NULL) {
            return why;
        }
        if (ql_buffer_room(buffers_of(x), out, HEAD_ROOM, QL_BUFFER_MAX)
            != NGX_OK) {
            return "not enough memory";
        }
    }
    to = append_fields(x, head, &said, out->data + out->end);
    out->end = (uint32_t) (to - out->data);
    return NULL;
}

const char *
ql__http_put_head(lua_State *L, ql_http_exchange_t *x,
                  const ql_http_head_t *head)
{
    ql_buffer_t *out = &x->cork.out;
    uint32_t before = ql_buffer_unread(out);
    const char *why = NULL;
    bool keep = x->keep;

    head_begin(x, head);
    if (out->cap - out->end < HEAD_ROOM
        && ql_buffer_room(buffers_of(x), out, HEAD_ROOM, QL_BUFFER_MAX)
               != NGX_OK)
    {
        return "not enough memory";
    }
    if (is_plain(x, head)) {
        char *end = append_plain(x, head->length, out->data + out->end);

        out->end = (uint32_t) (end - out->data);
    } else {
        why = put_lines(L, x, head);
    }
    if (why != NULL) {
        out->end = out->start + before;
        x->keep = keep;
        return why;
    }
    x->begun = 1;
    x->status = (uint16_t) head->status;
    x->length = x->bodyless ? 0 : head->length;
    return NULL;
}

void
ql__http_answered(ql_http_exchange_t *x)
{
    bool ended = x->m == NULL || x->m->ended;

    x->serial = 0;
    ql__http_discard(x);
    x->linger = !ended || x->method == HTTP_CONNECT || x->conn->c->read.ready
             || ql_buffer_unread(&x->conn->in) > 0;
    if (!x->keep) {
        x->state = QL_HTTP_CLOSING;
    } else if (!ended) {
        x->state = QL_HTTP_DROPPING;
        x->bytes = 0;
    } else {
        ql__http_over(x);
        x->state = QL_HTTP_RECEIVING;
    }
}

/* For the log: as much as there is of the first line. */
static void
keep_begin(ql_http_exchange_t *x)
{
    const char *bytes = ql_buffer_bytes(&x->conn->in);
    uint32_t size = ql_buffer_unread(&x->conn->in);
    uint32_t at = 0, n = 0;

    while (at < size && (bytes[at] == '\r' || bytes[at] == '\n')) {
        at++;
    }
    while (at < size && n + 1 < sizeof(x->line) && bytes[at] != '\r'
           && bytes[at] != '\n')
    {
        x->line[n++] = bytes[at++];
    }
    x->line[n] = '\0';
}

void
ql__http_turn_away(ql_http_exchange_t *x, unsigned status)
{
    const char *reason = ql_http_reason(status);
    size_t n = strlen(reason);
    ql_http_head_t head = {.status = status, .length = n + 1, .text = true};

    x->config->http->stats.refused++;
    keep_begin(x);
    x->refused = 1;
    x->keep = 0;
    x->expect = 0;
    if (ql__http_put_head(NULL, x, &head) == NULL && !x->bodyless
        && ql__http_put(x, reason, n) == NGX_OK)
    {
        (void) ql__http_put(x, "\n", 1);
    }
    x->state = QL_HTTP_CLOSING;
    x->linger = 1;
}
