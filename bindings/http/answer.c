/*
 * answer.c: heads of answers, and what becomes of the connection behind them.
 * Whatever a script gives, no byte of it ends a line.
 */
#include "http.h"

#include "core/sys.h"

#include <llhttp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* What a script's headers have said. */
typedef struct {
    bool date;
    bool type;
    bool server;
    bool has_length;
    uint64_t length;
} said_t;

static ql_buffers_t *
buffers_of(const ql_http_exchange_t *x)
{
    return &x->config->http->core->buffers;
}

int
ql__http_put(ql_http_exchange_t *x, const char *s, size_t n)
{
    ql_buffer_t *out = &x->cork.out;

    if (n > UINT32_MAX
        || ql_buffer_room(buffers_of(x), out, (uint32_t) n, QL_BUFFER_MAX)
               != NGX_OK)
    {
        return NGX_ERROR;
    }
    memcpy(out->data + out->end, s, n);
    out->end += (uint32_t) n;
    return NGX_OK;
}

/* -------------------------------------------------------- their fields ---- */

static bool
is(const char *name, size_t n, const char *other)
{
    return strlen(other) == n && strncasecmp(name, other, n) == 0;
}

static uint64_t
number(const char *s)
{
    uint64_t n = 0;

    for (; *s >= '0' && *s <= '9' && n < (uint64_t) 1 << 59; s++) {
        n = n * 10 + (uint64_t) (*s - '0');
    }
    return n;
}

/* Is the field ours to write? Else it is noted where it stands for ours. */
static bool
note(ql_http_exchange_t *x, said_t *said, const char *name, size_t n,
     const char *value, size_t size)
{
    switch (n) {
    case sizeof("date") - 1:
        said->date |= is(name, n, "date");
        return false;
    case sizeof("server") - 1:
        said->server |= is(name, n, "server");
        return false;
    case sizeof("connection") - 1:
        if (!is(name, n, "connection")) {
            return false;
        }
        x->keep &= !is(value, size, "close");
        return !is(value, size, "upgrade");
    case sizeof("content-type") - 1:
        said->type |= is(name, n, "content-type");
        return false;
    case sizeof("content-length") - 1:
        if (!is(name, n, "content-length")) {
            return false;
        }
        said->has_length = true;
        said->length = number(value);
        return true;
    case sizeof("transfer-encoding") - 1:
        return is(name, n, "transfer-encoding");
    default:
        return false;
    }
}

/* The line of a name, and of the value on top: a string or a number. */
static const char *
put_field(lua_State *L, ql_http_exchange_t *x, said_t *said, const char *name,
          size_t n)
{
    size_t size;
    const char *value = lua_tolstring(L, -1, &size);

    if (value == NULL) {
        return "a header's value is no string";
    }
    if (!ql_http_value(value, size)) {
        return "a header's value has a control character";
    }
    if (note(x, said, name, n, value, size)) {
        return NULL;
    }
    if (ql__http_put(x, name, n) != NGX_OK || ql__http_put(x, ": ", 2) != NGX_OK
        || ql__http_put(x, value, size) != NGX_OK
        || ql__http_put(x, "\r\n", 2) != NGX_OK)
    {
        return "not enough memory";
    }
    return NULL;
}

/* The value on top: one, a list, or false. */
static const char *
put_values(lua_State *L, ql_http_exchange_t *x, said_t *said, const char *name,
           size_t n)
{
    const char *why = NULL;

    if (lua_type(L, -1) == LUA_TBOOLEAN && !lua_toboolean(L, -1)) {
        return NULL;
    }
    if (!lua_istable(L, -1)) {
        return put_field(L, x, said, name, n);
    }
    for (int i = 1; why == NULL; i++) {
        lua_rawgeti(L, -1, i);
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            break;
        }
        why = put_field(L, x, said, name, n);
        lua_pop(L, 1);
    }
    return why;
}

static const char *
put_fields(lua_State *L, ql_http_exchange_t *x, int headers, said_t *said)
{
    const char *why = NULL;
    int top = lua_gettop(L);

    lua_pushnil(L);
    while (why == NULL && lua_next(L, headers)) {
        size_t n;
        const char *name;

        if (lua_type(L, -2) != LUA_TSTRING) {
            why = "a header's name is no string";
            break;
        }
        name = lua_tolstring(L, -2, &n);
        why = ql_http_token(name, n) ? put_values(L, x, said, name, n)
                                     : "a header's name is no token";
        lua_pop(L, 1);
    }
    lua_settop(L, top);
    return why;
}

/* ----------------------------------------------------------- our fields ---- */

static char *
append(char *to, const char *s, size_t n)
{
    memcpy(to, s, n);
    return to + n;
}

#define APPEND(to, literal) append(to, literal, sizeof(literal) - 1)

static char *
append_number(char *to, uint64_t n)
{
    char digits[20];
    int i = sizeof(digits);

    do {
        digits[--i] = (char) ('0' + n % 10);
        n /= 10;
    } while (n != 0);
    return append(to, digits + i, sizeof(digits) - (size_t) i);
}

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
              const said_t *said, char *to)
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
    to = append_number(to, length);
    return APPEND(to, "\r\n");
}

static char *
append_fields(const ql_http_exchange_t *x, const ql_http_head_t *head,
              const said_t *said, char *to)
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
    to = append_number(to, status);
    *to++ = ' ';
    to = append(to, reason, strlen(reason));
    return APPEND(to, "\r\n");
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

const char *
ql__http_put_head(lua_State *L, ql_http_exchange_t *x,
                  const ql_http_head_t *head)
{
    ql_buffer_t *out = &x->cork.out;
    uint32_t before = ql_buffer_unread(out);
    const char *why = NULL;
    said_t said = {.date = false};
    bool keep = x->keep;

    head_begin(x, head);
    if (ql_buffer_room(buffers_of(x), out, HEAD_ROOM, QL_BUFFER_MAX) != NGX_OK)
    {
        return "not enough memory";
    }
    out->end = (uint32_t) (append_status(head->status, out->data + out->end)
                           - out->data);
    if (head->headers != 0) {
        why = put_fields(L, x, head->headers, &said);
    }
    if (why == NULL
        && ql_buffer_room(buffers_of(x), out, HEAD_ROOM, QL_BUFFER_MAX)
               != NGX_OK)
    {
        why = "not enough memory";
    }
    if (why != NULL) {
        out->end = out->start + before;
        x->keep = keep;
        return why;
    }
    out->end = (uint32_t) (append_fields(x, head, &said, out->data + out->end)
                           - out->data);
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
    x->linger = !ended || x->conn->c->read.ready
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

void
ql__http_turn_away(ql_http_exchange_t *x, unsigned status)
{
    const char *reason = ql_http_reason(status);
    size_t n = strlen(reason);
    ql_http_head_t head = {.status = status, .length = n + 1, .text = true};

    x->config->http->stats.refused++;
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
