/*
 * websocket.c: a WebSocket's life: opened on a connection, closed with it; and
 * what its handshake needs.
 */
#include "../stream/connection.h"
#include "websocket.h"

#include "core/sys.h"
#include "websocket/sha1.h"

#include <string.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    MAX = 1 << 30, /* bytes of a message at most */
    KEY = 16       /* random bytes of a handshake's key */
};

/* ------------------------------------------------------------- life ---- */

/* That we leave, if it can be said at once. */
static void
say_going_away(ql_websocket_t *ws)
{
    static const uint8_t code[] = {QL_CLOSE_GOING_AWAY >> 8,
                                   QL_CLOSE_GOING_AWAY & 0xff};

    if (!ws->said && !ws->eof && !ql_op_waiting(&ws->wop)
        && ws->pid == getpid()) {
        ws->c->write.ready = 1; /* so that the kernel is asked */
        ql__websocket_control(ws, QL_FRAME_CLOSE, code, sizeof(code));
    }
}

static void
websocket_close(ql_handle_t *h, int err)
{
    ql_websocket_t *ws = (ql_websocket_t *) h;

    say_going_away(ws);
    ql_op_end(&ws->rop, err);
    ql_op_end(&ws->wop, err);
    if (!ws->rop.pushing) {
        ql_buffer_release(ws->pool, &ws->in);
    }
    ql__websocket_unpark(ws, &ws->c->write);
    free(ws->message);
    free(ws->control);
    ws->message = NULL;
    ws->control = NULL;
    ws->c = NULL;
    ws->stream->restore(ws->lent, &ws->rop);
    ql_handle_close(ws->lent, err);
}

/* A push that raised leaves its bytes behind. */
static void
websocket_collect(ql_handle_t *h)
{
    ql_websocket_t *ws = (ql_websocket_t *) h;

    if (ws->pool != NULL) {
        ql_buffer_release(ws->pool, &ws->in);
    }
}

const ql_handle_type_t ql__websocket_type = {"websocket", websocket_close,
                                             websocket_collect};

/* The connection at index 1 is ours from now on, with what it has received. 0,
 * or why not. */
static int
borrow(lua_State *L, ql_websocket_t *ws)
{
    ql_conn_t *conn;
    ql_buffer_t in;
    int err;

    ws->stream = ql_handle_stream(L, 1, &ws->lent);
    if (ws->stream == NULL) {
        return ql_bad_argument(L, 1, "conn", "websocket", "a connection");
    }
    conn = (ql_conn_t *) ws->lent;
    in = conn->in;
    memset(&conn->in, 0, sizeof(conn->in));
    err = ws->stream->lend(ws->lent, &ws->rop);
    if (err != 0) {
        conn->in = in;
        return err;
    }
    ws->in = in;
    ws->pool = &conn->core->buffers;
    ws->c = conn->c;
    ws->c->data = ws;
    ql_handle_own(ws->lent, NULL);
    return 0;
}

/* open(conn, client, max, deflate, [ping], [send timeout]) -> websocket
 * | nil, err, CODE: the connection is lent to it. */
static int
websocket_open(lua_State *L)
{
    ql_lua_t *lua = lua_touserdata(L, lua_upvalueindex(1));
    uint64_t ping, timeout;
    ql_websocket_t *ws;
    int err;

    lua_settop(L, 6);
    ping = ql_check_timeout(L, 5, "ping", "websocket");
    timeout = ql_check_timeout(L, 6, "send_timeout", "websocket");
    ws = ql_handle_new(L, lua, &ql__websocket_type, sizeof(*ws));
    ws->frames.client = lua_toboolean(L, 2);
    ws->frames.max = (uint64_t) ql_check_whole(L, 3, "max", "websocket", 1,
                                               MAX);
    ws->frames.deflate = lua_toboolean(L, 4);
    ql_op_init(&ws->rop, NULL, lua);
    ql_op_init(&ws->wop, NULL, lua);
    lua_createtable(L, 1, 2);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    lua_setfenv(L, -2);
    err = borrow(L, ws);
    if (err != 0) {
        return ql_push_error(L, err);
    }
    ws->pid = getpid();
    ws->wop.timeout = timeout;
    ws->ping = ping == 0 ? QL_TIMER_INFINITE : ping;
    ws->due = ql__websocket_later(ws, ws->ping);
    ql_handle_open(&ws->handle);
    return 1;
}

/* fields(ws) -> the table of what Lua keeps with it; [1] is the connection */
static int
websocket_fields(lua_State *L)
{
    (void) ql__websocket_check(L, "websocket");
    lua_getfenv(L, 1);
    return 1;
}

/* shut(ws) -> true | nil, err, CODE: closes it and its connection */
static int
websocket_shut(lua_State *L)
{
    ql_websocket_t *ws = ql__websocket_check(L, "close");

    if (ws->handle.closed) {
        return ql_push_error(L, ws->handle.closed);
    }
    ql_handle_close(&ws->handle, QL_E_CLOSED);
    lua_pushboolean(L, 1);
    return 1;
}

/* finder(find, set): find(ws, name) is what is read of one, set(ws, name, value)
 * what is assigned. */
static int
websocket_finder(lua_State *L)
{
    ql_lua_t *lua = lua_touserdata(L, lua_upvalueindex(1));

    lua_settop(L, 2);
    (void) ql_handle_new(L, lua, &ql__websocket_type, sizeof(ql_websocket_t));
    (void) lua_getmetatable(L, -1);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "__newindex");
    return 0;
}

/* -------------------------------------------------------- handshake ---- */

static size_t
base64(char *to, const uint8_t *from, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    char *start = to;

    for (size_t i = 0; i < n; i += 3) {
        uint32_t bits = (uint32_t) from[i] << 16
                      | (uint32_t) (i + 1 < n ? from[i + 1] : 0) << 8
                      | (i + 2 < n ? from[i + 2] : 0);

        *to++ = digits[bits >> 18];
        *to++ = digits[bits >> 12 & 63];
        *to++ = i + 1 < n ? digits[bits >> 6 & 63] : '=';
        *to++ = i + 2 < n ? digits[bits & 63] : '=';
    }
    return (size_t) (to - start);
}

/* accept(key) -> what a server answers to it (RFC 6455, 4.2.2) */
static int
websocket_accept(lua_State *L)
{
    uint8_t sum[20];
    char text[32];
    size_t size;
    const char *both;

    luaL_checkstring(L, 1);
    lua_settop(L, 1);
    lua_pushliteral(L, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    lua_concat(L, 2);
    both = lua_tolstring(L, 1, &size);
    ql_sha1(both, size, sum);
    lua_pushlstring(L, text, base64(text, sum, sizeof(sum)));
    return 1;
}

/* key() -> a new one, random | nil, err, CODE */
static int
websocket_key(lua_State *L)
{
    ql_lua_t *lua = lua_touserdata(L, lua_upvalueindex(1));
    const ql_sys_t *sys = ql_loop_sys(ql_check_loop(L, lua));
    uint8_t bytes[KEY];
    char text[32];

    if (sys->getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
        return ql_push_error(L, errno);
    }
    lua_pushlstring(L, text, base64(text, bytes, sizeof(bytes)));
    return 1;
}

/* utf8(text) -> is it? */
static int
websocket_utf8(lua_State *L)
{
    ql_utf8_t u = {0};
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);

    lua_pushboolean(L, ql_utf8(&u, text, size) && ql_utf8_whole(&u));
    return 1;
}

/* closable(code) -> may a close frame have it? */
static int
websocket_closable(lua_State *L)
{
    double code = lua_tonumber(L, 1);

    lua_pushboolean(L, code >= 0 && code < 65536 && code == (unsigned) code
                           && ql_close_code((unsigned) code));
    return 1;
}

/* ----------------------------------------------------------- module ---- */

static const char module_key = 0; /* registry: address -> the table */

QL_API int luaopen_quoll_core_websocket(lua_State *L);

/* Idempotent: a module loaded anew gets the same table. */
int
luaopen_quoll_core_websocket(lua_State *L)
{
    static const luaL_Reg fns[] = {{"open", websocket_open},
                                   {"fields", websocket_fields},
                                   {"shut", websocket_shut},
                                   {"finder", websocket_finder},
                                   {"accept", websocket_accept},
                                   {"key", websocket_key},
                                   {"utf8", websocket_utf8},
                                   {"closable", websocket_closable},
                                   {NULL, NULL}};

    lua_pushlightuserdata(L, (void *) (uintptr_t) &module_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (lua_istable(L, -1)) {
        return 1;
    }
    lua_createtable(L, 0, 16);
    lua_pushlightuserdata(L, ql_lua_open(L));
    luaL_setfuncs(L, fns, 1);
    lua_pushlightuserdata(L, ql_lua(L));
    luaL_setfuncs(L, ql__websocket_receive_functions, 1);
    lua_pushlightuserdata(L, ql_lua(L));
    luaL_setfuncs(L, ql__websocket_drain_functions, 1);
    lua_pushlightuserdata(L, ql_lua(L));
    luaL_setfuncs(L, ql__websocket_send_functions, 1);
    ql_handle_methods(L, &ql__websocket_type);
    lua_setfield(L, -2, "methods");
    lua_pushlightuserdata(L, (void *) (uintptr_t) &module_key);
    lua_pushvalue(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return 1;
}
