/*
 * channel.h: a channel, and the ring of its items.
 */
#ifndef QUOLL_CHANNEL_H
#define QUOLL_CHANNEL_H

#include "sync.h"

typedef struct {
    ql_sync_t sync;
    ql_queue_t senders;   /* of ql_own_op_t.link */
    ql_queue_t receivers; /* likewise */
    ql_queue_t selectors; /* of ql_select_t.link */
    uint32_t size;        /* of the buffer: items that need no receiver */
    uint32_t count;       /* items in the ring */
    uint32_t promised;    /* of these: to receivers on their way */
    uint32_t head;        /* slot of the oldest, from 0 */
    uint32_t slots;       /* length of the ring; a power of two, or 0 */
} ql_channel_t;

/* The ring is the channel's environment; the channel is the first value on the
 * stack of L, an item to be put the second one on its own. */

/* Room for one more item, so that putting it allocates nothing: a finaliser
 * that ran then might use the channel, or the task's own operation. */
void ql__ring_reserve(lua_State *L, ql_channel_t *ch);
/* Puts the item of from into the ring. */
void ql__ring_put(lua_State *L, ql_channel_t *ch, lua_State *from);
/* Pushes the oldest item, which leaves the ring. */
void ql__ring_take(lua_State *L, ql_channel_t *ch);

#endif
