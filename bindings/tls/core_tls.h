/*
 * core_tls.h: what the files of the module quoll.core.tls share.
 */
#ifndef QUOLL_CORE_TLS_H
#define QUOLL_CORE_TLS_H

#include "../quoll_lua.h"

#include "tls/tls.h"

/* A context as a script holds it: a userdata. */
typedef struct {
    ql_tls_context_t *context;
} ql_tls_box_t;

static inline ql_lua_t *
ql__tls_lua(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* Argument idx as a context; raises. */
ql_tls_context_t *ql__tls_check_context(lua_State *L, int idx,
                                        const char *method);
/* The connection at index 1, and TLS on it; NULL with nil, err, CODE pushed:
 * closed, or plain. Raises on anything else. */
ql_tls_t *ql__tls_check(lua_State *L, const char *method);

/* Each: fills the table on top of the stack (the module). */
void ql__open_context(lua_State *L, ql_lua_t *lua);
void ql__open_starttls(lua_State *L, ql_lua_t *lua);
void ql__open_info(lua_State *L, ql_lua_t *lua);

#endif
