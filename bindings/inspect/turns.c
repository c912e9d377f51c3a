/*
 * turns.c: what quoll.stats().loop says about the length of turns.
 */
#include "../base/state.h"

/* Field turn_lengths of the table on top. */
static void
turns_set_lengths(lua_State *L, const ql_turns_t *turns)
{
    lua_createtable(L, QL_TURN_BUCKETS, 0);
    for (int i = 0; i < QL_TURN_BUCKETS; i++) {
        lua_pushnumber(L, (lua_Number) turns->lengths[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "turn_lengths");
}

/* Field longest of the table on top, when there is one. */
static void
turns_set_longest(lua_State *L, ql_lua_t *lua, const ql_turns_t *turns)
{
    const ql_resume_t *r = ql__account_longest(&lua->account, lua->loop);

    if (turns->longest == 0) {
        return;
    }
    lua_createtable(L, 0, 5);
    ql__set_number(L, "s", (double) turns->longest / 1e9);
    ql_time_update(lua->loop);
    ql__set_number(L, "ago",
                   (double) (ql_nsec(lua->loop) - turns->longest_end) / 1e9);
    if (r != NULL) {
        ql__set_string(L, "task", r->task);
        ql__set_string(L, "where", r->where);
        ql__set_number(L, "ran", ql__account_seconds(&lua->account, r->ticks));
    }
    lua_setfield(L, -2, "longest");
}

/* turn_stats(loop, reset) -> loop, with its fields turn_time, turn_lengths and
 * longest; then, if asked, forgets the longest turn. */
static int
turn_stats(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);
    const ql_turns_t *turns;
    bool reset = lua_toboolean(L, 2);

    if (lua->loop == NULL) {
        return ql_raise(L, "quoll is closed");
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    turns = ql_turns(lua->loop);
    ql__set_number(L, "turn_time", (double) turns->ns / 1e9);
    turns_set_lengths(L, turns);
    turns_set_longest(L, lua, turns);
    if (reset) {
        ql_turns_reset(lua->loop);
    }
    return 1;
}

void
ql__turns_register(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {{"turn_stats", turn_stats}, {NULL, NULL}};

    ql__register(L, lua, fns);
}
