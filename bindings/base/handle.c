/*
 * handle.c: what a script holds of a resource. Userdata are made closed, the
 * resource comes second, so that no failure in between leaks or crashes.
 */
#include "misuse.h"
#include "state.h"

#include <string.h>

static const char handle_tag = 0; /* key in a metatable: it is a handle's */
static const char stream_key = 0; /* likewise: its ql_stream_type_t */

static void
handle_push_metatable(lua_State *L, const ql_handle_type_t *type)
{
    lua_pushlightuserdata(L, (void *) (uintptr_t) type);
    lua_rawget(L, LUA_REGISTRYINDEX);
}

ql_handle_t *
ql_handle_test(lua_State *L, int idx)
{
    bool tagged;

    QL_CHECK_STATE(L);
    if (lua_type(L, idx) != LUA_TUSERDATA || !lua_getmetatable(L, idx)) {
        return NULL;
    }
    lua_pushlightuserdata(L, (void *) (uintptr_t) &handle_tag);
    lua_rawget(L, -2);
    tagged = lua_toboolean(L, -1);
    lua_pop(L, 2);
    return tagged ? lua_touserdata(L, idx) : NULL;
}

void
ql_handle_own(ql_handle_t *h, ql_task_t *task)
{
    QL_CHECK_LUA(h->lua);
    ql_queue_remove(&h->link);
    h->owner = task;
    if (task != NULL) {
        ql_queue_insert_head(&task->handles, &h->link);
    }
}

void
ql_handle_open(ql_handle_t *h)
{
    QL_CHECK_LUA(h->lua);
    h->closed = 0;
    ql_handle_own(h, h->lua->current);
}

void
ql_handle_close(ql_handle_t *h, int err)
{
    QL_CHECK_LUA(h->lua);
    if (h->closed) {
        return;
    }
    h->closed = err;
    ql_handle_own(h, NULL);
    h->type->close(h, err);
    QL_DEBUG_CHECK(h->waits == 0,
                   "the close of '%s' left a task waiting: it "
                   "calls ql_op_end()",
                   h->type->name);
}

void
ql__handles_close(ql_task_t *t)
{
    while (!ql_queue_empty(&t->handles)) {
        ql_queue_t *q = t->handles.next;

        ql_handle_close(ql_queue_data(q, ql_handle_t, link), QL_E_OWNER_ENDED);
    }
}

int
ql_task_touched(const ql_lua_t *lua, const ql_handle_t *h)
{
    const ql_task_t *t = lua->current;

    QL_CHECK_LUA(lua);
    return t->scope.ntasks != 0
        || (h->owner == t && t->handles.next != &h->link);
}

/* ---------------------------------------------------- the metatable ---- */

static ql_handle_t *
handle_self(lua_State *L, const char *method)
{
    ql_handle_t *h = ql_handle_test(L, 1);

    if (h == NULL) {
        ql_bad_argument(L, 1, "self", method, "a handle");
    }
    return h;
}

static int
handle_close(lua_State *L)
{
    ql_handle_t *h = handle_self(L, "close");

    if (h->closed) {
        return ql_push_error(L, h->closed);
    }
    ql_handle_close(h, QL_E_CLOSED);
    lua_pushboolean(L, 1);
    return 1;
}

static int
handle_own(lua_State *L)
{
    ql_handle_t *h = handle_self(L, "own");

    if (h->closed) {
        return ql_raise(L,
                        "bad argument 'self' to 'own' (an open %s expected, "
                        "got one that %s)",
                        h->type->name,
                        h->closed == QL_E_OWNER_ENDED
                            ? "was closed as its owner ended"
                            : "is closed");
    }
    ql_handle_own(h, h->lua->current);
    lua_settop(L, 1);
    return 1;
}

static int
handle_disown(lua_State *L)
{
    ql_handle_t *h = handle_self(L, "disown");

    if (!h->closed) {
        ql_handle_own(h, NULL);
    }
    lua_settop(L, 1);
    return 1;
}

static int
handle_gc(lua_State *L)
{
    ql_handle_t *h = lua_touserdata(L, 1);

    ql__check_collected(L, h);
    ql_handle_close(h, QL_E_CLOSED);
    if (h->type->collect != NULL) {
        h->type->collect(h);
    }
    return 0;
}

static int
handle_tostring(lua_State *L)
{
    ql_handle_t *h = handle_self(L, "tostring");

    lua_pushfstring(L, "%s (%s): %p", h->type->name,
                    h->closed ? "closed" : "open", (void *) h);
    return 1;
}

static void
handle_new_metatable(lua_State *L, const ql_handle_type_t *type)
{
    static const luaL_Reg methods[] = {{"close", handle_close},
                                       {"own", handle_own},
                                       {"disown", handle_disown},
                                       {NULL, NULL}};

    lua_createtable(L, 0, 7);
    lua_pushlightuserdata(L, (void *) (uintptr_t) &handle_tag);
    lua_pushboolean(L, 1);
    lua_rawset(L, -3);
    lua_createtable(L, 0, 24);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, handle_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, handle_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushstring(L, type->name);
    lua_setfield(L, -2, "__name");
    lua_pushstring(L, type->name);
    lua_setfield(L, -2, "__metatable");
    lua_pushlightuserdata(L, (void *) (uintptr_t) type);
    lua_pushvalue(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
}

void
ql__handle_metatable(lua_State *L, const ql_handle_type_t *type)
{
    handle_push_metatable(L, type);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        handle_new_metatable(L, type);
    }
}

void *
ql_handle_new(lua_State *L, ql_lua_t *lua, const ql_handle_type_t *type,
              size_t size)
{
    ql_handle_t *h;

    QL_CHECK_LUA(lua);
    h = lua_newuserdata(L, size);
    memset(h, 0, size);
    h->type = type;
    h->lua = lua;
    h->closed = QL_E_CLOSED;
    ql_queue_init(&h->link);
    ql__handle_metatable(L, type);
    lua_setmetatable(L, -2);
    return h;
}

void
ql_handle_methods(lua_State *L, const ql_handle_type_t *type)
{
    QL_CHECK_STATE(L);
    ql__handle_metatable(L, type);
    lua_getfield(L, -1, "__index");
    lua_remove(L, -2);
}

/* ---------------------------------------------------------- streams ---- */

void
ql_handle_streams(lua_State *L, const ql_handle_type_t *type,
                  const ql_stream_type_t *stream)
{
    QL_CHECK_STATE(L);
    ql__handle_metatable(L, type);
    lua_pushlightuserdata(L, (void *) (uintptr_t) &stream_key);
    lua_pushlightuserdata(L, (void *) (uintptr_t) stream);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

const ql_stream_type_t *
ql_handle_stream(lua_State *L, int idx, ql_handle_t **h)
{
    const ql_stream_type_t *stream;

    QL_CHECK_STATE(L);
    *h = ql_handle_test(L, idx);
    if (*h == NULL || !lua_getmetatable(L, idx)) {
        return NULL;
    }
    lua_pushlightuserdata(L, (void *) (uintptr_t) &stream_key);
    lua_rawget(L, -2);
    stream = lua_touserdata(L, -1);
    lua_pop(L, 2);
    return stream;
}
