#include "pattern.h"

#include <lauxlib.h>
#include <string.h>

void
ql_pattern_start(ql_pattern_t *p, ql_pattern_kind_t kind, uint32_t size,
                 ql_until_t *until, ql_buffer_t *b)
{
    p->kind = (unsigned char) kind;
    p->last = 0;
    p->size = size;
    p->until = until;
    p->take = 0;
    p->skip = 0;
    b->scanned = 0;
    if (until != NULL) {
        until->matched = 0;
    }
}

uint32_t
ql_pattern_want(const ql_pattern_t *p)
{
    return p->kind == QL_PATTERN_BYTES || p->kind == QL_PATTERN_PEEK ? p->size
                                                                     : 0;
}

/* ------------------------------------------------------------ match ---- */

static bool
match_line(ql_pattern_t *p, ql_buffer_t *b)
{
    uint32_t unread = ql_buffer_unread(b);
    const char *bytes = ql_buffer_bytes(b);
    const char *lf;

    if (b->scanned == unread) {
        return false;
    }
    lf = memchr(bytes + b->scanned, '\n', unread - b->scanned);
    if (lf == NULL) {
        b->scanned = unread;
        return false;
    }
    p->take = (uint32_t) (lf - bytes);
    p->skip = 1;
    return true;
}

/* One byte on in the boundary's automaton. */
static uint32_t
until_step(const ql_until_t *u, uint32_t matched, char byte)
{
    while (matched > 0 && u->text[matched] != byte) {
        matched = u->border[matched - 1];
    }
    return u->text[matched] == byte ? matched + 1 : 0;
}

/* Scans until the boundary is complete, `limit` bytes are known to lie before
 * it, or the unread bytes are used up. */
static void
until_scan(ql_until_t *u, ql_buffer_t *b, uint32_t limit)
{
    const char *bytes = ql_buffer_bytes(b);
    uint32_t unread = ql_buffer_unread(b);
    uint32_t matched = u->matched;
    uint32_t i = b->scanned;

    while (i < unread && matched < u->length && i - matched < limit) {
        if (matched == 0) {
            const char *hit = memchr(bytes + i, u->text[0], unread - i);

            if (hit == NULL) {
                i = unread;
                break;
            }
            i = (uint32_t) (hit - bytes);
        }
        matched = until_step(u, matched, bytes[i]);
        i++;
    }
    b->scanned = i;
    u->matched = matched;
}

static bool
match_until(ql_pattern_t *p, ql_buffer_t *b)
{
    ql_until_t *u = p->until;
    uint32_t before;

    until_scan(u, b, p->size != 0 ? p->size : UINT32_MAX);
    before = b->scanned - u->matched;
    if (p->size != 0 && before >= p->size) {
        p->take = p->size;
        return true;
    }
    if (u->matched < u->length) {
        return false;
    }
    p->take = u->inclusive ? b->scanned : before;
    p->skip = b->scanned - p->take;
    p->last = p->size != 0;
    return true;
}

/* Goes on where the last scan stopped. Apart from what only counts bytes, which
 * would pay for a scanner's registers at each attempt. */
static bool __attribute__((noinline))
match_scanning(ql_pattern_t *p, ql_buffer_t *b)
{
    return p->kind == QL_PATTERN_LINE ? match_line(p, b) : match_until(p, b);
}

bool
ql_pattern_match(ql_pattern_t *p, ql_buffer_t *b)
{
    uint32_t unread = ql_buffer_unread(b);

    switch (p->kind) {
    case QL_PATTERN_ANY:
        p->take = unread < p->size ? unread : p->size;
        return unread > 0;
    case QL_PATTERN_BYTES:
    case QL_PATTERN_PEEK:
        p->take = p->size;
        return unread >= p->size;
    case QL_PATTERN_ALL:
        return false;
    default:
        return unread > 0 && match_scanning(p, b);
    }
}

/* ------------------------------------------------------------- push ---- */

static void
push_line(lua_State *L, const char *s, size_t n)
{
    const char *cr = n > 0 ? memchr(s, '\r', n) : NULL;
    luaL_Buffer line;

    if (cr == NULL || cr == s + n - 1) {
        lua_pushlstring(L, s, cr == NULL ? n : n - 1);
        return;
    }
    luaL_buffinit(L, &line);
    while (cr != NULL) {
        luaL_addlstring(&line, s, (size_t) (cr - s));
        n -= (size_t) (cr - s) + 1;
        s = cr + 1;
        cr = memchr(s, '\r', n);
    }
    luaL_addlstring(&line, s, n);
    luaL_pushresult(&line);
}

static void
push_bytes(lua_State *L, const ql_pattern_t *p, const char *bytes, uint32_t n)
{
    if (p->kind == QL_PATTERN_LINE) {
        push_line(L, bytes, n);
    } else {
        lua_pushlstring(L, bytes, n);
    }
}

int
ql_pattern_push(lua_State *L, const ql_pattern_t *p, ql_buffer_t *b)
{
    const char *bytes = ql_buffer_bytes(b);

    if (p->kind != QL_PATTERN_PEEK) {
        ql_buffer_consume(b, p->take + p->skip);
    }
    push_bytes(L, p, bytes, p->take);
    if (!p->last) {
        return 1;
    }
    if (p->take > 0) {
        p->until->ended = 1;
        return 1;
    }
    /* Nothing was left before the boundary: no empty last chunk. */
    lua_settop(L, lua_gettop(L) + 2);
    lua_pushnil(L);
    lua_replace(L, -4);
    return 3;
}

void
ql_pattern_push_partial(lua_State *L, const ql_pattern_t *p, ql_buffer_t *b,
                        bool more)
{
    const char *bytes = ql_buffer_bytes(b);
    uint32_t n = ql_buffer_unread(b);

    if (p->kind == QL_PATTERN_UNTIL && more) {
        n -= p->until->matched;
    }
    if (p->kind != QL_PATTERN_PEEK) {
        ql_buffer_consume(b, n);
    }
    push_bytes(L, p, bytes, n);
}

/* ------------------------------------------------------- boundaries ---- */

ql_until_t *
ql_until_new(lua_State *L, int text, bool inclusive)
{
    size_t length;
    const char *s = lua_tolstring(L, text, &length);
    size_t table = length * sizeof(uint32_t);
    ql_until_t *u = lua_newuserdata(L, sizeof(*u) + table + length);

    memset(u, 0, sizeof(*u));
    u->length = (uint32_t) length;
    u->inclusive = inclusive;
    u->text = memcpy((char *) u + sizeof(*u) + table, s, length);
    u->border[0] = 0;
    for (uint32_t i = 1; i < u->length; i++) {
        u->border[i] = until_step(u, u->border[i - 1], s[i]);
    }
    return u;
}
