/*
 * anchor.c: live tasks are reachable for the collector through one table of
 * the state's own. A table never gives its memory back, so a much too large
 * one is replaced when few tasks are left.
 */
#include "state.h"

enum {
    ANCHOR_SMALL = 4096 /* slots that are kept anyway */
};

static const char anchor_key = 0; /* registry: address -> the table */

static void
anchor_push_table(lua_State *L)
{
    lua_pushlightuserdata(L, (void *) (uintptr_t) &anchor_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
}

static void
anchor_set_table(lua_State *L)
{
    lua_pushlightuserdata(L, (void *) (uintptr_t) &anchor_key);
    lua_insert(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
}

void
ql__anchor_init(lua_State *L)
{
    lua_createtable(L, 0, 0);
    anchor_set_table(L);
}

int
ql__anchor(lua_State *L, ql_lua_t *lua, int idx)
{
    int ref;

    lua_pushvalue(L, idx);
    anchor_push_table(L);
    lua_insert(L, -2);
    ref = luaL_ref(L, -2);
    lua_pop(L, 1);
    if (ref > lua->anchors) {
        lua->anchors = ref;
    }
    return ref;
}

void
ql__task_push(lua_State *L, const ql_task_t *t)
{
    anchor_push_table(L);
    lua_rawgeti(L, -1, t->ref);
    lua_remove(L, -2);
}

/* Under lua_cpcall: the live tasks move to a table of their size. Until it is
 * complete the old one holds them. */
static int
anchor_compact(lua_State *L)
{
    ql_lua_t *lua = lua_touserdata(L, 1);
    ql_task_t *root = &lua->root;
    ql_task_t *t;
    int n = 0;

    anchor_push_table(L);
    lua_createtable(L, (int) ql_task_count(lua) + 1, 0);
    for (t = ql__task_next(root, root); t != NULL; t = ql__task_next(t, root)) {
        lua_rawgeti(L, 2, t->ref);
        lua_rawseti(L, 3, ++n);
    }
    anchor_set_table(L);
    lua->anchors = n;
    for (t = ql__task_next(root, root); t != NULL; t = ql__task_next(t, root)) {
        t->ref = lua->anchors - --n;
    }
    return 0;
}

void
ql__anchor_drop(ql_lua_t *lua, int ref)
{
    lua_State *L = lua->driver;

    anchor_push_table(L);
    luaL_unref(L, -1, ref);
    lua_pop(L, 1);
    if (lua->anchors > ANCHOR_SMALL
        && ql_task_count(lua) < (uint64_t) lua->anchors / 4
        && lua_cpcall(L, anchor_compact, lua) != 0)
    {
        lua_pop(L, 1); /* no memory for a smaller one: the old one stays */
    }
}
