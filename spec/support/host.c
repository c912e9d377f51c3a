/*
 * host.c: luajit's job (host [-e chunk] [script [args]], LUA_INIT) with a
 * state on the C heap, so that AddressSanitizer sees Lua's memory: overflows
 * of userdata are found, and C memory that only a userdata holds is no leak.
 * Lua's own blocks are roots of the leak check: LuaJIT keeps some of them by
 * pointers that lie outside (jit_State.irbuf is biased).
 * fail_allocation(n) makes the n-th allocation of Lua memory from now on fail,
 * once; 0: none. It returns how many were left to go.
 * limit_memory(n) lets Lua have n bytes more than it has now; 0: any number.
 */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_disable() ((void) 0)
#define __lsan_enable() ((void) 0)
#endif

static lua_State *state; /* reachable for the leak check at exit */
static unsigned fail_in; /* allocations until one fails; 0: none does */
static size_t used;      /* bytes of Lua memory */
static size_t limit;     /* to which used may grow; 0: none */

static void *
alloc(void *ud, void *p, size_t old, size_t size)
{
    (void) ud;
    if (size == 0) {
        used -= old;
        free(p);
        return NULL;
    }
    if (size > old && fail_in > 0 && --fail_in == 0) {
        return NULL;
    }
    if (size > old && limit > 0 && used - old + size > limit) {
        return NULL;
    }
    __lsan_disable();
    p = realloc(p, size);
    __lsan_enable();
    used += p != NULL ? size - old : 0;
    return p;
}

static int
limit_memory(lua_State *L)
{
    size_t more = (size_t) luaL_checknumber(L, 1);

    limit = more > 0 ? used + more : 0;
    return 0;
}

static int
fail_allocation(lua_State *L)
{
    unsigned left = fail_in;

    fail_in = 0;
    lua_settop(L, 1);
    lua_pushnumber(L, left);
    fail_in = (unsigned) lua_tonumber(L, 1);
    return 1;
}

/* An error's traceback, as luajit prints it. */
static int
traceback(lua_State *L)
{
    if (!lua_isstring(L, 1)) {
        if (lua_isnoneornil(L, 1) || !luaL_callmeta(L, 1, "__tostring")
            || !lua_isstring(L, -1))
        {
            return 1;
        }
        lua_replace(L, 1);
        lua_settop(L, 1);
    }
    luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
}

/* Calls the chunk that luaL_load* left, n arguments on it. As with luajit,
 * error(nil) fails and prints nothing. */
static int
run(lua_State *L, const char *name, int loaded, int n)
{
    if (loaded == 0) {
        int handler = lua_gettop(L) - n;
        lua_pushcfunction(L, traceback);
        lua_insert(L, handler);
        loaded = lua_pcall(L, n, 0, handler);
        lua_remove(L, handler);
    }
    if (loaded != 0 && !lua_isnil(L, -1)) {
        const char *text = lua_tostring(L, -1);
        fprintf(stderr, "%s: %s\n", name,
                text != NULL ? text : "(error object is not a string)");
    }
    if (loaded != 0) {
        lua_pop(L, 1);
    }
    return loaded;
}

static int
run_init(lua_State *L, const char *name)
{
    const char *init = getenv("LUA_INIT");

    if (init == NULL) {
        return 0;
    }
    return run(L, name,
               init[0] == '@'
                   ? luaL_loadfile(L, init + 1)
                   : luaL_loadbuffer(L, init, strlen(init), "=LUA_INIT"),
               0);
}

/* arg as luajit makes it: the script at 0. */
static void
set_arg(lua_State *L, char **argv, int argc, int script)
{
    lua_createtable(L, argc - script, script + 1);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i - script);
    }
    lua_setglobal(L, "arg");
}

int
main(int argc, char **argv)
{
    int i = 1;
    int failed = 0;

    state = lua_newstate(alloc, NULL);
    if (state == NULL) {
        return EXIT_FAILURE;
    }
    lua_State *L = state;
    luaL_openlibs(L);
    lua_register(L, "fail_allocation", fail_allocation);
    lua_register(L, "limit_memory", limit_memory);
    failed = run_init(L, argv[0]);
    while (!failed && i + 1 < argc && strcmp(argv[i], "-e") == 0) {
        set_arg(L, argv, argc, i + 2);
        failed = run(L, argv[0], luaL_loadstring(L, argv[i + 1]), 0);
        i += 2;
    }
    if (!failed && i < argc) {
        set_arg(L, argv, argc, i);
        failed = luaL_loadfile(L, argv[i]);
        for (int a = i + 1; failed == 0 && a < argc; a++) {
            lua_pushstring(L, argv[a]);
        }
        failed = run(L, argv[0], failed, failed == 0 ? argc - i - 1 : 0);
    }
    lua_close(L);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
