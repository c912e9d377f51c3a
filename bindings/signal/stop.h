/*
 * stop.h: the graceful stop.
 */
#ifndef QUOLL_STOP_H
#define QUOLL_STOP_H

#include "../quoll_lua.h"

#include <stdbool.h>

typedef struct {
    ql_event_t timer;   /* the grace is over */
    uint64_t deadline;  /* ns of the clock, when it is; QL_TIMER_INFINITE: it
                           never is */
    double grace;       /* s that the first SIGINT or SIGTERM leaves to tasks;
                           0: it cancels them */
    lua_State *starter; /* its value 1 begins a stop for a signal; NULL: none */
    bool begun;         /* until the main chunk runs tasks anew */
    bool expired;       /* the timer has cancelled the root */
} ql_stop_t;

/* lua->root is there already. */
void ql__stop_init(ql_lua_t *lua);
void ql__stop_register(lua_State *L, ql_lua_t *lua);
/* The first SIGINT or SIGTERM: begins a stop. false: it is to cancel. */
bool ql__stop_signalled(ql_lua_t *lua);
/* The last child of the root has ended: there is nobody to wait for. */
void ql__stop_idle(ql_lua_t *lua);

#endif
