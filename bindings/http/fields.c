/*
 * fields.c: the header fields of a message, one by one and as a table.
 */
#include "http.h"

#include <string.h>
#include <strings.h>

static const char fields_key = 0; /* registry: the metatable of their tables */

/* The next field of that name, from the one of number *i on, which moves behind
 * it. NULL: there is none. */
static const ql_http_field_t *
find_field(const ql_http_held_t *h, unsigned *i, const char *name, size_t n)
{
    while (*i < h->m->count) {
        const ql_http_field_t *f = &h->m->fields[(*i)++];

        if (f->name.size == n
            && strncasecmp(h->head + f->name.at, name, n) == 0) {
            return f;
        }
    }
    return NULL;
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

/* header(head, name) -> the first value | nil */
static int
message_header(lua_State *L)
{
    size_t n;
    const char *name = check_name(L, "header", &n);
    ql_http_held_t h = ql__http_held(L, 1, "header");
    unsigned i = 0;
    const ql_http_field_t *f = find_field(&h, &i, name, n);

    if (f == NULL) {
        return 0;
    }
    push_span(L, h.head, f->value);
    return 1;
}

/* header_values(head, name) -> array. Making it may run a finaliser, and that
 * may look at another head. */
static int
message_header_values(lua_State *L)
{
    size_t n;
    const char *name = check_name(L, "header_values", &n);
    unsigned i = 0;

    lua_createtable(L, 1, 0);
    for (int value = 1;; value++) {
        ql_http_held_t h = ql__http_held(L, 1, "header_values");
        const ql_http_field_t *f = find_field(&h, &i, name, n);

        if (f == NULL) {
            return 1;
        }
        push_span(L, h.head, f->value);
        lua_rawseti(L, -2, value);
    }
}

/* field(head, i) -> name, value of the i-th one | nothing: there is none */
static int
message_field(lua_State *L)
{
    ql_http_held_t h = ql__http_held(L, 1, "field");
    lua_Integer i = lua_tointeger(L, 2);
    ql_http_field_t f;

    if (i < 1 || i > h.m->count) {
        return 0;
    }
    f = h.m->fields[i - 1];
    push_span(L, h.head, f.name);
    push_span(L, h.head, f.value);
    return 2;
}

/* Range, If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since,
 * If-Range */
static bool
selects(const char *line)
{
    return strncasecmp(line, "if-", 3) == 0
        || strncasecmp(line, "range:", 6) == 0;
}

/* selective(head) -> is something asked for in part, or on a condition? The
 * lines of a head are as they should be, and end: they need no parser. */
static int
message_selective(lua_State *L)
{
    size_t n;
    const char *line = luaL_checklstring(L, 1, &n);
    const char *end = line + n;
    bool found = false;

    while (!found && (line = memchr(line, '\n', (size_t) (end - line))) != NULL)
    {
        line++;
        found = selects(line);
    }
    lua_pushboolean(L, found);
    return 1;
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

/* headers(head) -> table. As above. */
static int
message_headers(lua_State *L)
{
    ql_http_held_t h = ql__http_held(L, 1, "headers");
    ql_http_field_t fields[QL_HTTP_FIELDS];
    unsigned n = h.m->count;

    memcpy(fields, h.m->fields, n * sizeof(fields[0]));
    lua_createtable(L, 0, (int) n);
    ql__http_join_fields(L, h.head, fields, n);
    return 1;
}

const luaL_Reg ql__http_field_functions[] = {
    {"header", message_header},       {"header_values", message_header_values},
    {"headers", message_headers},     {"field", message_field},
    {"selective", message_selective}, {NULL, NULL}};
