/*
 * module.c: the functions of processes: quoll.core.process.
 */
#include "process.h"

void
ql__open_process(lua_State *L, ql_core_t *core)
{
    ql__open_methods(L, &ql__process_type);
    lua_newtable(L);
    ql_core_register(L, core, ql__process_functions);
    ql_core_register(L, core, ql__exec_functions);
    ql_core_register(L, core, ql__signame_functions);
    lua_setfield(L, -2, "process");
}
