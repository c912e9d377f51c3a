/*
 * anchor.c: the tree's tasks and blocks are reachable for the collector: a task
 * at a berth through that, the others through one table of the state's own,
 * which has their userdata, or the coroutine of a task that has none yet. A
 * free slot holds the number of the next free one: luaL_ref would measure the
 * table whenever there is none. A table never gives its memory back, so a much
 * too large one is replaced when few tasks are left.
 */
#include "../base/state.h"

enum {
    ANCHOR_SMALL = 4096 /* slots that are kept anyway */
};

static void
anchor_push_table(lua_State *L, const ql_lua_t *lua)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, lua->anchor_table);
}

void
ql__anchor_init(lua_State *L, ql_lua_t *lua)
{
    lua_createtable(L, 0, 0);
    lua->anchor_table = luaL_ref(L, LUA_REGISTRYINDEX);
}

int
ql__anchor(lua_State *L, ql_lua_t *lua, int idx)
{
    int ref = lua->anchor_free != 0 ? lua->anchor_free : lua->anchors + 1;

    anchor_push_table(L, lua);
    lua_rawgeti(L, -1, ref); /* the next free slot; nil in a new one */
    lua_pushvalue(L, idx);
    lua_rawseti(L, -3, ref);
    lua->anchor_free = (int) lua_tointeger(L, -1);
    if (ref > lua->anchors) {
        lua->anchors = ref;
    }
    lua_pop(L, 2);
    return ref;
}

void
ql__anchor_swap(lua_State *L, const ql_lua_t *lua, int ref)
{
    anchor_push_table(L, lua);
    lua_rawgeti(L, -1, ref);
    lua_insert(L, -3);
    lua_insert(L, -2);
    lua_rawseti(L, -2, ref);
    lua_pop(L, 1);
}

void
ql__scope_push(lua_State *L, const ql_scope_t *s)
{
    ql_task_t *t = s->task;

    if (!s->block && t->outcome == NULL) {
        ql__outcome_push(L, t);
        return;
    }
    if (s->ref == QL_ANCHOR_BERTH) {
        ql__idle_push(L, t->lua, t->berth);
        lua_rawgeti(L, -1, QL_TASK_SELF);
    } else {
        anchor_push_table(L, t->lua);
        lua_rawgeti(L, -1, s->ref);
    }
    lua_replace(L, -2);
}

void
ql__task_push_slots(lua_State *L, const ql_task_t *t)
{
    if (t == &t->lua->root) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, t->lua->root_table);
        return;
    }
    ql__task_push(L, t);
    lua_getfenv(L, -1);
    lua_replace(L, -2);
}

void
ql__task_push_slot(lua_State *L, const ql_task_t *t, int slot)
{
    while (slot == QL_TASK_CHAIN && ql__task_unheld(t)) {
        t = t->scope.parent->task;
    }
    if (ql__task_unheld(t)) {
        lua_pushnil(L);
        return;
    }
    ql__task_push_slots(L, t);
    lua_rawgeti(L, -1, slot);
    lua_replace(L, -2);
}

/* Under lua_cpcall: the live ones move to a table of their size. Until it is
 * complete the old one holds them. */
static int
anchor_compact(lua_State *L)
{
    ql_lua_t *lua = lua_touserdata(L, 1);
    ql_scope_t *root = &lua->root.scope;
    ql_scope_t *s = root;
    int n = 0;

    anchor_push_table(L, lua);
    lua_createtable(L, (int) ql_task_count(lua) + 1, 0);
    while ((s = ql__scope_next(s, root, true)) != NULL) {
        if (s->ref != QL_ANCHOR_BERTH) {
            lua_rawgeti(L, 2, s->ref);
            lua_rawseti(L, 3, ++n);
        }
    }
    lua_rawseti(L, LUA_REGISTRYINDEX, lua->anchor_table);
    lua->anchors = n;
    lua->anchor_free = 0;
    s = root;
    while ((s = ql__scope_next(s, root, true)) != NULL) {
        if (s->ref != QL_ANCHOR_BERTH) {
            s->ref = lua->anchors - --n;
        }
    }
    return 0;
}

void
ql__anchor_drop(ql_lua_t *lua, int ref)
{
    lua_State *L = lua->driver;

    if (ref == QL_ANCHOR_BERTH) {
        return;
    }
    anchor_push_table(L, lua);
    lua_pushinteger(L, lua->anchor_free);
    lua_rawseti(L, -2, ref);
    lua->anchor_free = ref;
    lua_pop(L, 1);
    if (lua->anchors > ANCHOR_SMALL
        && ql_task_count(lua) < (uint64_t) lua->anchors / 4
        && lua_cpcall(L, anchor_compact, lua) != 0)
    {
        lua_pop(L, 1); /* no memory for a smaller one: the old one stays */
    }
}
