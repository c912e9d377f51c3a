/*
 * gather.h: the pieces of a nested table of strings and numbers, in order.
 */
#ifndef QUOLL_GATHER_H
#define QUOLL_GATHER_H

#include <lua.h>
#include <sys/uio.h>

enum {
    QL_GATHER_MAX = 64,   /* pieces that a gather points at */
    QL_GATHER_DEPTH = 100 /* tables within tables */
};

/* Points into the table's strings: valid while nobody runs Lua. */
typedef struct ql_gather_s {
    struct iovec iov[QL_GATHER_MAX];
    char numbers[QL_GATHER_MAX][32]; /* as text, pointed at by iov */
    int pieces;   /* not empty ones; above QL_GATHER_MAX: not all in iov */
    size_t bytes; /* of all pieces */
} ql_gather_t;

/* Raises on anything else than strings, numbers and tables of them; method:
 * whose argument the table is. */
void ql_gather(lua_State *L, int table, const char *method,
               ql_gather_t *gather);
/* Replaces the table at index idx by a userdata of *size bytes that holds every
 * piece, however many, one behind the other; returns them. Sets *size to their
 * number. Raises when there is no room: a finaliser may have changed the table
 * since it was gathered. */
const char *ql_gather_join(lua_State *L, int idx, const char *method,
                           size_t *size);
/* The *size bytes of the argument at index idx, of a table as by
 * ql_gather_join(); raises on anything else than a string, a number or such a
 * table. They live as long as what is at idx then. */
const char *ql_gather_bytes(lua_State *L, int idx, const char *method,
                            size_t *size);
/* Copies the pieces of gather (at most QL_GATHER_MAX) but for their first
 * `skip` bytes. */
void ql_gather_copy(const ql_gather_t *gather, char *to, size_t skip);

#endif
