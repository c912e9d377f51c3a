/*
 * config.c: what a server is set to.
 */
#include "http.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char config_kind = 0; /* registry: address -> its metatable */

enum {
    LINE_LEAST = 16,   /* bytes: "GET / HTTP/1.1" and its end */
    NO_LIMIT = 1 << 30 /* requests of a connection, bytes per second */
};

void
ql__http_config_drop(ql_http_config_t *config)
{
    if (--config->holders == 0) {
        free(config);
    }
}

void
ql__http_config_close(ql_conn_t *conn)
{
    ql_http_config_t *config = ql__http_config(conn);

    conn->protocol = NULL;
    ql__http_config_drop(config);
}

ql_http_config_t *
ql__http_config(const ql_conn_t *conn)
{
    ql_http_exchange_t *x = ql__http_exchange(conn);
    ql_protocol_t *p = conn->protocol;

    if (x != NULL) {
        return x->server ? x->config : NULL;
    }
    return p != NULL && p->close == ql__http_config_close
             ? ql_queue_data(p, ql_http_config_t, protocol)
             : NULL;
}

/* --------------------------------------------------------- functions ---- */

static int
config_gc(lua_State *L)
{
    ql_http_config_t **held = lua_touserdata(L, 1);

    if (*held != NULL) {
        ql__http_config_drop(*held);
        *held = NULL;
    }
    return 0;
}

ql_http_config_t *
ql__http_config_check(lua_State *L, int idx, const char *method)
{
    ql_http_config_t **held = lua_touserdata(L, idx);
    bool ours = false;

    if (held != NULL && lua_getmetatable(L, idx)) {
        lua_pushlightuserdata(L, (void *) (uintptr_t) &config_kind);
        lua_rawget(L, LUA_REGISTRYINDEX);
        ours = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
    }
    if (!ours) {
        ql_bad_argument(L, idx, "config", method, "what 'config' made");
    }
    return ours ? *held : NULL;
}

/* Pushes the userdata, which holds nothing yet. */
static ql_http_config_t **
config_hold(lua_State *L)
{
    ql_http_config_t **held = lua_newuserdata(L, sizeof(*held));

    *held = NULL;
    lua_pushlightuserdata(L, (void *) (uintptr_t) &config_kind);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_createtable(L, 0, 1);
        lua_pushcfunction(L, config_gc);
        lua_setfield(L, -2, "__gc");
        lua_pushlightuserdata(L, (void *) (uintptr_t) &config_kind);
        lua_pushvalue(L, -2);
        lua_rawset(L, LUA_REGISTRYINDEX);
    }
    lua_setmetatable(L, -2);
    return held;
}

/* The whole number opts[name], of table 1, from min to max; UINT64_MAX: more
 * than can be counted, math.huge too. Raises. */
static uint64_t
config_whole(lua_State *L, const char *name, uint64_t by_default, double min,
             double max)
{
    uint64_t value = by_default;
    double n;

    lua_getfield(L, 1, name);
    if (!lua_isnil(L, -1)) {
        n = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : NAN;
        if (!(n >= min && n <= max && n == floor(n))) {
            char expected[80], end[24] = "up";

            if (max < HUGE_VAL) {
                (void) snprintf(end, sizeof(end), "to %.0f", max);
            }
            (void) snprintf(expected, sizeof(expected),
                            "a whole number from %.0f %s", min, end);
            ql_bad_argument(L, -1, name, "serve", expected);
        }
        value = n < 0x1p53 ? (uint64_t) n : UINT64_MAX;
    }
    lua_pop(L, 1);
    return value;
}

static uint32_t
config_bounded(lua_State *L, const char *name, uint32_t by_default, double min,
               double max)
{
    uint64_t n = config_whole(L, name, by_default, min, max);

    return n < NO_LIMIT ? (uint32_t) n : NO_LIMIT;
}

/* s seconds by default. */
static uint64_t
config_time(lua_State *L, const char *name, unsigned s)
{
    uint64_t ns = (uint64_t) s * 1000000000;

    lua_getfield(L, 1, name);
    if (!lua_isnil(L, -1)) {
        ns = ql_check_timeout(L, -1, name, "serve");
    }
    lua_pop(L, 1);
    /* One that is armed already cannot be taken back by "never". */
    return ns == QL_TIMER_INFINITE ? (uint64_t) 1 << 62 : ns;
}

static void
config_server(lua_State *L, ql_http_config_t *config)
{
    lua_getfield(L, 1, "server");
    if (lua_isstring(L, -1)) {
        int n = snprintf(config->server, sizeof(config->server),
                         "Server: %s\r\n", lua_tostring(L, -1));

        config->server_size = n < (int) sizeof(config->server) ? (uint8_t) n
                                                               : 0;
    }
    lua_pop(L, 1);
}

static void
config_read(lua_State *L, ql_http_config_t *config)
{
    config->limits.line = config_bounded(L, "line", 8192, LINE_LEAST, HUGE_VAL);
    config->limits.head = config_bounded(L, "head", 32768, LINE_LEAST,
                                         HUGE_VAL);
    config->limits.fields = config_bounded(L, "fields", 100, 1, QL_HTTP_FIELDS);
    config->requests = config_bounded(L, "requests", 1000, 1, HUGE_VAL);
    config->rate = config_bounded(L, "min_rate", 240, 0, HUGE_VAL);
    config->body = config_whole(L, "body", 1 << 20, 0, HUGE_VAL);
    config->body_max = config_whole(L, "body_max", UINT64_MAX, 0, HUGE_VAL);
    config->idle_timeout = config_time(L, "idle_timeout", 75);
    config->head_timeout = config_time(L, "head_timeout", 10);
    config->body_timeout = config_time(L, "body_timeout", 60);
    config->send_timeout = config_time(L, "send_timeout", 60);
    config_server(L, config);
    config->half_open = ql_field_flag(L, 1, "half_open");
    config->http2 = ql_field_flag(L, 1, "http2");
    config->unasked = ql_field_flag(L, 1, "unasked");
}

/* config(opts) -> config: the options of http.serve by their names */
static int
http_config(lua_State *L)
{
    ql_http_t *http = ql_http(L);
    ql_http_config_t **held, *config;

    luaL_checktype(L, 1, LUA_TTABLE);
    held = config_hold(L);
    config = calloc(1, sizeof(*config));
    if (config == NULL) {
        return luaL_error(L, "not enough memory");
    }
    *held = config;
    config->holders = 1;
    config->protocol.close = ql__http_config_close;
    config->http = http;
    config_read(L, config);
    return 1;
}

/* attach(conn, config): conn is a server's from now on */
static int
http_attach(lua_State *L)
{
    ql_conn_t *conn = ql__http_connection(L, ql_http(L), "attach");
    ql_http_config_t *config = ql__http_config_check(L, 2, "attach");

    if (conn->handle.closed || conn->protocol != NULL) {
        return ql_push_error(L, conn->handle.closed ? conn->handle.closed
                                                    : QL_E_BUSY_READING);
    }
    config->holders++;
    conn->protocol = &config->protocol;
    conn->messages = 0;
    lua_pushboolean(L, 1);
    return 1;
}

const luaL_Reg ql__http_config_functions[] = {
    {"config", http_config}, {"attach", http_attach}, {NULL, NULL}};
