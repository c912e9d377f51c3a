/*
 * message.c: what a request, or a response, has for scripts: fields made when
 * they are asked for.
 */
#include "http.h"

#include <llhttp.h>
#include <stdlib.h>
#include <string.h>

/* What scripts find by name that no function makes. */
typedef enum {
    FIELD_METHOD = 1,
    FIELD_TARGET,
    FIELD_PATH,
    FIELD_QUERYSTRING,
    FIELD_VERSION,
    FIELD_HOST,
    FIELD_SCHEME,
    FIELD_HEADERS,
    FIELD_ID,
    FIELD_LENGTH,
    FIELD_STATUS,
    FIELD_REASON,
    FIELD_KEEPALIVE,
    FIELD_UPGRADE
} field_t;

/* In the order of field_t. */
static const char *const field_names[] = {
    "",        "method", "target", "path",      "querystring",
    "version", "host",   "scheme", "headers",   "id",
    "length",  "status", "reason", "keepalive", "upgrade"};

/* Upvalue 4 of __index is an array of strings that need not be made: the
 * methods' names at llhttp's numbers + 1, and these. */
enum {
    WORD_HTTP = 64,
    WORD_HTTPS,
    WORD_1_0,
    WORD_1_1
};

/* ------------------------------------------------------------ fields ---- */

static int
push_span(lua_State *L, const ql_http_held_t *h, ql_http_span_t span)
{
    lua_pushlstring(L, h->head + span.at, span.size);
    return 1;
}

static int
push_word(lua_State *L, int word)
{
    lua_rawgeti(L, lua_upvalueindex(4), word);
    return 1;
}

/* Without its port, in lower case. */
static int
push_host(lua_State *L, const ql_http_held_t *h)
{
    const char *s = h->head + h->host.at;
    size_t n = h->host.size;
    luaL_Buffer b;

    for (size_t i = n; i > 0 && s[i - 1] != ']'; i--) {
        if (s[i - 1] == ':') {
            n = i - 1;
            break;
        }
    }
    luaL_buffinit(L, &b);
    for (size_t i = 0; i < n; i++) {
        luaL_addchar(&b,
                     (char) (s[i] >= 'A' && s[i] <= 'Z' ? s[i] | 0x20 : s[i]));
    }
    luaL_pushresult(&b);
    return 1;
}

static int
push_length(lua_State *L, const ql_http_held_t *h)
{
    if (h->chunked || (h->kind_of == QL_HTTP_RESPONSE && !h->has_length)) {
        lua_pushnil(L);
    } else {
        lua_pushnumber(L, (lua_Number) h->length);
    }
    return 1;
}

/* The value on top is the one of the key at index 2 from now on. */
static int
keep(lua_State *L, ql_http_held_t *h)
{
    ql__http_push_own(L, h);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    return 1;
}

static int
push_of_request(lua_State *L, ql_http_held_t *h, field_t field)
{
    if (h->kind_of != QL_HTTP_REQUEST) {
        return 0;
    }
    switch (field) {
    case FIELD_METHOD:
        return push_word(L, h->method + 1);
    case FIELD_TARGET:
        return push_span(L, h, h->target);
    case FIELD_PATH:
        return push_span(L, h, h->path);
    case FIELD_QUERYSTRING:
        return push_span(L, h, h->query);
    case FIELD_HOST:
        return push_host(L, h);
    case FIELD_SCHEME:
        return push_word(L, h->secure ? WORD_HTTPS : WORD_HTTP);
    default:
        return 0;
    }
}

static int
push_field(lua_State *L, ql_http_held_t *h, field_t field)
{
    switch (field) {
    case FIELD_VERSION:
        return push_word(L, h->minor != 0 ? WORD_1_1 : WORD_1_0);
    case FIELD_HEADERS:
        ql__http_push_fields(L, h);
        return keep(L, h);
    case FIELD_ID:
        lua_pushinteger(L, h->id);
        return 1;
    case FIELD_LENGTH:
        return push_length(L, h);
    case FIELD_UPGRADE:
        lua_pushboolean(L, h->upgrade);
        return 1;
    case FIELD_STATUS:
    case FIELD_REASON:
    case FIELD_KEEPALIVE:
        if (h->kind_of != QL_HTTP_RESPONSE) {
            return 0;
        } else if (field == FIELD_STATUS) {
            lua_pushinteger(L, h->status);
        } else if (field == FIELD_KEEPALIVE) {
            lua_pushboolean(L, h->keep_alive);
        } else {
            return push_span(L, h, h->target);
        }
        return 1;
    default:
        return push_of_request(L, h, field);
    }
}

/* --------------------------------------------------------- metatable ---- */

/* Upvalues: 2 the methods, and the numbers of fields, by name; 3 functions
 * that make a field once. */
static int
message_index(lua_State *L)
{
    ql_http_held_t *h = ql__http_held(L, 1, "index");
    lua_Integer field;

    if (h->own) {
        lua_getfenv(L, 1);
        lua_pushvalue(L, 2);
        lua_rawget(L, -2);
        if (!lua_isnil(L, -1)) {
            return 1;
        }
        lua_settop(L, 2);
    }
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(2));
    field = lua_tointeger(L, -1);
    if (field != 0) {
        return push_field(L, h, (field_t) field);
    }
    if (!lua_isnil(L, -1)) {
        return 1;
    }
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(3));
    if (lua_isnil(L, -1)) {
        return 1;
    }
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return lua_isnil(L, -1) ? 1 : keep(L, h);
}

static int
message_newindex(lua_State *L)
{
    ql_http_held_t *h = ql__http_held(L, 1, "newindex");

    ql__http_push_own(L, h);
    lua_insert(L, 2);
    lua_rawset(L, 2);
    return 0;
}

static int
message_tostring(lua_State *L)
{
    ql_http_held_t *h = ql__http_held(L, 1, "tostring");

    if (h->kind_of == QL_HTTP_RESPONSE) {
        lua_pushfstring(L, "response (%d)", h->status);
        return 1;
    }
    push_span(L, h, h->target);
    lua_pushfstring(L, "request (%s %s)",
                    llhttp_method_name((llhttp_method_t) h->method),
                    lua_tostring(L, -1));
    return 1;
}

static void
set_word(lua_State *L, int word, const char *text)
{
    lua_pushstring(L, text);
    lua_rawseti(L, -2, word);
}

static void
push_words(lua_State *L)
{
    lua_createtable(L, WORD_1_1, 0);
#define SET_METHOD(number, name, text) set_word(L, (number) + 1, #text);
    HTTP_METHOD_MAP(SET_METHOD)
#undef SET_METHOD
    set_word(L, WORD_HTTP, "http");
    set_word(L, WORD_HTTPS, "https");
    set_word(L, WORD_1_0, "1.0");
    set_word(L, WORD_1_1, "1.1");
}

/* The module's fields `methods` and `lazy` are for lua/quoll/http to fill. */
void
ql__open_message(lua_State *L, ql_http_t *http)
{
    static const luaL_Reg metamethods[] = {{"__index", message_index},
                                           {"__newindex", message_newindex},
                                           {"__tostring", message_tostring},
                                           {NULL, NULL}};

    lua_createtable(L, 0, 32);
    for (int i = FIELD_METHOD; i <= FIELD_UPGRADE; i++) {
        lua_pushinteger(L, i);
        lua_setfield(L, -2, field_names[i]);
    }
    lua_createtable(L, 0, 8);
    lua_createtable(L, 0, 4);
    lua_pushlightuserdata(L, http);
    lua_pushvalue(L, -4);
    lua_pushvalue(L, -4);
    push_words(L);
    luaL_setfuncs(L, metamethods, 4);
    lua_pushliteral(L, "message");
    lua_setfield(L, -2, "__metatable");
    http->metatable = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_setfield(L, -3, "lazy");
    lua_setfield(L, -2, "methods");
}
