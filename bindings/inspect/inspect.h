/*
 * inspect.h: what tasks and turns of the loop show of themselves.
 */
#ifndef QUOLL_INSPECT_H
#define QUOLL_INSPECT_H

#include "../quoll_lua.h"

/* Sets a field of the table on top. */
static inline void
ql__set_number(lua_State *L, const char *name, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}
static inline void
ql__set_string(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

/* tasks.c */
void ql__tasks_register(lua_State *L, ql_lua_t *lua);
/* The coroutine of t, or one within it, that waits; else t's own. */
lua_State *ql__task_place(const ql_task_t *t);
/* "spawned at file:line" of t, "" when no script spawned it. Allocates nothing
 * in Lua. */
void ql__task_spawned(const ql_task_t *t, char *text, size_t size);

/* turns.c */
void ql__turns_register(lua_State *L, ql_lua_t *lua);

#endif
