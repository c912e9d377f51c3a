/*
 * core.h: what the files of the module quoll.core share. Each file registers
 * its raw C functions with ql__open_*(); lua/quoll/ wraps those that wait.
 */
#ifndef QUOLL_CORE_H
#define QUOLL_CORE_H

#include "../quoll_lua.h"
#include "buffer.h"

#include <stdbool.h>

/* One per Lua state; every function of quoll.core has it as upvalue 1. */
typedef struct {
    ql_lua_t *lua;
    ql_buffers_t buffers;    /* read buffers that nobody uses now */
    ql_queue_t spare_preads; /* operations of file_pread.c, likewise */
    uint32_t spare_count;    /* length of spare_preads */
    void *datagrams;         /* where udp/datagrams.c has the kernel put them;
                                NULL: nobody has received any yet */
} ql_core_t;

static inline ql_core_t *
ql_core(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* Puts fns into the table on top of the stack, each with core as upvalue 1. */
void ql_core_register(lua_State *L, ql_core_t *core, const luaL_Reg *fns);

/* Puts the methods table of type into the module's table `methods` (the
 * module is on top of the stack) under the type's name. */
void ql__open_methods(lua_State *L, const ql_handle_type_t *type);

/* Each: fills the table on top of the stack (the module). */
void ql__open_settings(lua_State *L, ql_core_t *core);
void ql__open_log(lua_State *L, ql_core_t *core);
void ql__open_stats(lua_State *L, ql_core_t *core);
void ql__open_clock(lua_State *L, ql_core_t *core);
void ql__open_waitfd(lua_State *L, ql_core_t *core);
void ql__open_connection(lua_State *L, ql_core_t *core);
void ql__open_connect(lua_State *L, ql_core_t *core);
void ql__open_adopt(lua_State *L, ql_core_t *core);
void ql__open_lease(lua_State *L, ql_core_t *core);
void ql__open_listener(lua_State *L, ql_core_t *core);
void ql__open_udp(lua_State *L, ql_core_t *core);
void ql__open_inherited(lua_State *L, ql_core_t *core);
void ql__open_file(lua_State *L, ql_core_t *core);
void ql__open_process(lua_State *L, ql_core_t *core);
void ql__open_watch(lua_State *L, ql_core_t *core);
void ql__open_fs(lua_State *L, ql_core_t *core);

#endif
