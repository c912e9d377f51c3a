/*
 * fields.c: the header fields of a message, one by one and as a table.
 */
#include "http.h"

#include <string.h>
#include <strings.h>

static const char fields_key = 0; /* registry: the metatable of their tables */

static bool
same_name(const ql_http_held_t *h, const ql_http_field_t *f, const char *name,
          size_t n)
{
    return f->name.size == n
        && strncasecmp(ql__http_bytes(h) + f->name.at, name, n) == 0;
}

static void
push_span(lua_State *L, const char *bytes, ql_http_span_t span)
{
    lua_pushlstring(L, bytes + span.at, span.size);
}

static void
push_value(lua_State *L, const ql_http_held_t *h, const ql_http_field_t *f)
{
    push_span(L, ql__http_bytes(h), f->value);
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
    size_t n;
    const char *name = check_name(L, "header", &n);

    for (int i = 0; i < h->count; i++) {
        if (same_name(h, &h->fields[i], name, n)) {
            push_value(L, h, &h->fields[i]);
            return 1;
        }
    }
    return 0;
}

/* header_values(self, name) -> array */
static int
message_header_values(lua_State *L)
{
    const ql_http_held_t *h = ql__http_held(L, 1, "header_values");
    size_t n;
    const char *name = check_name(L, "header_values", &n);
    int found = 0;

    lua_createtable(L, 1, 0);
    for (int i = 0; i < h->count; i++) {
        if (same_name(h, &h->fields[i], name, n)) {
            push_value(L, h, &h->fields[i]);
            lua_rawseti(L, -2, ++found);
        }
    }
    return 1;
}

/* field(self, i) -> name, value | nothing: there are fewer */
static int
message_field(lua_State *L)
{
    const ql_http_held_t *h = ql__http_held(L, 1, "field");
    lua_Integer i = lua_tointeger(L, 2);

    if (i < 1 || i > h->count) {
        return 0;
    }
    lua_pushlstring(L, ql__http_bytes(h) + h->fields[i - 1].name.at,
                    h->fields[i - 1].name.size);
    push_value(L, h, &h->fields[i - 1]);
    return 2;
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

/* The value on top joins those that the table has under the name below it. */
static void
fields_join(lua_State *L)
{
    bool cookie = strcmp(lua_tostring(L, -2), "cookie") == 0;

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
        push_lower(L, bytes + fields[i].name.at, fields[i].name.size);
        push_span(L, bytes, fields[i].value);
        fields_join(L);
    }
    push_metatable(L);
    lua_setmetatable(L, -2);
}

void
ql__http_push_fields(lua_State *L, const ql_http_held_t *h)
{
    lua_createtable(L, 0, h->count);
    ql__http_join_fields(L, ql__http_bytes(h), h->fields, h->count);
}

const luaL_Reg ql__http_field_functions[] = {
    {"header", message_header},
    {"header_values", message_header_values},
    {"field", message_field},
    {NULL, NULL}};
