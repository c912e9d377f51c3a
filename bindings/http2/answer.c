/*
 * answer.c: what goes back on a stream: a head, then the body as it is
 * written, as fast as the peer's windows let it.
 */
#include "session.h"

#include <string.h>

/* The stream of argument 2 while it can still be answered; else NULL. */
static ql_h2_stream_t *
answerable(lua_State *L, ql_h2_t *h2)
{
    ql_h2_stream_t *s = ql__h2_find(h2, (int32_t) luaL_checkinteger(L, 2));

    return s != NULL && !s->closed && !h2->dead ? s : NULL;
}

/* How many fields the table at idx holds: name, value, name, value, ... They
 * go to *fields, a userdata on top of the stack. */
static size_t
check_fields(lua_State *L, int idx, nghttp2_nv **fields)
{
    size_t n = lua_objlen(L, idx) / 2;
    nghttp2_nv *nv = lua_newuserdata(L, sizeof(*nv) * (n + 1));

    memset(nv, 0, sizeof(*nv) * (n + 1));
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, idx, (int) i * 2 + 1);
        lua_rawgeti(L, idx, (int) i * 2 + 2);
        if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING) {
            luaL_error(L, "bad field");
        }
        nv[i].name = (uint8_t *) (uintptr_t) lua_tolstring(L, -2,
                                                           &nv[i].namelen);
        nv[i].value = (uint8_t *) (uintptr_t) lua_tolstring(L, -1,
                                                            &nv[i].valuelen);
        lua_pop(L, 2); /* the table holds them */
    }
    *fields = nv;
    return n;
}

static ssize_t
read_out(nghttp2_session *session, int32_t id, uint8_t *to, size_t size,
         uint32_t *flags, nghttp2_data_source *source, void *data)
{
    ql_h2_stream_t *s = source->ptr;
    uint32_t n = ql_buffer_unread(&s->out);

    (void) session;
    (void) id;
    (void) data;
    if (n == 0 && !s->finished) {
        s->starved = 1;
        return NGHTTP2_ERR_DEFERRED;
    }
    n = size < n ? (uint32_t) size : n;
    if (n > 0) {
        memcpy(to, ql_buffer_bytes(&s->out), n);
        ql_buffer_consume(&s->out, n);
    }
    if (ql_buffer_unread(&s->out) == 0 && s->finished) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    if (s->full && ql_buffer_unread(&s->out) < QL_H2_OUT_LOW) {
        s->full = 0;
        ql__h2_tell(s);
    }
    ql_buffer_settle(&s->h2->core->buffers, &s->out);
    return n;
}

static int
push_rc(lua_State *L, int rc)
{
    lua_pushboolean(L, rc == 0);
    return 1;
}

/* inform(session, id, fields) -> boolean: a 1xx head */
static int
answer_inform(lua_State *L)
{
    ql_h2_t *h2 = ql__h2_check(L, "inform");
    ql_h2_stream_t *s = answerable(L, h2);
    nghttp2_nv *nv;
    size_t n = check_fields(L, 3, &nv);

    return push_rc(
        L, s == NULL ? -1
                     : nghttp2_submit_headers(h2->session, NGHTTP2_FLAG_NONE,
                                              s->id, NULL, nv, n, NULL));
}

/* respond(session, id, fields, body) -> boolean: false when the stream cannot
 * be answered any more. body: true: written afterwards. */
static int
answer_respond(lua_State *L)
{
    ql_h2_t *h2 = ql__h2_check(L, "respond");
    ql_h2_stream_t *s = answerable(L, h2);
    nghttp2_data_provider body = {{.ptr = s}, read_out};
    nghttp2_nv *nv;
    size_t n = check_fields(L, 3, &nv);

    return push_rc(L, s == NULL ? -1
                                : nghttp2_submit_response(
                                    h2->session, s->id, nv, n,
                                    lua_toboolean(L, 4) ? &body : NULL));
}

static void
stream_resume(ql_h2_stream_t *s)
{
    if (s->starved) {
        s->starved = 0;
        nghttp2_session_resume_data(s->h2->session, s->id);
    }
}

/* write(session, id, bytes) -> true: more is welcome | false: once the stream
 * is among the news | nil: nobody wants it */
static int
answer_write(lua_State *L)
{
    ql_h2_t *h2 = ql__h2_check(L, "write");
    ql_h2_stream_t *s = answerable(L, h2);
    size_t size;
    const char *bytes = luaL_checklstring(L, 3, &size);

    if (s == NULL) {
        lua_pushnil(L);
        return 1;
    }
    if (size > 0 && ql__h2_append(h2, &s->out, bytes, size) != NGX_OK) {
        return ql_raise(L, "not enough memory");
    }
    stream_resume(s);
    s->full = ql_buffer_unread(&s->out) >= QL_H2_OUT_FULL;
    lua_pushboolean(L, !s->full);
    return 1;
}

/* finish(session, id): nothing follows what has been written. */
static int
answer_finish(lua_State *L)
{
    ql_h2_t *h2 = ql__h2_check(L, "finish");
    ql_h2_stream_t *s = answerable(L, h2);

    if (s != NULL) {
        s->finished = 1;
        stream_resume(s);
    }
    return 0;
}

/* reset(session, id, code): a RST_STREAM, if the stream is still there. */
static int
answer_reset(lua_State *L)
{
    ql_h2_t *h2 = ql__h2_check(L, "reset");
    ql_h2_stream_t *s = answerable(L, h2);

    if (s != NULL) {
        nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, s->id,
                                  (uint32_t) luaL_checkinteger(L, 3));
    }
    return 0;
}

void
ql__h2_open_answer(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg functions[] = {
        {"inform", answer_inform}, {"respond", answer_respond},
        {"write", answer_write},   {"finish", answer_finish},
        {"reset", answer_reset},   {NULL, NULL},
    };

    for (const luaL_Reg *fn = functions; fn->name != NULL; fn++) {
        lua_pushlightuserdata(L, core);
        lua_pushcclosure(L, fn->func, 1);
        lua_setfield(L, -2, fn->name);
    }
}
