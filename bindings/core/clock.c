#include "core.h"

#include <time.h>

/* now() -> seconds, monotonic, exact (not the turn's cached time) */
static int
clock_now(lua_State *L)
{
    ql_loop_t *loop = ql_check_loop(L, ql_core(L)->lua);

    ql_time_update(loop);
    lua_pushnumber(L, (lua_Number) ql_nsec(loop) / 1e9);
    return 1;
}

/* time() -> seconds since the epoch, with their fraction */
static int
clock_time(lua_State *L)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    lua_pushnumber(L, (lua_Number) ts.tv_sec + (lua_Number) ts.tv_nsec / 1e9);
    return 1;
}

/* turn() -> how many turns of the loop have begun */
static int
clock_turn(lua_State *L)
{
    ql_loop_t *loop = ql_check_loop(L, ql_core(L)->lua);

    lua_pushnumber(L, (lua_Number) ql_turn(loop));
    return 1;
}

void
ql__open_clock(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg fns[] = {{"now", clock_now},
                                   {"time", clock_time},
                                   {"turn", clock_turn},
                                   {NULL, NULL}};

    ql_core_register(L, core, fns);
}
