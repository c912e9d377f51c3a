/*
 * gather.h: the pieces of a nested table of strings, numbers and blocks, in
 * order. A block is memory that is no Lua string: a cdata, a string.buffer.
 */
#ifndef QUOLL_GATHER_H
#define QUOLL_GATHER_H

#include <lua.h>
#include <stdbool.h>
#include <sys/uio.h>

enum {
    QL_GATHER_MAX = 64,          /* pieces that a gather points at */
    QL_GATHER_DEPTH = 100,       /* tables within tables */
    QL_GATHER_LARGE = 64 * 1024, /* bytes, of which many may have to wait */
    QL_GATHER_PIECE = 512 /* bytes a piece: smaller ones are better copied */
};

/* Points into the table's strings: valid while nobody runs Lua. */
typedef struct ql_gather_s {
    struct iovec iov[QL_GATHER_MAX];
    char numbers[QL_GATHER_MAX][32]; /* as text, pointed at by iov */
    int pieces;   /* not empty ones; above QL_GATHER_MAX: not all in iov */
    size_t bytes; /* of all pieces */
    bool blocks;  /* some piece is one: iov is of no use */
} ql_gather_t;

typedef struct {
    const char *data;
    size_t size; /* bytes */
    bool fixed;  /* data stays where it is while the value lives, whatever is
                    done with it */
} ql_block_t;

/* The block at index idx, its size in bytes given at index n (nil, or n 0: its
 * own); false: it is none. Raises where the size is missing or too large. */
bool ql_block(lua_State *L, int idx, int n, const char *method,
              ql_block_t *block);
/* blocks(fn): fn(value, n, method) -> address, bytes, fixed | nil tells what
 * a block is from now on. */
int ql_blocks_set(lua_State *L);

/* Does iov hold every piece? */
static inline bool
ql_gather_whole(const ql_gather_t *gather)
{
    return gather->pieces <= QL_GATHER_MAX && !gather->blocks;
}
/* Is it too much to be copied? */
static inline bool
ql_gather_large(const ql_gather_t *gather)
{
    return gather->bytes > QL_GATHER_LARGE
        && gather->bytes / (size_t) gather->pieces >= QL_GATHER_PIECE;
}

/* Raises on anything else than strings, numbers, blocks and tables of them;
 * method: whose argument the table is. */
void ql_gather(lua_State *L, int table, const char *method,
               ql_gather_t *gather);
/* Replaces the table at index idx by a userdata of *size bytes that holds every
 * piece, however many, one behind the other; returns them. Sets *size to their
 * number. Raises when there is no room: a finaliser may have changed the table
 * since it was gathered. */
const char *ql_gather_join(lua_State *L, int idx, const char *method,
                           size_t *size);
/* Pushes two values that hold every piece of the table at index idx, gathered
 * as gather says, and returns the pieces: where they are, but for those that
 * are not fixed. Sets gather's pieces and bytes. Raises as ql_gather_join(). */
struct iovec *ql_gather_pin(lua_State *L, int idx, const char *method,
                            ql_gather_t *gather);
/* The *size bytes of the argument at index idx, of a table as by
 * ql_gather_join(); raises on anything else than a string, a number or such a
 * table. They live as long as what is at idx then. */
const char *ql_gather_bytes(lua_State *L, int idx, const char *method,
                            size_t *size);

#endif
