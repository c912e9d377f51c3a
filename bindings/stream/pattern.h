/*
 * pattern.h: what a read of a connection asks for, and whether the unread
 * bytes are enough.
 */
#ifndef QUOLL_PATTERN_H
#define QUOLL_PATTERN_H

#include "../core/buffer.h"

#include <lua.h>
#include <stdbool.h>

typedef enum {
    QL_PATTERN_ANY,   /* what is there, at most size */
    QL_PATTERN_BYTES, /* exactly size */
    QL_PATTERN_PEEK,  /* the same, and they stay unread */
    QL_PATTERN_LINE,  /* up to LF, without it and without any CR */
    QL_PATTERN_ALL,   /* up to the end */
    QL_PATTERN_UNTIL  /* up to a boundary */
} ql_pattern_kind_t;

/* A boundary, its Knuth-Morris-Pratt table, and where its reader stands. In
 * a userdata of its own, which the waiting reader anchors. */
typedef struct {
    const char *text;
    uint32_t length;
    uint32_t matched;       /* bytes of text that the scanned bytes end with */
    unsigned inclusive : 1; /* the result ends with the boundary */
    unsigned ended : 1;     /* the last chunk has been given: next is nil */
    uint32_t border[];      /* [i]: longest proper border of text[0..i] */
} ql_until_t;

typedef struct {
    ql_until_t *until; /* UNTIL */
    unsigned kind : 8; /* ql_pattern_kind_t */
    unsigned last : 1; /* a match: the chunk before the boundary */
    uint32_t size;     /* as above; UNTIL: chunks of at most size, 0: whole */
    uint32_t take;     /* a match: bytes of the result */
    uint32_t skip;     /* and bytes behind it that belong to neither */
} ql_pattern_t;

/* A read begins: nothing has been scanned. */
void ql_pattern_start(ql_pattern_t *p, ql_pattern_kind_t kind, uint32_t size,
                      ql_until_t *until, ql_buffer_t *b);
/* Are the unread bytes enough? Then take and skip are set. Goes on where the
 * last call stopped. */
bool ql_pattern_match(ql_pattern_t *p, ql_buffer_t *b);
/* How many unread bytes it needs, 0: it cannot tell. */
uint32_t ql_pattern_want(const ql_pattern_t *p);
/* Uses the match up, then pushes it; returns the number of values. The memory
 * of b must stay meanwhile, whatever a finaliser does. */
int ql_pattern_push(lua_State *L, const ql_pattern_t *p, ql_buffer_t *b);
/* Pushes what a failed read leaves and uses it up. more: bytes may follow, so
 * that what may be the start of the boundary stays unread. */
void ql_pattern_push_partial(lua_State *L, const ql_pattern_t *p,
                             ql_buffer_t *b, bool more);

/* Pushes the userdata of the boundary at index text (a string, not empty). */
ql_until_t *ql_until_new(lua_State *L, int text, bool inclusive);

#endif
