/*
 * context.c: contexts: made of a table of texts by a thread, kept by the
 * script as a userdata.
 */
#include "core_tls.h"

#include <errno.h>
#include <stdio.h>

static const char *const texts[QL_TLS_TEXTS] = {
    [QL_TLS_CERT] = "cert",
    [QL_TLS_KEY] = "key",
    [QL_TLS_PASSWORD] = "password",
    [QL_TLS_CA] = "ca",
    [QL_TLS_CRL] = "crl",
    [QL_TLS_CIPHERS] = "ciphers",
    [QL_TLS_SUITES] = "ciphersuites",
    [QL_TLS_GROUPS] = "groups",
    [QL_TLS_ALPN] = "alpn",
    [QL_TLS_TICKET_KEY] = "ticket_key",
    [QL_TLS_STAPLE] = "ocsp_response",
    [QL_TLS_ID] = "id",
};

static const char metatable[] = "quoll.tls.context";

ql_tls_context_t *
ql__tls_check_context(lua_State *L, int idx, const char *method)
{
    ql_tls_box_t *box = lua_touserdata(L, idx);
    bool ours = false;

    if (box != NULL && lua_getmetatable(L, idx)) {
        luaL_getmetatable(L, metatable);
        ours = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
    }
    if (!ours) {
        ql_bad_argument(L, idx, "context", method, "a TLS context");
        return NULL;
    }
    return box->context;
}

static int
context_gc(lua_State *L)
{
    ql_tls_box_t *box = lua_touserdata(L, 1);

    if (box->context != NULL) {
        ql_tls_context_unref(box->context);
        box->context = NULL;
    }
    return 0;
}

/* nil, "cert: no start line", "NO_START_LINE" */
static int
push_failure(lua_State *L, const ql_tls_make_t *make, int err)
{
    char code[96];
    char *p;

    if (err != EINVAL || make->what < 0) {
        return ql_push_error(L, err);
    }
    (void) snprintf(code, sizeof(code), "%s",
                    make->why[0] != '\0' ? make->why : "refused");
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", texts[make->what], code);
    for (p = code; *p != '\0'; p++) {
        *p = *p >= 'a' && *p <= 'z' ? (char) (*p - 'a' + 'A')
           : *p >= '0' && *p <= '9' ? *p
                                    : '_';
    }
    lua_pushstring(L, code);
    return 3;
}

/* The box is made before what it is to own is taken. */
static int
context_push(lua_State *L, ql_call_t *call, int err)
{
    ql_tls_make_t *make = (ql_tls_make_t *) call;
    ql_tls_box_t *box;

    if (err != 0) {
        return push_failure(L, make, err);
    }
    box = lua_newuserdata(L, sizeof(*box));
    box->context = NULL;
    luaL_getmetatable(L, metatable);
    lua_setmetatable(L, -2);
    box->context = ql_tls_make_take(make);
    return 1;
}

static void
read_texts(lua_State *L, ql_tls_conf_t *conf)
{
    for (int i = 0; i < QL_TLS_TEXTS; i++) {
        ql_tls_text_t *text = &conf->texts[i];

        lua_getfield(L, 1, texts[i]);
        /* A copy is made while the table still anchors it. */
        text->data = lua_type(L, -1) == LUA_TSTRING
                       ? lua_tolstring(L, -1, &text->size)
                       : NULL;
        lua_pop(L, 1);
    }
}

/* make(settings) -> context | nil, err, CODE. Checked by lua/quoll/tls. */
static int
context_make(lua_State *L)
{
    ql_lua_t *lua = ql__tls_lua(L);
    ql_loop_t *loop = ql_check_loop(L, lua);
    ql_tls_conf_t conf = {.verify = SSL_VERIFY_NONE};
    ql_lua_call_t *w;

    luaL_checktype(L, 1, LUA_TTABLE);
    read_texts(L, &conf);
    if (ql_field_flag(L, 1, "verify")) {
        conf.verify = SSL_VERIFY_PEER;
    }
    if (ql_field_flag(L, 1, "demand")) {
        conf.verify |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    }
    conf.min_version = ql_field_number(L, 1, "min", 0) == 3 ? TLS1_3_VERSION
                                                            : TLS1_2_VERSION;
    conf.max_version = ql_field_number(L, 1, "max", 0) == 2 ? TLS1_2_VERSION
                                                            : TLS1_3_VERSION;
    conf.server = ql_field_flag(L, 1, "server");
    conf.names = ql_field_flag(L, 1, "names");
    conf.staple = ql_field_flag(L, 1, "ocsp");
    conf.keylog = ql_field_flag(L, 1, "keylog");
    w = ql_lua_call_new(L, lua, context_push);
    w->call = (ql_call_t *) ql_tls_make(loop, &conf);
    return ql_lua_call_await(L, w);
}

void
ql__open_context(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {{"make", context_make}, {NULL, NULL}};

    if (luaL_newmetatable(L, metatable)) {
        lua_pushcfunction(L, context_gc);
        lua_setfield(L, -2, "__gc");
        lua_pushliteral(L, "tls context");
        lua_setfield(L, -2, "__metatable");
    }
    lua_pop(L, 1);
    lua_pushlightuserdata(L, lua);
    luaL_setfuncs(L, fns, 1);
}
