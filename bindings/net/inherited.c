/*
 * inherited.c: the descriptors that whoever started the process has opened for
 * it, as systemd does: LISTEN_FDS of them, from 3 up, if LISTEN_PID says that
 * they are meant for this process.
 */
#include "listen.h"

#include "core/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST = 3,
    MOST = 65536
};

/* A number from 0 to most as the environment has it; -1: anything else. */
static long
variable(const char *name, long most)
{
    const char *text = getenv(name);
    char *end;
    long n;

    if (text == NULL || *text < '0' || *text > '9') {
        return -1;
    }
    errno = 0;
    n = strtol(text, &end, 10);
    return errno != 0 || *end != '\0' || n > most ? -1 : n;
}

/* Pushes the next name of a list with colons; "unknown" where it has none, as
 * sd_listen_fds_with_names(3). */
static const char *
push_name(lua_State *L, const char *names)
{
    const char *end;

    if (names == NULL || *names == '\0') {
        lua_pushliteral(L, "unknown");
        return names;
    }
    end = strchrnul(names, ':');
    lua_pushlstring(L, names, (size_t) (end - names));
    return *end == ':' ? end + 1 : end;
}

/* inherited() -> {{fd = n, name = s}, ...}. From then on they are close-on-exec,
 * and the environment of children says nothing of them. */
static int
core_inherited(lua_State *L)
{
    const ql_sys_t *sys = ql_loop_sys(ql_check_loop(L, ql_core(L)->lua));
    const char *names = getenv("LISTEN_FDNAMES");
    long n = variable("LISTEN_FDS", MOST);

    if (variable("LISTEN_PID", INT32_MAX) != sys->getpid()) {
        n = 0;
    }
    lua_newtable(L);
    for (int i = 0; i < n; i++) {
        if (sys->fcntl(FIRST + i, F_SETFD, FD_CLOEXEC) == -1) {
            continue; /* closed meanwhile */
        }
        lua_createtable(L, 0, 2);
        lua_pushinteger(L, FIRST + i);
        lua_setfield(L, -2, "fd");
        names = push_name(L, names);
        lua_setfield(L, -2, "name");
        lua_rawseti(L, -2, (int) lua_objlen(L, -2) + 1);
    }
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDNAMES");
    return 1;
}

void
ql__open_inherited(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg fns[] = {{"inherited", core_inherited}, {NULL, NULL}};

    ql_core_register(L, core, fns);
}
