/*
 * register.c: every function of libquoll-lua that a module offers to Lua.
 */
#include "../sync/sync.h"
#include "misuse.h"

void
ql_task_register(lua_State *L, ql_lua_t *lua)
{
    QL_CHECK_LUA(lua);
    ql__co_register(L, lua);
    ql__error_register(L, lua);
    ql__waiter_register(L, lua);
    ql__cancel_register(L, lua);
    ql__overrun_register(L);
    ql__outcome_register(L, lua);
    ql__spawn_register(L, lua);
    ql__block_register(L, lua);
    ql__join_register(L, lua);
    ql__sleep_register(L, lua);
    ql__task_methods_register(L, lua);
    ql__locals_register(L, lua);
    ql__tasks_register(L, lua);
    ql__trace_register(L, lua);
    ql__report_register(L, lua);
    ql__defer_register(L, lua);
    ql__sync_register(L, lua);
    ql__turns_register(L, lua);
    ql__signal_register(L, lua);
    ql__taken_register(L, lua);
    ql__stop_register(L, lua);
    ql__step_register(L, lua);
}
