/*
 * signame.c: signals by name; the environment.
 */
#include "process.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

int
ql__signal_by_name(const char *name)
{
    const char *text = strncmp(name, "SIG", 3) == 0 ? name + 3 : name;

    for (int signo = 1; signo < SIGRTMIN; signo++) {
        const char *known = sigabbrev_np(signo);

        if (known != NULL && strcmp(known, text) == 0) {
            return signo;
        }
    }
    return 0;
}

/* signal_number("SIGTERM" | "TERM") -> number | nil */
static int
signal_number(lua_State *L)
{
    int signo = ql__signal_by_name(luaL_checkstring(L, 1));

    if (signo == 0) {
        return 0;
    }
    lua_pushinteger(L, signo);
    return 1;
}

/* signal_name(number) -> "SIGTERM" | nil */
static int
signal_name(lua_State *L)
{
    const char *name = sigabbrev_np((int) luaL_checkinteger(L, 1));

    if (name == NULL) {
        return 0;
    }
    lua_pushfstring(L, "SIG%s", name);
    return 1;
}

/* environment() -> {"NAME=value", ...} */
static int
environment(lua_State *L)
{
    lua_newtable(L);
    for (int i = 0; environ[i] != NULL; i++) {
        lua_pushstring(L, environ[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

const luaL_Reg ql__signame_functions[] = {{"signal_number", signal_number},
                                          {"signal_name", signal_name},
                                          {"environment", environment},
                                          {NULL, NULL}};
