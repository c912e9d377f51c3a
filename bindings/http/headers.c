/*
 * headers.c: the headers that a script gives an answer. Whatever they are, no
 * byte of them ends a line; those that are the server's to say are left out.
 */
#include "http.h"

#include <string.h>
#include <strings.h>

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
note(ql_http_exchange_t *x, ql_http_said_t *said, const char *name, size_t n,
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

static int
put_line(ql_http_exchange_t *x, const char *name, size_t n, const char *value,
         size_t size)
{
    char *to = ql__http_room(x, n + size + sizeof(": \r\n") - 1);

    if (to == NULL) {
        return NGX_ERROR;
    }
    memcpy(to, name, n);
    to += n;
    *to++ = ':';
    *to++ = ' ';
    memcpy(to, value, size);
    to += size;
    *to++ = '\r';
    *to = '\n';
    return NGX_OK;
}

/* The line of a name, and of the value on top: a string or a number. */
static const char *
put_field(lua_State *L, ql_http_exchange_t *x, ql_http_said_t *said,
          const char *name, size_t n)
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
    return put_line(x, name, n, value, size) == NGX_OK ? NULL
                                                       : "not enough memory";
}

/* The value on top: one, a list, or false. */
static const char *
put_values(lua_State *L, ql_http_exchange_t *x, ql_http_said_t *said,
           const char *name, size_t n)
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

const char *
ql__http_put_fields(lua_State *L, ql_http_exchange_t *x, int headers,
                    ql_http_said_t *said)
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
