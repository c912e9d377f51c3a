/*
 * held.c: what a script gets of a request, or a response: the bytes of its
 * head, and what is asked for most. The rest is looked up in these bytes.
 */
#include "http.h"

#include <string.h>

/* ---------------------------------------------------------------- push ---- */

void
ql__http_use_head(ql_http_exchange_t *x)
{
    ql_conn_t *conn = x->conn;

    conn->messages++;
    ql_buffer_consume(&conn->in, x->m->size);
    if (x->m->ended) {
        ql__http_message_free(x);
    }
    ql_buffer_settle(&conn->core->buffers, &conn->in);
}

/* A string may be made only by a collection, whose finalisers may close the
 * connection: only its bytes stay then. */
static int
push_strings(lua_State *L, const ql_http_message_t *m, const char *bytes)
{
    ql_http_span_t path = m->path, query = m->query;

    lua_pushlstring(L, bytes, m->size);
    lua_pushlstring(L, bytes + path.at, path.size);
    if (query.size == 0) {
        return 2;
    }
    lua_pushlstring(L, bytes + query.at, query.size);
    return 3;
}

int
ql__http_push(lua_State *L, ql_http_exchange_t *x)
{
    ql_conn_t *conn = x->conn;
    unsigned kind = x->m->kind == QL_HTTP_REQUEST ? x->m->method : x->m->status;
    unsigned pushing = conn->rop.pushing;
    int n;

    x->serial = conn->messages + 1;
    lua_pushnumber(L, x->serial);
    lua_pushnumber(L, kind + (conn->c->transport != NULL ? QL_HTTP_TLS : 0));
    conn->rop.pushing = 1;
    n = 2 + push_strings(L, x->m, ql_buffer_bytes(&conn->in));
    conn->rop.pushing = pushing & 1;
    if (conn->handle.closed) {
        ql_buffer_release(&conn->core->buffers, &conn->in);
        return 0;
    }
    ql__http_use_head(x);
    return n;
}

/* ---------------------------------------------------------------- look ---- */

/* The limits of what has been within a server's, or a client's. */
static const ql_http_limits_t no_limits = {1 << 30, 1 << 30, QL_HTTP_FIELDS};

/* The head at idx; false: it is none. */
static bool
parse(lua_State *L, int idx, ql_http_t *http, const char *head, size_t n)
{
    ql_http_message_t *m = &http->parsed;
    bool response = n > 5 && memcmp(head, "HTTP/", 5) == 0;

    http->parsed_head = NULL;
    ql_http_message_init(m, response ? QL_HTTP_RESPONSE : QL_HTTP_REQUEST,
                         &no_limits);
    if (n > no_limits.head || ql_http_head(m, head, (uint32_t) n) != NGX_OK
        || m->size != n)
    {
        return false;
    }
    lua_pushvalue(L, idx);
    lua_rawseti(L, LUA_REGISTRYINDEX, http->parsed_anchor);
    http->parsed_head = head;
    return true;
}

ql_http_held_t
ql__http_held(lua_State *L, int idx, const char *method)
{
    ql_http_t *http = ql_http(L);
    const char *head = NULL;
    size_t n;

    if (lua_type(L, idx) == LUA_TSTRING) {
        head = lua_tolstring(L, idx, &n);
    }
    if (head == NULL
        || (head != http->parsed_head && !parse(L, idx, http, head, n)))
    {
        ql_bad_argument(L, idx, "self", method, "a request or a response");
    }
    return (ql_http_held_t){head, &http->parsed};
}

/* --------------------------------------------------------- functions ---- */

/* current(conn, serial) -> conn | nil: that message is over */
static int
http_current(lua_State *L)
{
    const ql_http_exchange_t *x = ql__http_exchange(
        ql__http_connection(L, ql_http(L), "current"));

    lua_settop(L, 2);
    if (x == NULL || x->serial == 0 || x->serial != lua_tonumber(L, 2)) {
        return 0;
    }
    lua_settop(L, 1);
    return 1;
}

const luaL_Reg ql__http_held_functions[] = {{"current", http_current},
                                            {NULL, NULL}};
