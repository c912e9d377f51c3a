/*
 * adopt.c: a connection of a descriptor that was opened elsewhere.
 */
#include "../stream/connection.h"

#include "core/sys.h"

#include <errno.h>

static int
push_failure(lua_State *L, int err, const char *why)
{
    ql_push_error(L, err);
    if (why != NULL) {
        lua_pushstring(L, why);
        lua_replace(L, -3);
    }
    return 3;
}

int
ql__adopt(lua_State *L, ql_core_t *core, int fd, int flags)
{
    ql_loop_t *loop = ql_lua_ready(core->lua, L);
    ql_connection_t *c;
    ql_conn_t *conn;
    const char *why = NULL;

    if (loop == NULL) {
        return ql_push_error(L, errno);
    }
    conn = ql__connection_new(L, core);
    c = ql_adopt_connection(loop, fd, flags, &why);
    if (c == NULL) {
        return push_failure(L, errno, why);
    }
    ql__connection_open(conn, c);
    return 1;
}

/* adopt(fd, [dup], [shared]) -> connection | nil, err, CODE */
static int
core_adopt(lua_State *L)
{
    int64_t fd = ql_check_whole(L, 1, "fd", "adopt", 0, INT32_MAX);

    return ql__adopt(L, ql_core(L), (int) fd,
                     (lua_toboolean(L, 2) ? QL_ADOPT_DUP : 0)
                         | (lua_toboolean(L, 3) ? QL_ADOPT_SHARED : 0));
}

void
ql__open_adopt(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg fns[] = {{"adopt", core_adopt}, {NULL, NULL}};

    ql_core_register(L, core, fns);
}
