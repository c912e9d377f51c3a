/*
 * channel.c: items go from senders to receivers, in order. The ring holds what
 * receivers can take and what they have been promised. The item of a sender
 * that waits stays on its stack, so that its end takes the item with it.
 *
 * Senders wait only while the buffer is full, receivers only while there is
 * nothing to take: never both.
 */
#include "channel.h"

static ql_channel_t *
channel_of(const ql_own_op_t *own)
{
    return ql_queue_data(own->handle, ql_channel_t, sync.handle);
}

/* Items that a receiver can have without waiting, but for the senders'. */
static uint32_t
channel_free_items(const ql_channel_t *ch)
{
    return ch->count - ch->promised;
}

/* ------------------------------------------------------------- send ---- */

/* Is there a receiver, or room in the buffer? */
static bool
channel_takes(const ql_channel_t *ch)
{
    return !ch->sync.handle.closed
        && (!ql_queue_empty(&ch->receivers)
            || channel_free_items(ch) < ch->size);
}

/* The item goes to a receiver, or into the buffer; false: it cannot. */
static bool
channel_put(lua_State *L, ql_channel_t *ch)
{
    if (!channel_takes(ch)) {
        return false;
    }
    ql__ring_put(L, ch, L);
    if (!ql_queue_empty(&ch->receivers)) {
        ch->promised++;
        ql__sync_wake(&ch->receivers);
    } else {
        ql_selectors_ready(&ch->selectors);
    }
    return true;
}

static int
send_attempt(ql_op_t *op)
{
    ql_own_op_t *own = ql__own(op);
    ql_channel_t *ch = channel_of(own);

    if (ql__sync_parked(own)) {
        return NGX_AGAIN;
    }
    if (channel_put(own->from, ch)) {
        return NGX_OK;
    }
    if (lua_gettop(own->from) == 3) {
        own->from = lua_tothread(own->from, 3);
    }
    ql_selectors_ready(&ch->selectors);
    return ql__sync_park(own, &ch->senders);
}

static const ql_op_type_t send_op = {.name = "channel send",
                                     .attempt = send_attempt,
                                     .push = ql__sync_push,
                                     .cancel = ql__sync_leave,
                                     .describe = ql__sync_describe};

/*
 * While the sender waits its item is read from its stack: that of a task's own
 * coroutine, which yields, or else of a thread that is anchored above it. One
 * that need not wait has none: nothing allocates, so that no finaliser uses the
 * channel, between the look and the attempt.
 */
static void
send_prepare(lua_State *L, ql_channel_t *ch)
{
    const ql_task_t *t = ch->sync.handle.lua->current;
    lua_State *from;

    ql__ring_reserve(L, ch);
    if (channel_takes(ch) || (t->L == L && lua_isyieldable(L))) {
        return;
    }
    from = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_xmove(L, from, 2);
    ql__ring_reserve(L, ch);
}

/* ---------------------------------------------------------- receive ---- */

/* Is the item of a sender that waits where it was? A script that has resumed
 * the task's coroutine has taken it away; the task fails for that. */
static bool
item_there(const ql_channel_t *ch, lua_State *from)
{
    return lua_gettop(from) == 2 && lua_touserdata(from, 1) == ch;
}

/* Is there an item for a receiver that came just now? A sender's joins them,
 * since one is about to go. */
static bool
channel_has(lua_State *L, ql_channel_t *ch)
{
    while (!ql_queue_empty(&ch->senders)) {
        ql_own_op_t *sender = ql__first_waiter(&ch->senders);

        if (item_there(ch, sender->from)) {
            ql__ring_put(L, ch, sender->from);
            ql__sync_wake(&ch->senders);
            break;
        }
        ql_queue_remove(&sender->link);
        ql_op_end(&sender->op, QL_E_CLOSED);
    }
    return channel_free_items(ch) > 0;
}

static int
receive_attempt(ql_op_t *op)
{
    ql_own_op_t *own = ql__own(op);
    ql_channel_t *ch = channel_of(own);

    if (!ql__sync_parked(own) && channel_has(own->from, ch)) {
        ch->promised++;
        own->granted = 1;
        return NGX_OK;
    }
    return ql__sync_park(own, &ch->receivers);
}

static int
receive_push(lua_State *L, ql_op_t *op, int rc)
{
    ql_own_op_t *own = ql__own(op);
    ql_channel_t *ch = channel_of(own);

    if (rc != NGX_OK) {
        return ql_push_error(L, op->err);
    }
    own->granted = 0;
    ch->promised--;
    ql__ring_take(L, ch);
    return 1;
}

/* Of a wait that the loop's failure has ended after all: the item is the next
 * receiver's. */
static void
receive_free(ql_op_t *op)
{
    ql_own_op_t *own = ql__own(op);
    ql_channel_t *ch = channel_of(own);

    if (!own->granted) {
        return;
    }
    own->granted = 0;
    if (ql_queue_empty(&ch->receivers)) {
        ch->promised--;
        ql_selectors_ready(&ch->selectors);
    } else {
        ql__sync_wake(&ch->receivers);
    }
}

static const ql_op_type_t receive_op = {.name = "channel receive",
                                        .attempt = receive_attempt,
                                        .push = receive_push,
                                        .cancel = ql__sync_leave,
                                        .free = receive_free,
                                        .describe = ql__sync_describe};

/* ----------------------------------------------------------- select ---- */

static int
select_attempt(ql_select_t *w)
{
    ql_channel_t *ch = w->object;

    return ch->sync.handle.closed || channel_free_items(ch) > 0
                || !ql_queue_empty(&ch->senders)
             ? NGX_OK
             : ql_select_park(w, &ch->selectors);
}

static const ql_select_type_t channel_select = {select_attempt,
                                                ql_select_leave};

/* -------------------------------------------------------- functions ---- */

static void
channel_close(ql_handle_t *h, int err)
{
    ql_channel_t *ch = ql_queue_data(h, ql_channel_t, sync.handle);

    ql__sync_end(&ch->senders, err);
    ql__sync_end(&ch->receivers, err);
    ql_selectors_ready(&ch->selectors);
}

static const ql_handle_type_t channel_type = {.name = "channel",
                                              .close = channel_close};

static ql_channel_t *
channel_check(lua_State *L, const char *method)
{
    return ql_handle_check(L, 1, &channel_type, method);
}

static void
check_item(lua_State *L, const char *method)
{
    if (lua_isnoneornil(L, 2)) {
        ql_bad_argument(L, 2, "v", method, "any value but nil");
    }
}

/* new([n]) -> channel */
static int
channel_new(lua_State *L)
{
    int64_t n = 0;
    ql_channel_t *ch;

    if (!lua_isnoneornil(L, 1)) {
        n = ql_check_whole(L, 1, "n", "channel", 0, 1 << 30);
    }
    ch = ql__sync_new(L, ql__upvalue(L), &channel_type, sizeof(*ch));
    ql_queue_init(&ch->senders);
    ql_queue_init(&ch->receivers);
    ql_queue_init(&ch->selectors);
    ch->size = (uint32_t) n;
    return 1;
}

/* send(self, v, [s]) -> true | nil, err, CODE */
static int
channel_send(lua_State *L)
{
    ql_channel_t *ch = channel_check(L, "send");
    uint64_t timeout = ql_check_timeout(L, 3, "s", "send");
    ql_own_op_t *own;

    check_item(L, "send");
    lua_settop(L, 2);
    send_prepare(L, ch);
    own = ql__sync_op(L, &ch->sync.handle, &send_op);
    own->op.timeout = timeout;
    own->from = L;
    return ql_await(L, &own->op, lua_gettop(L));
}

/* receive(self, [s]) -> v | nil, err, CODE */
static int
channel_receive(lua_State *L)
{
    ql_channel_t *ch = channel_check(L, "receive");
    uint64_t timeout = ql_check_timeout(L, 2, "s", "receive");
    ql_own_op_t *own;

    lua_settop(L, 1);
    ql__ring_reserve(L, ch);
    own = ql__sync_op(L, &ch->sync.handle, &receive_op);
    own->op.timeout = timeout;
    own->from = L;
    return ql_await(L, &own->op, 1);
}

/* offer(self, v) -> true | false: it would have to wait, or is closed; never
 * waits */
static int
channel_offer(lua_State *L)
{
    ql_channel_t *ch = channel_check(L, "offer");

    check_item(L, "offer");
    lua_settop(L, 2);
    ql__ring_reserve(L, ch);
    lua_pushboolean(L, channel_put(L, ch));
    return 1;
}

/* poll(self) -> v | nothing; never waits */
static int
channel_poll(lua_State *L)
{
    ql_channel_t *ch = channel_check(L, "poll");

    lua_settop(L, 1);
    ql__ring_reserve(L, ch);
    if (!channel_has(L, ch)) {
        return 0;
    }
    ql__ring_take(L, ch);
    return 1;
}

/* closed(self) -> boolean */
static int
channel_closed(lua_State *L)
{
    lua_pushboolean(L, channel_check(L, "closed")->sync.handle.closed != 0);
    return 1;
}

/* #channel: items in the buffer */
static int
channel_len(lua_State *L)
{
    lua_pushnumber(L, channel_free_items(channel_check(L, "#")));
    return 1;
}

/* "channel (open, 2 of 8): 0x..." */
static int
channel_tostring(lua_State *L)
{
    ql_channel_t *ch = channel_check(L, "tostring");

    lua_pushfstring(L, "channel (%s, %d of %d): %p",
                    ch->sync.handle.closed ? "closed" : "open",
                    (int) channel_free_items(ch), (int) ch->size, (void *) ch);
    return 1;
}

void
ql__channel_open(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {{"new", channel_new},
                                   {"send", channel_send},
                                   {"receive", channel_receive},
                                   {"offer", channel_offer},
                                   {"poll", channel_poll},
                                   {"closed", channel_closed},
                                   {NULL, NULL}};
    static const luaL_Reg meta[] = {
        {"__len", channel_len}, {"__tostring", channel_tostring}, {NULL, NULL}};

    ql__sync_open(L, lua, &channel_type, fns);
    ql_handle_selectable(L, &channel_type, &channel_select);
    ql__handle_metatable(L, &channel_type);
    luaL_setfuncs(L, meta, 0);
    lua_pop(L, 1);
}
