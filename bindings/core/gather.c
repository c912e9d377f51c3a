#include "gather.h"

#include "../quoll_lua.h"

#include <string.h>

/* Where the pieces go: into the gather, or, without one, to `to`. */
typedef struct {
    const char *method; /* for messages */
    ql_gather_t *gather;
    char *to;
    const char *end; /* of the room at to */
} sink_t;

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
        return;
    }
    if (size > (size_t) (sink->end - sink->to)) {
        ql_raise(L, "the table to %s has changed meanwhile", sink->method);
    }
    memcpy(sink->to, s, size);
    sink->to += size;
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
    luaL_checkstack(L, 2, "nested table");
    for (int i = 1; i <= n; i++) {
        int type;

        lua_rawgeti(L, table, i);
        type = lua_type(L, -1);
        if (type == LUA_TTABLE) {
            sink_table(L, lua_gettop(L), sink, depth + 1);
        } else if (type == LUA_TSTRING || type == LUA_TNUMBER) {
            sink_piece(L, sink, type);
        } else {
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

void
ql_gather_copy(const ql_gather_t *gather, char *to, size_t skip)
{
    for (int i = 0; i < gather->pieces; i++) {
        const struct iovec *piece = &gather->iov[i];
        size_t n;

        if (skip >= piece->iov_len) {
            skip -= piece->iov_len;
            continue;
        }
        n = piece->iov_len - skip;
        memcpy(to, (const char *) piece->iov_base + skip, n);
        to += n;
        skip = 0;
    }
}
