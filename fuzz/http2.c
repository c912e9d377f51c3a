/*
 * http2.c: sessions of HTTP/2: what fuzz/http2/session.lua makes of an input, a
 * client's frames and a handler's calls in any order. Lua's memory is on the C
 * heap, so that the sanitizer sees it.
 */
#include <lauxlib.h>
#include <lua.h>
#include <luajit.h>
#include <lualib.h>
#include <sanitizer/lsan_interface.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum {
    LEAKS_EVERY = 4096 /* inputs: libFuzzer takes a full Lua state for a leak */
};

static lua_State *state; /* the function that judges an input is at its 1 */
static unsigned inputs;

/* What Lua holds is no leak, nor is what only a userdata points to. */
static void *
alloc(void *ud, void *p, size_t old, size_t size)
{
    (void) ud;
    (void) old;
    if (size == 0) {
        free(p);
        return NULL;
    }
    __lsan_disable();
    p = realloc(p, size);
    __lsan_enable();
    return p;
}

static void
fail(void)
{
    const char *text = lua_tostring(state, -1);

    fprintf(stderr, "%s\n", text != NULL ? text : "(no text)");
    abort();
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    state = lua_newstate(alloc, NULL);
    if (state == NULL) {
        abort();
    }
    luaL_openlibs(state);
    luaJIT_setmode(state, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    if (luaL_loadfile(state, "fuzz/http2/session.lua") != 0
        || lua_pcall(state, 0, 1, 0) != 0)
    {
        fail();
    }
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    lua_pushvalue(state, 1);
    lua_pushlstring(state, (const char *) data, n);
    if (lua_pcall(state, 1, 0, 0) != 0) {
        fail();
    }
    if (++inputs % LEAKS_EVERY == 0 && __lsan_do_recoverable_leak_check()) {
        abort();
    }
    return 0;
}
