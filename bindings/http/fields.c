/*
 * fields.c: the header fields of a message, one by one and as a table.
 */
#include "http.h"

#include <string.h>
#include <strings.h>

static const char fields_key = 0; /* registry: the metatable of their tables */

/* The field at *at, which moves to the next one; false: there is none. The
 * head is known to be good: name ":" [blanks] value [blanks] CR LF. */
static bool
next_field(const ql_http_held_t *h, uint32_t *at, ql_http_field_t *f)
{
    const char *name = h->head + *at;
    const char *end = h->head + h->size - 2; /* of the last field's line */
    const char *value, *next;

    if (name >= end) {
        return false;
    }
    value = memchr(name, ':', (size_t) (end - name));
    f->name = (ql_http_span_t){*at, (uint32_t) (value - name)};
    next = memchr(value, '\n', (size_t) (end - value));
    next++;
    *at = (uint32_t) (next - h->head);
    for (value++; *value == ' ' || *value == '\t';) {
        value++;
    }
    for (end = next - 2; end > value && (end[-1] == ' ' || end[-1] == '\t');) {
        end--;
    }
    f->value = (ql_http_span_t){(uint32_t) (value - h->head),
                                (uint32_t) (end - value)};
    return true;
}

/* The next one of that name. */
static bool
find_field(const ql_http_held_t *h, uint32_t *at, const char *name, size_t n,
           ql_http_field_t *f)
{
    while (next_field(h, at, f)) {
        if (f->name.size == n
            && strncasecmp(h->head + f->name.at, name, n) == 0) {
            return true;
        }
    }
    return false;
}

static void
push_span(lua_State *L, const char *bytes, ql_http_span_t span)
{
    lua_pushlstring(L, bytes + span.at, span.size);
}

static const char *
check_name(lua_State *L, const char *method, size_t *n)
{
    if (lua_type(L, 2) != LUA_TSTRING) {
        ql_bad_argument(L, 2, "name", method, "a string");
    }
    return lua_tolstring(L, 2, n);
}

/* header(self, name) -> the first value | nil */
static int
message_header(lua_State *L)
{
    const ql_http_held_t *h = ql__http_held(L, 1, "header");
    uint32_t at = h->first;
    ql_http_field_t f;
    size_t n;
    const char *name = check_name(L, "header", &n);

    if (!find_field(h, &at, name, n, &f)) {
        return 0;
    }
    push_span(L, h->head, f.value);
    return 1;
}

/* header_values(self, name) -> array */
static int
message_header_values(lua_State *L)
{
    const ql_http_held_t *h = ql__http_held(L, 1, "header_values");
    uint32_t at = h->first;
    ql_http_field_t f;
    size_t n;
    const char *name = check_name(L, "header_values", &n);

    lua_createtable(L, 1, 0);
    for (int i = 1; find_field(h, &at, name, n, &f); i++) {
        push_span(L, h->head, f.value);
        lua_rawseti(L, -2, i);
    }
    return 1;
}

/* field(self, at) -> where the next one is, name, value | nothing: there is no
 * more. 0: the first one. */
static int
message_field(lua_State *L)
{
    const ql_http_held_t *h = ql__http_held(L, 1, "field");
    lua_Integer after = lua_tointeger(L, 2);
    uint32_t at = after > h->first ? (uint32_t) after : h->first;
    ql_http_field_t f;

    if (after > h->size || !next_field(h, &at, &f)) {
        return 0;
    }
    lua_pushinteger(L, at);
    push_span(L, h->head, f.name);
    push_span(L, h->head, f.value);
    return 3;
}

/* ------------------------------------------------------- as one table ---- */

/* A copy of s in lower case. */
static void
push_lower(lua_State *L, const char *s, size_t n)
{
    luaL_Buffer b;

    luaL_buffinit(L, &b);
    for (size_t i = 0; i < n; i++) {
        luaL_addchar(&b,
                     (char) (s[i] >= 'A' && s[i] <= 'Z' ? s[i] | 0x20 : s[i]));
    }
    luaL_pushresult(&b);
}

/* __index of the table: a name in another case */
static int
fields_index(lua_State *L)
{
    size_t n;
    const char *name;

    if (lua_type(L, 2) != LUA_TSTRING) {
        return 0;
    }
    name = lua_tolstring(L, 2, &n);
    push_lower(L, name, n);
    lua_rawget(L, 1);
    return 1;
}

static void
push_metatable(lua_State *L)
{
    lua_pushlightuserdata(L, (void *) (uintptr_t) &fields_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (!lua_isnil(L, -1)) {
        return;
    }
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, fields_index);
    lua_setfield(L, -2, "__index");
    lua_pushlightuserdata(L, (void *) (uintptr_t) &fields_key);
    lua_pushvalue(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
}

/* Adds a field to the table on top, behind what that has under its name. */
static void
join_field(lua_State *L, const char *bytes, const ql_http_field_t *f)
{
    bool cookie;

    push_lower(L, bytes + f->name.at, f->name.size);
    push_span(L, bytes, f->value);
    cookie = strcmp(lua_tostring(L, -2), "cookie") == 0;
    lua_pushvalue(L, -2);
    lua_rawget(L, -4);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
    } else {
        lua_insert(L, -2);
        lua_pushstring(L, cookie ? "; " : ", ");
        lua_insert(L, -2);
        lua_concat(L, 3);
    }
    lua_rawset(L, -3);
}

void
ql__http_join_fields(lua_State *L, const char *bytes,
                     const ql_http_field_t *fields, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        join_field(L, bytes, &fields[i]);
    }
    push_metatable(L);
    lua_setmetatable(L, -2);
}

void
ql__http_push_fields(lua_State *L, const ql_http_held_t *h)
{
    uint32_t at = h->first;
    ql_http_field_t f;

    lua_createtable(L, 0, h->count);
    while (next_field(h, &at, &f)) {
        join_field(L, h->head, &f);
    }
    push_metatable(L);
    lua_setmetatable(L, -2);
}

const luaL_Reg ql__http_field_functions[] = {
    {"header", message_header},
    {"header_values", message_header_values},
    {"field", message_field},
    {NULL, NULL}};
