/*
 * ring.c: the items of a channel, in a Lua table.
 */
#include "channel.h"

enum {
    RING_FIRST = 4, /* slots of the first ring */
    RING_KEPT = 256 /* an empty ring of more is given back */
};

static int
ring_slot(const ql_channel_t *ch, uint32_t i)
{
    return (int) ((ch->head + i) & (ch->slots - 1)) + 1;
}

void
ql__ring_reserve(lua_State *L, ql_channel_t *ch)
{
    while (ch->count == ch->slots) {
        uint32_t slots = ch->slots == 0 ? RING_FIRST : 2 * ch->slots;

        lua_createtable(L, (int) slots, 0);
        if (ch->count == ch->slots && slots > ch->slots) {
            lua_getfenv(L, 1);
            for (uint32_t i = 0; i < ch->count; i++) {
                lua_rawgeti(L, -1, ring_slot(ch, i));
                lua_rawseti(L, -3, (int) i + 1);
            }
            lua_pop(L, 1);
            lua_setfenv(L, 1);
            ch->head = 0;
            ch->slots = slots;
        } else {
            lua_pop(L, 1);
        }
    }
}

void
ql__ring_put(lua_State *L, ql_channel_t *ch, lua_State *from)
{
    lua_getfenv(L, 1);
    lua_pushvalue(from, 2);
    lua_xmove(from, L, 1);
    lua_rawseti(L, -2, ring_slot(ch, ch->count));
    lua_pop(L, 1);
    ch->count++;
}

void
ql__ring_take(lua_State *L, ql_channel_t *ch)
{
    int slot = ring_slot(ch, 0);

    lua_getfenv(L, 1);
    lua_rawgeti(L, -1, slot);
    lua_pushnil(L);
    lua_rawseti(L, -3, slot);
    lua_remove(L, -2);
    ch->head++;
    ch->count--;
    if (ch->count == 0 && ch->slots > RING_KEPT) {
        lua_pushvalue(L, LUA_GLOBALSINDEX);
        lua_setfenv(L, 1);
        ch->slots = 0;
    }
}
