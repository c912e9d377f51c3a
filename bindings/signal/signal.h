/*
 * signal.h: the signals that a script gets while the loop runs.
 */
#ifndef QUOLL_SIGNAL_H
#define QUOLL_SIGNAL_H

#include "../quoll_lua.h"

#include <signal.h>
#include <stdbool.h>

enum {
    QL__SIGNALS = 3,    /* SIGINT, SIGTERM and SIGQUIT */
    QL__SIGNAL_MAX = 32 /* scripts take those with a name */
};

/* A signal that a script takes: taken.c */
typedef struct {
    unsigned takers;      /* who want it; 0: the rest means nothing */
    bool blocked;         /* it was, before they came */
    struct sigaction old; /* likewise; not of SIGINT, SIGTERM, SIGQUIT */
} ql_taken_t;

/* SIGINT, SIGTERM and SIGQUIT while the loop runs: signal.c */
typedef struct {
    ql_connection_t *conn;             /* of the signalfd; NULL: not made */
    struct sigaction old[QL__SIGNALS]; /* dispositions before the loop ran */
    int listeners;     /* who want notes: the loop that runs, takers */
    bool note_blocked; /* the note was, before they came */
    ql_queue_t takers; /* of taker_t.link */
    ql_taken_t taken[QL__SIGNAL_MAX];
    int depth;         /* drives under way */
    int received;      /* SIGINT or SIGTERM; 0: none */
    lua_State *dumper; /* its value 1 writes the dump; NULL: none */
    bool caught;       /* ours are in place */
} ql_signals_t;

/* Notes come to the signalfd from now on. false with errno. */
bool ql__signals_listen(ql_lua_t *lua);
void ql__signals_unlisten(ql_lua_t *lua);
/* Sends one; in a handler. */
void ql__signal_note(int signo);
/* SIGINT, SIGTERM, SIGQUIT: their handlers are signal.c's. */
bool ql__signal_ours(int signo);
/* Takers have come or gone: what was ignored is caught, or ignored again. */
void ql__signals_refresh(ql_lua_t *lua);

/* taken.c: notes signo for who wants it; false: nobody does. */
bool ql__taken_tell(ql_lua_t *lua, int signo);
/* Who was noted one for goes on. From the posted queue. */
void ql__taken_wake(ql_lua_t *lua);
void ql__taken_register(lua_State *L, ql_lua_t *lua);

void ql__signals_enter(ql_lua_t *lua);
void ql__signal_register(lua_State *L, ql_lua_t *lua);
void ql__signals_leave(ql_lua_t *lua);
/* A thread of its own for the function at index 1, so that no other frame
 * shows; kept in the registry by the key. */
lua_State *ql__callback_new(lua_State *L, const void *key);
/* The last child of the root has ended: a signalled main chunk goes on. */
void ql__signals_idle(ql_lua_t *lua);

#endif
