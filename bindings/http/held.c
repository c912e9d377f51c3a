/*
 * held.c: a request, or a response, as a script holds it: a copy of its head.
 * Valid as long as it is held.
 */
#include "http.h"

#include <string.h>

static const char held_kind = 0; /* its address: of ql_http_held_t */

static void
held_fill(ql_http_held_t *h, const ql_http_exchange_t *x)
{
    const ql_http_message_t *m = x->m;

    *h = (ql_http_held_t){
        .kind = &held_kind,
        .x = (ql_http_exchange_t *) (uintptr_t) x,
        .serial = x->serial,
        .id = x->conn->messages + 1,
        .size = m->size,
        .target = m->kind == QL_HTTP_REQUEST ? m->target : m->reason,
        .path = m->path,
        .query = m->query,
        .host = m->host,
        .first = m->first,
        .status = m->status,
        .count = m->count,
        .kind_of = m->kind,
        .method = m->method,
        .minor = m->minor,
        .secure = m->absolute ? m->secure : x->conn->c->transport != NULL,
        .upgrade = m->upgrade,
        .keep_alive = m->keep_alive,
        .chunked = m->chunked,
        .has_length = m->has_length,
        .length = m->length};
    memcpy(h->head, ql_buffer_bytes(&x->conn->in), m->size);
}

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

/* Making the userdata may run a finaliser, which may close the connection. */
bool
ql__http_push(lua_State *L, ql_http_exchange_t *x)
{
    ql_http_t *http = x->config->http;
    ql_conn_t *conn = x->conn;
    ql_http_held_t *h = lua_newuserdata(L, sizeof(*h) + x->m->size);

    if (conn->handle.closed) {
        return false;
    }
    x->serial = ++http->serial;
    held_fill(h, x);
    ql__http_use_head(x);
    lua_rawgeti(L, LUA_REGISTRYINDEX, http->metatable);
    lua_setmetatable(L, -2);
    return true;
}

ql_http_held_t *
ql__http_held(lua_State *L, int idx, const char *method)
{
    ql_http_held_t *h = lua_touserdata(L, idx);

    if (h == NULL || lua_objlen(L, idx) < sizeof(*h) || h->kind != &held_kind) {
        ql_bad_argument(L, idx, "self", method, "a request or a response");
    }
    return h;
}

/* The fenv of the message, its own from now on. */
void
ql__http_push_own(lua_State *L, ql_http_held_t *h)
{
    if (!h->own) {
        lua_createtable(L, 0, 4);
        lua_setfenv(L, 1);
        h->own = 1;
    }
    lua_getfenv(L, 1);
}

/* --------------------------------------------------------- functions ---- */

/* own(message) -> the table of what is kept with it */
static int
http_own(lua_State *L)
{
    ql__http_push_own(L, ql__http_held(L, 1, "own"));
    return 1;
}

/* connection(message) -> conn | nil: it is over. The one that gave the message
 * out has the connection on its stack. */
static int
http_message_connection(lua_State *L)
{
    const ql_http_held_t *h = ql__http_held(L, 1, "connection");
    lua_State *from = h->x->L;
    lua_Debug ar;

    if (h->x->serial != h->serial) {
        return 0;
    }
    for (int level = 0; lua_getstack(from, level, &ar); level++) {
        if (lua_getlocal(from, &ar, 1) == NULL) {
            continue;
        }
        if (lua_touserdata(from, -1) == h->x->conn) {
            lua_xmove(from, L, from != L);
            return 1;
        }
        lua_pop(from, 1);
    }
    return 0;
}

const luaL_Reg ql__http_held_functions[] = {
    {"own", http_own}, {"connection", http_message_connection}, {NULL, NULL}};
