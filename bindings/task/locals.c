/*
 * locals.c: values of the running task, which the tasks that it spawns begin
 * with. A table of them is shared and never changed, so that a spawn takes one
 * reference: who writes makes a new one.
 */
#include "../base/state.h"

/* Pushes those of t; false, and nothing pushed: it has none. */
static bool
locals_push(lua_State *L, const ql_task_t *t)
{
    if (!t->locals) {
        return false;
    }
    ql__task_push_slots(L, t);
    lua_rawgeti(L, -1, QL_TASK_LOCALS);
    lua_replace(L, -2);
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        return false;
    }
    return true;
}

/* A finaliser may write in the middle of a spawn: a child may get the table
 * and not the bit, and has none then. */
void
ql__locals_inherit(lua_State *L, const ql_task_t *t)
{
    if (locals_push(L, t)) {
        lua_rawseti(L, -2, QL_TASK_LOCALS);
    }
}

/* Pushes a new table with those of t. */
static void
locals_push_copy(lua_State *L, const ql_task_t *t)
{
    int copy = lua_gettop(L) + 1;

    lua_createtable(L, 0, 4);
    if (!locals_push(L, t)) {
        return;
    }
    for (lua_pushnil(L); lua_next(L, copy + 1);) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, copy);
    }
    lua_settop(L, copy);
}

/* __index(locals, key) -> value | nil */
static int
locals_get(lua_State *L)
{
    if (!locals_push(L, ql__upvalue(L)->current)) {
        return 0;
    }
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
    return 1;
}

static void
locals_check_key(lua_State *L)
{
    bool nan = lua_type(L, 2) == LUA_TNUMBER && !lua_rawequal(L, 2, 2);

    if (nan || lua_isnil(L, 2)) {
        ql_bad_argument(L, 2, "key", "locals", "a key of a table");
    }
}

/* __newindex(locals, key, value) */
static int
locals_set(lua_State *L)
{
    ql_task_t *t = ql__upvalue(L)->current;
    bool some;

    lua_settop(L, 3);
    locals_check_key(L);
    if (!t->locals && lua_isnil(L, 3)) {
        return 0;
    }
    ql__task_push_slots(L, t);
    locals_push_copy(L, t);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_rawset(L, 5);
    lua_pushnil(L);
    some = lua_next(L, 5) != 0;
    lua_settop(L, 5);
    lua_rawseti(L, 4, QL_TASK_LOCALS);
    t->locals = some;
    return 0;
}

/* __call(locals) -> a table of its own with all of them */
static int
locals_all(lua_State *L)
{
    locals_push_copy(L, ql__upvalue(L)->current);
    return 1;
}

void
ql__locals_register(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {{"__index", locals_get},
                                   {"__newindex", locals_set},
                                   {"__call", locals_all},
                                   {NULL, NULL}};

    lua_createtable(L, 0, 0);
    lua_createtable(L, 0, 4);
    ql__register(L, lua, fns);
    lua_pushliteral(L, "locals");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "locals");
}
