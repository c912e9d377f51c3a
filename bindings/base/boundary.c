/*
 * boundary.c: a C function that calls back into Lua, below which no coroutine
 * can yield: table.sort, string.gsub, a finaliser. require and dofile are
 * such functions too, but there a wait may run the loop instead. A finaliser
 * may also find such a function in the middle of its results; below one, and
 * below a debug hook, the loop never runs: what yields there corrupts itself.
 */
#include "misuse.h"
#include "state.h"

#include <string.h>

static const void *
global_function(lua_State *L, const char *name)
{
    const void *p;

    lua_getglobal(L, name);
    p = lua_topointer(L, -1);
    lua_pop(L, 1);
    return p;
}

static int
boundary_nothing(lua_State *L)
{
    (void) L;
    return 0;
}

void
ql__boundary_init(lua_State *L, ql_lua_t *lua)
{
    lua_pushcfunction(L, boundary_nothing);
    lua->nothing = luaL_ref(L, LUA_REGISTRYINDEX);
    lua->transparent[0] = global_function(L, "pcall");
    lua->transparent[1] = global_function(L, "xpcall");
    lua->loaders[0] = global_function(L, "require");
    lua->loaders[1] = global_function(L, "dofile");
    ql__loads_init(L, lua);
}

static bool
boundary_in(const void *const *list, size_t n, const void *p)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i] == p) {
            return true;
        }
    }
    return false;
}

/* Pushes "string.gsub" for the function on top, or what the call site says. */
static void
boundary_push_name(lua_State *L, lua_Debug *ar)
{
    static const char *const libs[] = {"_G", "string", "table", "os",
                                       "io", "debug",  "jit",   "package"};

    for (size_t i = 0; i < sizeof(libs) / sizeof(libs[0]); i++) {
        lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
        lua_getfield(L, -1, libs[i]);
        lua_remove(L, -2);
        for (lua_pushnil(L); lua_istable(L, -2) && lua_next(L, -2);
             lua_pop(L, 1)) {
            if (lua_rawequal(L, -1, -4) && lua_type(L, -2) == LUA_TSTRING) {
                lua_pushfstring(L, "%s%s%s", i == 0 ? "" : libs[i],
                                i == 0 ? "" : ".", lua_tostring(L, -2));
                return;
            }
        }
        lua_settop(L, lua_gettop(L) - (lua_istable(L, -1) ? 1 : 2));
    }
    lua_getinfo(L, "n", ar);
    lua_pushstring(L, ar->name != NULL ? ar->name : "a C function");
}

void
ql__check_boundary(lua_State *L, lua_State *co, ql_lua_t *lua)
{
    lua_Debug ar;
    bool loader = false;

    for (int level = 1; lua_getstack(co, level, &ar); level++) {
        lua_getinfo(co, "Sf", &ar);
        lua_xmove(co, L, 1);
        if (strcmp(ar.what, "C") == 0
            && !boundary_in(lua->transparent, 2, lua_topointer(L, -1)))
        {
            if (!boundary_in(lua->loaders, 2, lua_topointer(L, -1))) {
                boundary_push_name(L, &ar);
                ql_raise(L,
                         "cannot wait inside %s: a C function that cannot "
                         "yield stands in between",
                         lua_tostring(L, -1));
            }
            loader = true;
        }
        lua_pop(L, 1);
    }
    if (!loader) {
        ql_raise(L, "cannot wait here: a finaliser or a hook cannot yield");
    }
}

static void
boundary_hook(lua_State *L, lua_Debug *ar)
{
    (void) ar;
    ql_lua(L)->hooked = true;
}

/* Finalisers and hooks run with all hooks off, which only a hook can tell.
 * Nothing is allocated while ours is set, and no tick of the watchdog changes
 * it. */
bool
ql__unhooked(lua_State *L, ql_lua_t *lua)
{
    lua_Hook hook;
    int mask, count;

    luaL_checkstack(L, LUA_MINSTACK, "a wait");
    lua_rawgeti(L, LUA_REGISTRYINDEX, lua->nothing);
    lua->watchdog.in_hook = true;
    hook = lua_gethook(L);
    mask = lua_gethookmask(L);
    count = lua_gethookcount(L);
    lua->hooked = false;
    lua_sethook(L, boundary_hook, LUA_MASKCALL, 0);
    lua_call(L, 0, 0);
    lua_sethook(L, hook, mask, count);
    lua->watchdog.in_hook = false;
    return !lua->hooked;
}

/* Has a C function at this level of L or further down the handle h on its
 * stack? */
static bool
boundary_works_on(lua_State *L, int level, const ql_handle_t *h)
{
    bool found = false;
    lua_Debug ar;

    for (; !found && lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "S", &ar);
        for (int i = 1; *ar.what == 'C' && lua_getlocal(L, &ar, i); i++) {
            found |= lua_touserdata(L, -1) == h;
            lua_pop(L, 1);
        }
    }
    return found;
}

/* Or one of the coroutines from L outward, up to that of the running task? A
 * plain one in between cannot be looked through. */
static bool
boundary_chain_works_on(lua_State *L, ql_lua_t *lua, const ql_handle_t *h)
{
    const lua_State *last = lua->current->L;
    int top = lua_gettop(L);
    lua_State *co = L;
    int level = 1;

    lua_pushthread(L);
    while (co != NULL && co != last && !boundary_works_on(co, level, h)) {
        co = ql__waiter_outward(L, lua);
        level = 0;
    }
    lua_settop(L, top);
    return co != last || boundary_works_on(co, level, h);
}

/* Only the stacks tell: no code of ours runs when a push raises. */
int
ql_op_pushing(lua_State *L, ql_op_t *op, const ql_handle_t *h)
{
    ql_lua_t *lua = op->lua;
    bool root = lua->current == &lua->root;

    QL_CHECK_OP(op);
    if (op->pushing) {
        op->pushing = (root ? boundary_works_on(L, 1, h)
                            : boundary_chain_works_on(L, lua, h))
                   || (lua->driver != L
                       && boundary_works_on(lua->driver, 0, h));
    }
    return op->pushing;
}
