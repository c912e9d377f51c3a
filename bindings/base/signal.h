/*
 * signal.h: the signals that a script gets while the loop runs.
 */
#ifndef QUOLL_SIGNAL_H
#define QUOLL_SIGNAL_H

#include "../quoll_lua.h"

#include <signal.h>
#include <stdbool.h>

enum {
    QL__SIGNALS = 3 /* SIGINT, SIGTERM and SIGQUIT */
};

/* SIGINT, SIGTERM and SIGQUIT while the loop runs: signal.c */
typedef struct {
    ql_connection_t *conn;             /* of the signalfd; NULL: not made */
    struct sigaction old[QL__SIGNALS]; /* dispositions before the loop ran */
    sigset_t mask;                     /* and the mask */
    int depth;                         /* drives under way */
    int received;                      /* SIGINT or SIGTERM; 0: none */
    lua_State *dumper; /* its value 1 writes the dump; NULL: none */
    bool caught;       /* ours are in place */
} ql_signals_t;

void ql__signals_enter(ql_lua_t *lua);
void ql__signal_register(lua_State *L, ql_lua_t *lua);
void ql__signals_leave(ql_lua_t *lua);
/* A thread of its own for the function at index 1, so that no other frame
 * shows; kept in the registry by the key. */
lua_State *ql__callback_new(lua_State *L, const void *key);
/* The last child of the root has ended: a signalled main chunk goes on. */
void ql__signals_idle(ql_lua_t *lua);

#endif
