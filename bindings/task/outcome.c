/*
 * outcome.c: what a script holds of a task, made with it or, of a task that
 * nobody was given, when somebody asks for it.
 */
#include "../base/state.h"

static const char task_kind = 0; /* its address is ql_outcome_t.kind */

ql_outcome_t *
ql__task_check(lua_State *L, int idx, const char *method)
{
    ql_outcome_t *o = lua_touserdata(L, idx);

    /* A light userdata has no length. */
    if (o == NULL || lua_objlen(L, idx) != sizeof(*o) || o->kind != &task_kind)
    {
        ql_bad_argument(L, idx, "self", method, "task");
    }
    return o;
}

ql_outcome_t *
ql__outcome_new(lua_State *L, ql_lua_t *lua)
{
    ql_outcome_t *o = lua_newuserdata(L, sizeof(*o));

    *o = (ql_outcome_t){.kind = &task_kind,
                        .lua = lua,
                        .state = QL_TASK_CANCELLED,
                        .value_type = LUA_TNIL};
    ql_queue_init(&o->waiters);
    ql_queue_init(&o->selectors);
    lua_rawgeti(L, LUA_REGISTRYINDEX, lua->task_metatable);
    lua_setmetatable(L, -2);
    return o;
}

void
ql__outcome_open(ql_outcome_t *o, ql_task_t *t)
{
    o->task = t;
    o->id = t->id;
    t->outcome = o;
}

/* Is t, which had this id, still in the tree? */
static bool
outcome_alive(ql_lua_t *lua, const ql_task_t *t, uint64_t id)
{
    ql_task_t *root = &lua->root;
    ql_task_t *next = root;

    while ((next = ql__task_next(next, root)) != NULL) {
        if (next == t) {
            return t->id == id;
        }
    }
    return false;
}

/* Gives t the userdata at -2 with the fenv on top. Nothing is allocated. */
static void
outcome_give(lua_State *L, ql_outcome_t *o, ql_task_t *t)
{
    ql__task_push_slot(L, t, QL_TASK_CHAIN);
    lua_rawseti(L, -2, QL_TASK_CHAIN);
    lua_pushvalue(L, -2);
    if (t->berth != 0) {
        lua_rawseti(L, -2, QL_TASK_SELF);
        t->lua->berth[t->berth].chain = 0;
    } else {
        ql__anchor_swap(L, t->lua, t->scope.ref);
        lua_rawseti(L, -2, QL_TASK_THREAD);
    }
    ql__outcome_open(o, t);
}

void
ql__outcome_push(lua_State *L, ql_task_t *t)
{
    ql_lua_t *lua = t->lua;
    uint64_t id = t->id, ended = lua->ended;
    uint8_t berth = t->berth;
    ql_outcome_t *o = ql__outcome_new(L, lua);

    o->id = id;
    if (berth != 0) {
        ql__idle_push(L, lua, berth);
    } else {
        lua_createtable(L, QL_TASK_SLOTS, 0);
    }
    if (lua->ended == ended || outcome_alive(lua, t, id)) {
        outcome_give(L, o, t);
    } else { /* a finaliser has ended it just now */
        o->given = berth != 0;
    }
    lua_setfenv(L, -2);
}

/* "task 5 'reader' (waiting)" */
static int
task_tostring(lua_State *L)
{
    const ql_outcome_t *o = ql__task_check(L, 1, "tostring");

    ql__task_push_title(L, 1);
    lua_pushfstring(L, "%s (%s)", lua_tostring(L, -1), ql__outcome_state(o));
    return 1;
}

/* The metatable, and its methods: the field `task` of the table on top. */
void
ql__outcome_register(lua_State *L, ql_lua_t *lua)
{
    lua_createtable(L, 0, 3);
    lua_pushvalue(L, -1);
    lua->task_metatable = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushcfunction(L, task_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "task");
    lua_setfield(L, -2, "__metatable");
    lua_createtable(L, 0, 12);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__index");
    lua_setfield(L, -3, "task");
    lua_pop(L, 1);
}
