/*
 * listen.h: from the options of quoll.listen to those of the runtime.
 */
#ifndef QUOLL_LISTEN_H
#define QUOLL_LISTEN_H

#include "../stream/connection.h"

/* Where to listen. */
typedef struct {
    int fd;             /* that was opened elsewhere; -1: none */
    ql_sockaddr_t addr; /* where there is none */
} ql_listen_from_t;

/* The table at index arg, whose names and types have been checked, into opts;
 * its socket options into list (of QL__SOCKOPTS). Raises. */
void ql__check_listen_opts(lua_State *L, int arg, const ql_listen_from_t *from,
                           ql_listen_opts_t *opts, ql_sockopt_t *list);

#endif
