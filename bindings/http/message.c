/*
 * message.c: what a request, or a response, has for scripts that is made when it
 * is asked for.
 */
#include "http.h"

#include <llhttp.h>

/* What scripts find by name, besides what lua/quoll/http knows. */
typedef enum {
    FIELD_TARGET = 1,
    FIELD_VERSION,
    FIELD_HOST,
    FIELD_SCHEME,
    FIELD_LENGTH,
    FIELD_REASON,
    FIELD_KEEPALIVE,
    FIELD_UPGRADE
} field_t;

/* In the order of field_t. */
static const char *const field_names[] = {"",       "target",    "version",
                                          "host",   "scheme",    "length",
                                          "reason", "keepalive", "upgrade"};

/* ------------------------------------------------------------ fields ---- */

static int
push_span(lua_State *L, const ql_http_held_t *h, ql_http_span_t span)
{
    lua_pushlstring(L, h->head + span.at, span.size);
    return 1;
}

/* Without its port, in lower case. */
static int
push_host(lua_State *L, const ql_http_held_t *h)
{
    const char *s = h->head + h->m->host.at;
    size_t n = h->m->host.size;
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
push_length(lua_State *L, const ql_http_message_t *m)
{
    if (m->chunked || (m->kind == QL_HTTP_RESPONSE && !m->has_length)) {
        lua_pushnil(L);
    } else {
        lua_pushnumber(L, (lua_Number) m->length);
    }
    return 1;
}

/* nil: that of the connection */
static int
push_scheme(lua_State *L, const ql_http_message_t *m)
{
    if (!m->absolute) {
        return 0;
    }
    lua_pushstring(L, m->secure ? "https" : "http");
    return 1;
}

static int
push_of_request(lua_State *L, const ql_http_held_t *h, field_t field)
{
    switch (field) {
    case FIELD_TARGET:
        return push_span(L, h, h->m->target);
    case FIELD_HOST:
        return push_host(L, h);
    case FIELD_SCHEME:
        return push_scheme(L, h->m);
    default:
        return 0;
    }
}

static int
push_of_response(lua_State *L, const ql_http_held_t *h, field_t field)
{
    switch (field) {
    case FIELD_REASON:
        return push_span(L, h, h->m->reason);
    case FIELD_KEEPALIVE:
        lua_pushboolean(L, h->m->keep_alive);
        return 1;
    default:
        return 0;
    }
}

static int
push_field(lua_State *L, const ql_http_held_t *h, field_t field)
{
    switch (field) {
    case FIELD_VERSION:
        lua_pushstring(L, h->m->minor != 0 ? "1.1" : "1.0");
        return 1;
    case FIELD_LENGTH:
        return push_length(L, h->m);
    case FIELD_UPGRADE:
        lua_pushboolean(L, h->m->upgrade);
        return 1;
    default:
        return h->m->kind == QL_HTTP_REQUEST ? push_of_request(L, h, field)
                                             : push_of_response(L, h, field);
    }
}

/* get(head, name) -> what it says | nothing */
static int
message_get(lua_State *L)
{
    ql_http_held_t h = ql__http_held(L, 1, "index");
    lua_Integer field;

    lua_settop(L, 2);
    lua_rawget(L, lua_upvalueindex(2));
    field = lua_tointeger(L, -1);
    return field != 0 ? push_field(L, &h, (field_t) field) : 0;
}

static void
push_names(lua_State *L)
{
    lua_createtable(L, 0, FIELD_UPGRADE);
    for (int i = FIELD_TARGET; i <= FIELD_UPGRADE; i++) {
        lua_pushinteger(L, i);
        lua_setfield(L, -2, field_names[i]);
    }
}

/* The module's field `methods`: names by llhttp's numbers. */
static void
push_methods(lua_State *L)
{
    lua_newtable(L);
#define SET_METHOD(number, name, text)                                         \
    lua_pushliteral(L, #text);                                                 \
    lua_rawseti(L, -2, number);
    HTTP_METHOD_MAP(SET_METHOD)
#undef SET_METHOD
}

void
ql__open_message(lua_State *L, ql_http_t *http)
{
    static const luaL_Reg fns[] = {{"get", message_get}, {NULL, NULL}};

    lua_pushlightuserdata(L, http);
    push_names(L);
    luaL_setfuncs(L, fns, 2);
    push_methods(L);
    lua_setfield(L, -2, "methods");
    lua_pushboolean(L, 0);
    http->parsed_anchor = luaL_ref(L, LUA_REGISTRYINDEX);
}
