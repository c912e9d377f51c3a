/*
 * state.c: one Lua state's runtime, from the first use to lua_close.
 */
#include "misuse.h"
#include "state.h"

#include <stdio.h>
#include <string.h>

static const char state_key = 0; /* registry: address -> the userdata */

ql_loop_t *
ql_lua_loop(ql_lua_t *lua)
{
    QL_CHECK_LUA(lua);
    return lua->loop;
}

ql_loop_t *
ql_check_loop(lua_State *L, ql_lua_t *lua)
{
    QL_CHECK_LUA(lua);
    if (lua->loop == NULL) {
        ql_raise(L, "quoll is closed");
    }
    return lua->loop;
}

ql_loop_t *
ql_lua_ready(ql_lua_t *lua, lua_State *L)
{
    ql_loop_t *loop;

    QL_CHECK_LUA(lua);
    loop = ql_check_loop(L, lua);
    return ql_loop_init(loop) == NGX_OK ? loop : NULL;
}

/* The last finaliser: everything made after it has been collected. */
static int
state_gc(lua_State *L)
{
    ql_lua_t *lua = lua_touserdata(L, 1);
    ql_loop_t *loop = lua->loop;
    const ql_sys_t *sys;
    uint64_t alive;

    if (loop == NULL) {
        return 0;
    }
    alive = ql_task_count(lua);
    if (alive != 0) {
        fprintf(stderr,
                "quoll: %llu task%s alive when the script ended; "
                "quoll.run() waits for them\n",
                (unsigned long long) alive, alive == 1 ? " was" : "s were");
    }
    sys = ql_loop_sys(loop);
    lua->loop = NULL;
    ql_loop_destroy(loop);
    ql__tasks_free(lua, sys);
    return 0;
}

/* The driver is a thread of its own: the one that loads the module may be a
 * coroutine that ends. */
static void
state_new_driver(lua_State *L, ql_lua_t *lua)
{
    lua_createtable(L, 1, 0);
    lua->driver = lua_newthread(L);
    lua_rawseti(L, -2, QL_TASK_THREAD);
    lua->root_table = luaL_ref(L, LUA_REGISTRYINDEX);
}

static ql_lua_t *
state_new(lua_State *L)
{
    ql_lua_t *lua;

    ql__abi_claim(L);
    lua = lua_newuserdata(L, sizeof(*lua));
    memset(lua, 0, sizeof(*lua));
    ql__task_init(&lua->root, lua, NULL);
    lua->root.state = QL_TASK_RUNNING;
    lua->current = &lua->root;
    lua->chain.ref = LUA_NOREF;
    ql__account_init(&lua->account);
    ql_queue_init(&lua->deferred);
    ql_queue_init(&lua->signals.takers);
    ql__boundary_init(L, lua);
    ql__anchor_init(L, lua);
    ql__idle_init(L, lua);
    ql__waiter_init(L, lua);
    state_new_driver(L, lua);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, state_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua->loop = ql_loop_create(NULL, NULL);
    if (lua->loop == NULL) {
        luaL_error(L, "not enough memory for the event loop");
    }
    ql_loop_set_data(lua->loop, lua);
    ql__stop_init(lua);
    lua->root.born = ql_nsec(lua->loop);
    lua_pushlightuserdata(L, (void *) (uintptr_t) &state_key);
    lua_insert(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return lua;
}

ql_lua_t *
ql__lua_find(lua_State *L)
{
    ql_lua_t *lua;

    lua_pushlightuserdata(L, (void *) (uintptr_t) &state_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    lua = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return lua;
}

ql_lua_t *
ql_lua(lua_State *L)
{
    ql_lua_t *lua = ql__lua_find(L);

    if (lua == NULL) {
        return state_new(L);
    }
    QL_CHECK_LUA(lua);
    return lua;
}

void
ql__register(lua_State *L, ql_lua_t *lua, const luaL_Reg *fns)
{
    lua_pushlightuserdata(L, lua);
    luaL_setfuncs(L, fns, 1);
}
