/*
 * part.c: an answer whose body is a part of a file, as far as C goes: its head
 * is gathered, and the connection sends the rest behind it.
 */
#include "http.h"

enum {
    OK = 2, /* of answer's arguments, as reply.c has them */
    STATUS,
    BODY,
    HEADERS
};

typedef struct {
    ql_handle_t *file;
    int64_t offset;
    int64_t n;
} part_t;

/* A whole number of the table at BODY. */
static bool
whole(lua_State *L, const char *name, int64_t *value)
{
    lua_Number n;

    lua_pushstring(L, name);
    lua_rawget(L, BODY);
    n = lua_tonumber(L, -1);
    if (lua_type(L, -1) != LUA_TNUMBER || !(n >= 0 && n <= 0x1p52)) {
        return false;
    }
    *value = (int64_t) n;
    return (lua_Number) *value == n;
}

/* The value at BODY, if it is a part: its file is on top. */
static bool
part_read(lua_State *L, const ql_http_t *http, part_t *part)
{
    if (!lua_getmetatable(L, BODY)) {
        return false;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, http->parts);
    if (!lua_rawequal(L, -1, -2) || !whole(L, "offset", &part->offset)
        || !whole(L, "n", &part->n))
    {
        return false;
    }
    lua_pushliteral(L, "file");
    lua_rawget(L, BODY);
    part->file = ql_handle_test(L, -1);
    return part->file != NULL && part->file->type == http->stream->file_type
        && part->file->closed == 0;
}

/* The handler has left nothing to end but the file, at most. */
static bool
nothing_else(const ql_http_exchange_t *x, const ql_handle_t *file)
{
    const ql_lua_t *lua = x->config->http->lua;
    const ql_handle_t *conn = &x->conn->handle;

    return !ql_task_touched(lua, conn)
        || (file->owner == conn->owner && file->link.next == &conn->link
            && !ql_task_touched(lua, file));
}

/* What the handler has opened ends before the next request. */
static void
let_go(const ql_conn_t *conn, ql_handle_t *file)
{
    if (file->owner != NULL && file->owner == conn->handle.owner) {
        ql_handle_close(file, QL_E_OWNER_ENDED);
    }
}

/* The connection is at index 1, the file at 2; all has been sent, or why not. */
static int
part_sent(lua_State *L, ql_conn_t *conn, int err)
{
    ql_http_exchange_t *x = ql__http_exchange(conn);

    let_go(conn, ql_handle_test(L, 2));
    if (conn->handle.closed || x == NULL || x->state != QL_HTTP_OUT) {
        return ql_push_error(L, conn->handle.closed ? conn->handle.closed
                                                    : QL_E_CLOSED);
    }
    if (err != 0) {
        return ql_push_error(L, err);
    }
    ql__http_answered(x);
    return 0;
}

/* Gathers the head of what the results are; false: not an answer for here. */
static bool
part_head(lua_State *L, ql_http_exchange_t *x, part_t *part)
{
    ql_http_head_t head = {.status = 0};

    if (!lua_istable(L, BODY)
        || !(lua_istable(L, HEADERS) || lua_isnoneornil(L, HEADERS))
        || !lua_toboolean(L, OK) || lua_type(L, STATUS) != LUA_TNUMBER
        || x->begun || !ql__http_reply_status(L, &head)
        || !part_read(L, x->config->http, part) || !nothing_else(x, part->file))
    {
        return false;
    }
    head.headers = lua_istable(L, HEADERS) ? HEADERS : 0;
    head.length = (uint64_t) part->n;
    return ql__http_put_head(L, x, &head) == NULL;
}

bool
ql__http_answer_part(lua_State *L, ql_http_exchange_t *x, int *results)
{
    ql_conn_t *conn = x->conn;
    int top = lua_gettop(L);
    part_t part;

    if (!part_head(L, x, &part)) {
        lua_settop(L, top);
        return false;
    }
    lua_replace(L, 2);
    lua_settop(L, 2);
    if (x->bodyless || part.n == 0) {
        *results = ql_return(L, x->config->http->lua, part_sent(L, conn, 0));
        return true;
    }
    conn->wop.timeout = x->config->send_timeout;
    *results = x->config->http->stream->sendfile(L, conn, part.offset, part.n,
                                                 part_sent);
    return true;
}

/* parts(metatable): that of the bodies which are parts of files */
static int
http_parts(lua_State *L)
{
    ql_http_t *http = ql_http(L);

    lua_settop(L, 1);
    luaL_unref(L, LUA_REGISTRYINDEX, http->parts);
    http->parts = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

const luaL_Reg ql__http_part_functions[] = {{"parts", http_parts},
                                            {NULL, NULL}};
