#include "gather.h"

#include "../quoll_lua.h"

#include <string.h>

static const char blocks_key = 0; /* registry: address -> the function */

/* Where the pieces go: one of three. */
typedef struct {
    const char *method;  /* for messages */
    ql_gather_t *gather; /* counted, and pointed at as far as there is room */
    struct iovec *iov;   /* pointed at, and anchored */
    int pieces;          /* room at iov */
    int used;            /* of it */
    int anchors;         /* index of a table */
    char *to;            /* copied */
    const char *end;     /* of the room at to */
} sink_t;

int
ql_blocks_set(lua_State *L)
{
    lua_pushlightuserdata(L, (void *) (uintptr_t) &blocks_key);
    lua_pushvalue(L, 1);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return 0;
}

bool
ql_block(lua_State *L, int idx, int n, const char *method, ql_block_t *block)
{
    bool found;

    lua_pushlightuserdata(L, (void *) (uintptr_t) &blocks_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    lua_pushvalue(L, idx);
    if (n != 0) {
        lua_pushvalue(L, n);
    } else {
        lua_pushnil(L);
    }
    lua_pushstring(L, method);
    lua_call(L, 3, 3);
    found = !lua_isnil(L, -3);
    block->data = (const char *) (uintptr_t) lua_tonumber(L, -3);
    block->size = (size_t) lua_tonumber(L, -2);
    block->fixed = lua_toboolean(L, -1);
    lua_pop(L, 3);
    return found;
}

static void
gather_add(ql_gather_t *g, const char *s, size_t size, int type)
{
    if (g->pieces < QL_GATHER_MAX) {
        if (type == LUA_TNUMBER) {
            s = memcpy(g->numbers[g->pieces], s, size);
        }
        g->iov[g->pieces].iov_base = (void *) (uintptr_t) s;
        g->iov[g->pieces].iov_len = size;
    }
    g->pieces++;
    g->bytes += size;
}

static void
sink_changed(lua_State *L, const sink_t *sink)
{
    ql_raise(L, "the table to %s has changed meanwhile", sink->method);
}

/* The piece's value is on top of the stack. */
static void
sink_pin(lua_State *L, sink_t *sink, const char *s, size_t size)
{
    if (sink->used == sink->pieces) {
        sink_changed(L, sink);
    }
    sink->iov[sink->used].iov_base = (void *) (uintptr_t) s;
    sink->iov[sink->used].iov_len = size;
    sink->used++;
    lua_pushvalue(L, -1);
    lua_rawseti(L, sink->anchors, sink->used);
}

static void
sink_copy(lua_State *L, sink_t *sink, const char *s, size_t size)
{
    if (size > (size_t) (sink->end - sink->to)) {
        sink_changed(L, sink);
    }
    memcpy(sink->to, s, size);
    sink->to += size;
}

/* The piece on top of the stack; a number's text is on the stack alone. */
static void
sink_piece(lua_State *L, sink_t *sink, int type)
{
    size_t size;
    const char *s = lua_tolstring(L, -1, &size);

    if (size == 0) {
        return;
    }
    if (sink->gather != NULL) {
        gather_add(sink->gather, s, size, type);
    } else if (sink->iov != NULL) {
        sink_pin(L, sink, s, size);
    } else {
        sink_copy(L, sink, s, size);
    }
}

/* The block on top of the stack; false: it is none. */
static bool
sink_block(lua_State *L, sink_t *sink)
{
    ql_block_t block;

    if (!ql_block(L, lua_gettop(L), 0, sink->method, &block)) {
        return false;
    }
    if (block.size == 0) {
        return true;
    }
    if (sink->gather != NULL) {
        sink->gather->blocks = true;
        gather_add(sink->gather, block.data, block.size, LUA_TNONE);
    } else if (sink->iov == NULL) {
        sink_copy(L, sink, block.data, block.size);
    } else if (block.fixed) {
        sink_pin(L, sink, block.data, block.size);
    } else {
        void *copy = lua_newuserdata(L, block.size);

        /* A finaliser may have changed it while that was made. */
        if (!ql_block(L, lua_gettop(L) - 1, 0, sink->method, &block)
            || block.size > lua_objlen(L, -1))
        {
            sink_changed(L, sink);
        }
        sink_pin(L, sink, memcpy(copy, block.data, block.size), block.size);
        lua_pop(L, 1);
    }
    return true;
}

/* Only at the first pass: what has another key, or a hole, would be sent in
 * part, and nobody be told. */
static void
sink_check(lua_State *L, int table, int n, const char *method)
{
    int found = 0;

    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        found++;
    }
    if (found != n) {
        ql_raise(L,
                 "bad argument 'data' to '%s' (an array expected, got a table "
                 "with other keys or with holes)",
                 method);
    }
}

static void
sink_table(lua_State *L, int table, sink_t *sink, int depth)
{
    int n = (int) lua_objlen(L, table);

    if (depth > QL_GATHER_DEPTH) {
        ql_raise(L,
                 "bad argument 'data' to '%s' (tables nested more than "
                 "%d deep)",
                 sink->method, QL_GATHER_DEPTH);
    }
    luaL_checkstack(L, 8, "nested table");
    if (sink->gather != NULL) {
        sink_check(L, table, n, sink->method);
    }
    for (int i = 1; i <= n; i++) {
        int type;

        lua_rawgeti(L, table, i);
        type = lua_type(L, -1);
        if (type == LUA_TTABLE) {
            sink_table(L, lua_gettop(L), sink, depth + 1);
        } else if (type == LUA_TSTRING || type == LUA_TNUMBER) {
            sink_piece(L, sink, type);
        } else if (type == LUA_TNIL || type == LUA_TBOOLEAN
                   || type == LUA_TFUNCTION || type == LUA_TTHREAD
                   || !sink_block(L, sink))
        {
            ql_raise(L,
                     "bad argument 'data' to '%s' (strings and numbers "
                     "expected, got %s at index %d)",
                     sink->method, lua_typename(L, type), i);
        }
        lua_pop(L, 1);
    }
}

void
ql_gather(lua_State *L, int table, const char *method, ql_gather_t *gather)
{
    sink_t sink = {.method = method, .gather = gather};

    gather->pieces = 0;
    gather->bytes = 0;
    gather->blocks = false;
    sink_table(L, table, &sink, 1);
}

const char *
ql_gather_join(lua_State *L, int idx, const char *method, size_t *size)
{
    char *bytes = lua_newuserdata(L, *size);
    sink_t sink = {.method = method, .to = bytes, .end = bytes + *size};

    sink_table(L, idx, &sink, 1);
    *size = (size_t) (sink.to - bytes);
    lua_replace(L, idx);
    return bytes;
}

struct iovec *
ql_gather_pin(lua_State *L, int idx, const char *method, ql_gather_t *gather)
{
    sink_t sink = {.method = method, .pieces = gather->pieces};

    sink.iov = lua_newuserdata(L, (size_t) sink.pieces * sizeof(*sink.iov));
    lua_createtable(L, sink.pieces, 0);
    sink.anchors = lua_gettop(L);
    sink_table(L, idx, &sink, 1);
    gather->pieces = sink.used;
    gather->bytes = 0;
    for (int i = 0; i < sink.used; i++) {
        gather->bytes += sink.iov[i].iov_len;
    }
    return sink.iov;
}

const char *
ql_gather_bytes(lua_State *L, int idx, const char *method, size_t *size)
{
    const char *bytes = lua_tolstring(L, idx, size); /* of a number, too */
    ql_gather_t gather;

    if (bytes != NULL) {
        return bytes;
    }
    if (!lua_istable(L, idx)) {
        ql_bad_argument(L, idx, "data", method,
                        "a string, a number or a table of these");
    }
    ql_gather(L, idx, method, &gather);
    *size = gather.bytes;
    return ql_gather_join(L, idx, method, size);
}
