/*
 * dns.h: what the files of the module quoll.core.dns share.
 */
#ifndef QUOLL_DNS_H
#define QUOLL_DNS_H

#include "../quoll_lua.h"
#include "channel.h"

/* A channel as Lua holds it; the collector closes it. */
typedef struct {
    ql_handle_t handle;
    ql_dns_channel_t channel;
} ql_resolver_t;

extern const ql_handle_type_t ql__resolver_type;

/* The type of record at index arg ("A"), as its number; raises. */
int ql__dns_check_type(lua_State *L, int arg);
/* Pushes the name of a type, or its number where it has none. */
void ql__dns_push_type(lua_State *L, int type);

/* query(resolver, name, timeout, type[, type]) -> for each type: answer|false,
 * CODE ("OK", "ENODATA", ...) | nil, err, CODE */
int ql__dns_query(lua_State *L);
/* parse(answer) -> records | nil */
int ql__dns_parse(lua_State *L);

#endif
