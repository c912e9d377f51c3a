/*
 * session.c: the session as a handle of Lua: bytes in, bytes out, news.
 */
#include "session.h"

#include <string.h>

enum {
    WINDOW = 64 * 1024,      /* bytes of a body that wait for their reader */
    CONNECTION = 1024 * 1024 /* bytes under way of all streams together */
};

static void
session_close(ql_handle_t *h, int err)
{
    ql_h2_t *h2 = ql_queue_data(h, ql_h2_t, handle);

    (void) err;
    nghttp2_session_del(h2->session);
    h2->session = NULL;
    while (!ql_queue_empty(&h2->streams)) {
        ql__h2_stream_free(
            ql_queue_data(h2->streams.next, ql_h2_stream_t, link));
    }
}

const ql_handle_type_t ql__h2_type = {"http2 session", session_close, NULL};

ql_h2_t *
ql__h2_check(lua_State *L, const char *method)
{
    ql_h2_t *h2 = ql_handle_check(L, 1, &ql__h2_type, method);

    if (h2->handle.closed) {
        ql_raise(L, "the session is closed");
    }
    return h2;
}

static int
session_init(ql_h2_t *h2, uint32_t streams)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, h2->head_max},
    };
    nghttp2_session_callbacks *cbs = ql__h2_callbacks();
    nghttp2_option *option = NULL;
    int rc = NGHTTP2_ERR_NOMEM;

    if (cbs != NULL && nghttp2_option_new(&option) == 0) {
        nghttp2_option_set_no_auto_window_update(option, 1);
        rc = nghttp2_session_server_new2(&h2->session, cbs, h2, option);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(cbs);
    if (rc == 0) {
        rc = nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings,
                                     sizeof(settings) / sizeof(settings[0]));
    }
    if (rc == 0) {
        rc = nghttp2_session_set_local_window_size(
            h2->session, NGHTTP2_FLAG_NONE, 0, CONNECTION);
    }
    return rc;
}

/* new(streams, head, fields) -> session: how many streams at a time, bytes and
 * number of the fields of a request. */
static int
session_new(lua_State *L)
{
    ql_core_t *core = ql_core(L);
    uint32_t streams = (uint32_t) luaL_checkinteger(L, 1);
    ql_h2_t *h2 = ql_handle_new(L, core->lua, &ql__h2_type, sizeof(*h2));
    int rc;

    ql_queue_init(&h2->streams);
    ql_queue_init(&h2->news);
    h2->core = core;
    h2->loop = ql_check_loop(L, core->lua);
    h2->head_max = (uint32_t) luaL_checkinteger(L, 2);
    h2->fields_max = (uint32_t) luaL_checkinteger(L, 3);
    h2->control = QL_H2_CONTROL_MAX;
    h2->refilled = ql_msec(h2->loop);
    rc = session_init(h2, streams);
    if (rc != 0) {
        nghttp2_session_del(h2->session);
        return ql_raise(L, "http2: %s", nghttp2_strerror(rc));
    }
    ql_handle_open(&h2->handle);
    return 1;
}

static ssize_t
receive(ql_h2_t *h2, const char *bytes, size_t size)
{
    ssize_t rc = nghttp2_session_mem_recv(h2->session, (const uint8_t *) bytes,
                                          size);

    if (rc >= 0 && h2->flooded) {
        rc = nghttp2_session_terminate_session(h2->session,
                                               NGHTTP2_ENHANCE_YOUR_CALM);
    }
    return rc;
}

/* feed(session, bytes) -> true | nil, text: the connection has to end, after
 * what output() still gives. */
static int
session_feed(lua_State *L)
{
    ql_h2_t *h2 = ql__h2_check(L, "feed");
    size_t size;
    const char *bytes = luaL_checklstring(L, 2, &size);
    ssize_t rc = h2->dead ? NGHTTP2_ERR_INVALID_STATE
                          : receive(h2, bytes, size);

    if (rc < 0) {
        h2->dead = 1;
        lua_pushnil(L);
        lua_pushstring(L, nghttp2_strerror((int) rc));
        return 2;
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* output(session, max) -> about so many bytes at most | nil: nothing to send */
static int
session_output(lua_State *L)
{
    ql_h2_t *h2 = ql__h2_check(L, "output");
    size_t max = (size_t) luaL_checkinteger(L, 2);
    size_t have = 0;
    luaL_Buffer b;

    luaL_buffinit(L, &b);
    while (have < max) {
        const uint8_t *bytes;
        ssize_t n = nghttp2_session_mem_send(h2->session, &bytes);

        if (n <= 0) {
            h2->dead |= n < 0;
            break;
        }
        luaL_addlstring(&b, (const char *) bytes, (size_t) n);
        have += (size_t) n;
    }
    luaL_pushresult(&b);
    if (have == 0) {
        lua_pushnil(L);
    }
    return 1;
}

/* next(session) -> id, fresh, ended, sent, closed, reset: a stream of which
 * something new is known | nil. A fresh one is Lua's until it forgets it. */
static int
session_next(lua_State *L)
{
    ql_h2_t *h2 = ql__h2_check(L, "next");
    ql_h2_stream_t *s;

    if (ql_queue_empty(&h2->news)) {
        lua_pushnil(L);
        return 1;
    }
    s = ql_queue_data(h2->news.next, ql_h2_stream_t, next);
    ql_queue_remove(&s->next);
    lua_pushinteger(L, s->id);
    lua_pushboolean(L, s->fresh);
    lua_pushboolean(L, s->ended);
    lua_pushboolean(L, s->sent);
    lua_pushboolean(L, s->closed);
    lua_pushboolean(L, s->reset);
    s->told |= s->fresh;
    s->fresh = 0;
    return 6;
}

static ql_h2_stream_t *
check_stream(lua_State *L, ql_h2_t *h2)
{
    return ql__h2_find(h2, (int32_t) luaL_checkinteger(L, 2));
}

static int
push_fields(lua_State *L, ql_h2_t *h2, ql_h2_fields_t *fields)
{
    if (fields == NULL || fields->large) {
        lua_pushnil(L);
    } else {
        ql__h2_push_fields(L, h2, fields);
    }
    return 1;
}

/* head(session, id) -> { name, value, ... } | nil: above the limits, or gone */
static int
session_head(lua_State *L)
{
    ql_h2_t *h2 = ql__h2_check(L, "head");
    ql_h2_stream_t *s = check_stream(L, h2);

    return push_fields(L, h2, s != NULL ? &s->head : NULL);
}

/* trailers(session, id) -> as head: what has come behind the body */
static int
session_trailers(lua_State *L)
{
    ql_h2_t *h2 = ql__h2_check(L, "trailers");
    ql_h2_stream_t *s = check_stream(L, h2);

    return push_fields(L, h2, s != NULL ? &s->trailer : NULL);
}

/* read(session, id, max) -> bytes | nil: the body has ended, or the stream |
 * false: none yet. What is read may be sent again by the peer. */
static int
session_read(lua_State *L)
{
    ql_h2_t *h2 = ql__h2_check(L, "read");
    ql_h2_stream_t *s = check_stream(L, h2);
    lua_Number max = luaL_checknumber(L, 3);
    uint32_t n = s != NULL ? ql_buffer_unread(&s->in) : 0;

    if (n == 0) {
        if (s == NULL || s->ended || s->closed) {
            lua_pushnil(L);
        } else {
            lua_pushboolean(L, 0);
        }
        return 1;
    }
    n = max < n ? (uint32_t) max : n;
    lua_pushlstring(L, ql_buffer_bytes(&s->in), n);
    ql_buffer_consume(&s->in, n);
    ql_buffer_settle(&h2->core->buffers, &s->in);
    if (!s->closed) {
        nghttp2_session_consume_stream(h2->session, s->id, n);
    }
    return 1;
}

/* forget(session, id): the stream's task has ended. */
static int
session_forget(lua_State *L)
{
    ql_h2_t *h2 = ql__h2_check(L, "forget");
    ql_h2_stream_t *s = check_stream(L, h2);

    if (s != NULL) {
        s->told = 0;
        ql_queue_remove(&s->next);
        ql_buffer_release(&h2->core->buffers, &s->in);
        ql__h2_stream_settle(s);
    }
    return 0;
}

/* leave(session): a GOAWAY; the streams that are under way go on. */
static int
session_leave(lua_State *L)
{
    ql_h2_t *h2 = ql__h2_check(L, "leave");

    nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(h2->session),
                          NGHTTP2_NO_ERROR, NULL, 0);
    return 0;
}

/* wants(session) -> boolean, boolean: more may come; it has failed: the GOAWAY
 * that says why has been given out, or cannot be */
static int
session_wants(lua_State *L)
{
    ql_h2_t *h2 = ql__h2_check(L, "wants");

    lua_pushboolean(L, !h2->dead && nghttp2_session_want_read(h2->session));
    lua_pushboolean(L, h2->dead);
    return 2;
}

static const luaL_Reg functions[] = {
    {"new", session_new},
    {"feed", session_feed},
    {"output", session_output},
    {"next", session_next},
    {"head", session_head},
    {"trailers", session_trailers},
    {"read", session_read},
    {"forget", session_forget},
    {"leave", session_leave},
    {"wants", session_wants},
    {NULL, NULL},
};

static const char module_key = 0; /* registry: address -> the table */

QL_API int luaopen_quoll_core_http2(lua_State *L);

/* Idempotent: a module loaded anew gets the same table. */
int
luaopen_quoll_core_http2(lua_State *L)
{
    ql_core_t *core;

    lua_pushlightuserdata(L, (void *) (uintptr_t) &module_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (lua_istable(L, -1)) {
        return 1;
    }
    lua_getglobal(L, "require");
    lua_pushliteral(L, "quoll.core");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "context");
    core = lua_touserdata(L, -1);
    lua_createtable(L, 0, 16);
    for (const luaL_Reg *fn = functions; fn->name != NULL; fn++) {
        lua_pushlightuserdata(L, core);
        lua_pushcclosure(L, fn->func, 1);
        lua_setfield(L, -2, fn->name);
    }
    ql__h2_open_answer(L, core);
    lua_pushlightuserdata(L, (void *) (uintptr_t) &module_key);
    lua_pushvalue(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return 1;
}
