/*
 * reply.c: a handler's results as an answer, as far as C goes: strings. What
 * takes more than one send is put together in lua/quoll/http/respond.lua of
 * head, write and finish.
 */
#include "http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    OK = 2, /* of step's arguments: the handler has returned */
    FIRST,  /* body, or status */
    BODY,
    HEADERS
};

bool
ql__http_reply_status(lua_State *L, ql_http_head_t *head)
{
    lua_Number status = lua_tonumber(L, FIRST);

    head->status = status >= 200 && status <= 599 ? (unsigned) status : 0;
    return head->status == status;
}

/* The body at idx, "" of none, into *head; false: it is no string. */
static bool
reply_body(lua_State *L, int idx, ql_http_head_t *head, const char **body)
{
    size_t n = 0;

    *body = lua_isnoneornil(L, idx) ? "" : lua_tolstring(L, idx, &n);
    head->length = n;
    head->text = n > 0;
    return *body != NULL;
}

/* What the values are; false: nothing for C. The body's index is *at. */
static bool
reply_read(lua_State *L, ql_http_head_t *head, const char **body, int *at)
{
    int type = lua_toboolean(L, OK) ? lua_type(L, FIRST) : LUA_TNIL;
    size_t n;

    if (type == LUA_TSTRING) {
        *at = FIRST;
        *body = lua_tolstring(L, FIRST, &n);
        *head = (ql_http_head_t){.status = 200, .length = n, .text = n > 0};
        return lua_gettop(L) == FIRST || lua_isnil(L, BODY);
    }
    *at = BODY;
    if (type != LUA_TNUMBER || !ql__http_reply_status(L, head)
        || !reply_body(L, BODY, head, body))
    {
        return false;
    }
    head->headers = lua_istable(L, HEADERS) ? HEADERS : 0;
    return head->headers != 0 || lua_isnoneornil(L, HEADERS);
}

/* A short body is copied behind its head; a long one is sent from where it is
 * and becomes the value behind the connection. */
static int
put_body(lua_State *L, ql_http_exchange_t *x, const char *body, size_t n,
         int at)
{
    if (n <= QL_HTTP_COPIED) {
        return ql__http_put(x, body, n);
    }
    lua_pushvalue(L, at);
    lua_replace(L, 2);
    lua_settop(L, 2);
    x->tail = body;
    x->tail_size = n;
    return NGX_OK;
}

int
ql__http_reply(lua_State *L, ql_http_exchange_t *x, size_t longest)
{
    ql_http_head_t head = {.status = 0};
    const char *body;
    int at;

    if (x->begun || ql_task_touched(x->config->http->lua, &x->conn->handle)
        || !reply_read(L, &head, &body, &at) || head.length > longest
        || ql__http_put_head(L, x, &head) != NULL)
    {
        return NGX_DECLINED;
    }
    if (!x->bodyless
        && put_body(L, x, body, (size_t) head.length, at) != NGX_OK) {
        x->keep = 0;
    }
    ql__http_answered(x);
    return NGX_OK;
}

/* --------------------------------------------------------- functions ---- */

/* The exchange of the connection at index 1 whose message is out. */
static ql_http_exchange_t *
check_answering(lua_State *L, const char *method)
{
    ql_conn_t *conn = ql__http_connection(L, ql_http(L), method);
    ql_http_exchange_t *x = ql__http_exchange(conn);

    return x != NULL && x->server && x->state == QL_HTTP_OUT ? x : NULL;
}

static int
push_over(lua_State *L)
{
    return ql_push_error(L, QL_E_CLOSED);
}

/* head(conn, status, headers|nil, length|nil, [text]) -> does a body follow,
 * is it chunked | nil, why: a header is bad, nothing is gathered | nil, err,
 * CODE. Without a length it is chunked, or ends with the connection. */
static int
http_head(lua_State *L)
{
    ql_http_exchange_t *x = check_answering(L, "head");
    ql_http_head_t head = {.status = (unsigned) lua_tointeger(L, 2),
                           .headers = lua_istable(L, 3) ? 3 : 0,
                           .text = lua_toboolean(L, 5)};
    const char *why;

    if (x == NULL) {
        return push_over(L);
    }
    head.chunked = lua_isnil(L, 4);
    head.length = (uint64_t) lua_tonumber(L, 4);
    x->conn->wop.timeout = x->config->send_timeout;
    why = ql__http_put_head(L, x, &head);
    if (why != NULL) {
        lua_pushnil(L);
        lua_pushstring(L, why);
        return 2;
    }
    if (head.chunked) {
        x->config->http->stream->cork_resume(x->conn);
    }
    lua_pushboolean(L, !x->bodyless);
    lua_pushboolean(L, x->chunked);
    return 2;
}

/* reply(conn, ok, results...) -> status, bytes of the body | nothing: not an answer
 * for C */
static int
http_reply(lua_State *L)
{
    ql_http_exchange_t *x = check_answering(L, "reply");

    if (x == NULL) {
        return 0;
    }
    ql__http_unwatch(x);
    if (ql__http_reply(L, x, QL_HTTP_COPIED) != NGX_OK) {
        return 0;
    }
    lua_pushinteger(L, x->status);
    lua_pushnumber(L, (lua_Number) x->length);
    return 2;
}

/* touched(conn) -> has the handler left something to end? */
static int
http_touched(lua_State *L)
{
    const ql_http_t *http = ql_http(L);
    const ql_conn_t *conn = ql__http_connection(L, http, "touched");

    lua_pushboolean(L, ql_task_touched(http->lua, &conn->handle));
    return 1;
}

/* put(conn, bytes): gathered behind what is */
static int
http_put(lua_State *L)
{
    ql_http_exchange_t *x = check_answering(L, "put");
    size_t n;
    const char *bytes = luaL_checklstring(L, 2, &n);

    if (x == NULL) {
        return push_over(L);
    }
    if (ql__http_put(x, bytes, n) != NGX_OK) {
        return ql_push_error(L, ENOMEM);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* begun(conn) -> has the head of the answer been gathered? */
static int
http_begun(lua_State *L)
{
    const ql_http_exchange_t *x = check_answering(L, "begun");

    lua_pushboolean(L, x != NULL && x->begun);
    return 1;
}

/* line(conn) -> the begin of the line of the request that is out | nil: none is,
 * the connection was taken or has been closed */
static int
http_line(lua_State *L)
{
    const ql_http_exchange_t *x = check_answering(L, "line");

    if (x == NULL) {
        return 0;
    }
    lua_pushstring(L, x->line);
    return 1;
}

/* refused(conn) -> status, bytes of the body, begin of the request's first line:
 * of the request that a step has answered by itself | nil: it has none */
static int
http_refused(lua_State *L)
{
    const ql_conn_t *conn = ql__http_connection(L, ql_http(L), "refused");
    const ql_http_exchange_t *x = ql__http_exchange(conn);

    if (conn->handle.closed || x == NULL || !x->refused) {
        return 0;
    }
    lua_pushnumber(L, x->status);
    lua_pushnumber(L, (lua_Number) x->length);
    lua_pushstring(L, x->line);
    return 3;
}

/* chunk(n) -> the line before n bytes of a chunked body */
static int
http_chunk(lua_State *L)
{
    char line[24];
    int n = snprintf(line, sizeof(line), "%llx\r\n",
                     (unsigned long long) lua_tonumber(L, 1));

    lua_pushlstring(L, line, (size_t) n);
    return 1;
}

/* finish(conn): all of the answer has been sent. */
static int
http_finish(lua_State *L)
{
    ql_http_exchange_t *x = check_answering(L, "finish");

    if (x == NULL) {
        return push_over(L);
    }
    ql__http_answered(x);
    lua_pushboolean(L, 1);
    return 1;
}

/* watch(conn, on): is the client's leaving to cancel the task? */
static int
http_watch(lua_State *L)
{
    ql_http_exchange_t *x = check_answering(L, "watch");

    if (x != NULL && lua_toboolean(L, 2)) {
        ql__http_watch(x);
    } else if (x != NULL) {
        ql__http_unwatch(x);
    }
    return 0;
}

/* reason(status) -> "Not Found", "" */
static int
http_reason(lua_State *L)
{
    lua_pushstring(L, ql_http_reason((unsigned) luaL_checkinteger(L, 1)));
    return 1;
}

const luaL_Reg ql__http_reply_functions[] = {
    {"head", http_head},       {"begun", http_begun},
    {"chunk", http_chunk},     {"touched", http_touched},
    {"put", http_put},         {"reply", http_reply},
    {"finish", http_finish},   {"watch", http_watch},
    {"reason", http_reason},   {"line", http_line},
    {"refused", http_refused}, {NULL, NULL}};
