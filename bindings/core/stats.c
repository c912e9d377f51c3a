/*
 * stats.c: counters and gauges of the runtime as a table.
 */
#include "core.h"

#include <string.h>

typedef struct {
    const char *group; /* key of its table in the result */
    const char *name;
    size_t offset; /* in ql_stats_t, of a uint64_t */
} stats_field_t;

#define STAT(group, name, member)                                              \
    {                                                                          \
        group, name, offsetof(ql_stats_t, member)                              \
    }

static const stats_field_t stats_fields[] = {
    STAT("loop", "turns", turns),
    STAT("loop", "events", events),
    STAT("loop", "stale", stale),
    STAT("loop", "rebuilds", rebuilds),
    STAT("loop", "epoll_ctl", epoll_ctl),
    STAT("loop", "posted", posted),
    STAT("loop", "timers", timers),
    STAT("connections", "opened", opened),
    STAT("connections", "closed", closed),
    STAT("connections", "live", live),
    STAT("connections", "accepted", accepted),
    STAT("connections", "rejected", rejected),
    STAT("connections", "rejected_peer", rejected_peer),
    STAT("connections", "accept_errors", accept_errors),
    STAT("connections", "accept_pauses", accept_pauses),
    STAT("aio", "submitted", aio_submitted),
    STAT("aio", "reaped", aio_reaped),
    STAT("aio", "in_flight", aio_in_flight),
    STAT("files", "live", files_live),
    STAT("files", "reads", reads_live),
    STAT("files", "open_cached", open_cached),
    STAT("files", "open_pool", open_pool),
    STAT("files", "close_pool", close_pool),
    STAT("files", "close_inline", close_inline),
    STAT("files", "hits", read_hits),
    STAT("files", "misses", read_misses),
    STAT("files", "direct", read_direct),
    STAT("files", "pool", read_pool),
    STAT("files", "write_hits", write_hits),
    STAT("files", "write_misses", write_misses),
    STAT("files", "write_pool", write_pool),
    STAT("files", "write_nowait_unsupported", write_nowait_unsupported),
    STAT("files", "sync_aio", sync_aio),
    STAT("files", "sendfiles", sendfiles),
    STAT("files", "queued", aio_queued),
    STAT("files", "eagain", aio_eagain),
    STAT("files", "submits", aio_submits),
    STAT("files", "orphans", orphans),
    STAT("open_cache", "hits", cache_hits),
    STAT("open_cache", "misses", cache_misses),
    STAT("open_cache", "entries", cache_entries),
    STAT("open_cache", "evicted", cache_evicted),
    STAT("open_cache", "revalidated", cache_revalidated),
    STAT("open_cache", "negative", cache_negative),
    STAT("pool", "jobs", pool_jobs),
    STAT("pool", "pending", pool_pending),
    STAT("pool", "calls", calls_live),
    STAT("processes", "started", processes),
    STAT("processes", "live", processes_live),
};

#undef STAT

static void
stats_push_counters(lua_State *L, const ql_stats_t *stats)
{
    for (size_t i = 0; i < sizeof(stats_fields) / sizeof(*stats_fields); i++) {
        const stats_field_t *f = &stats_fields[i];
        uint64_t value;

        memcpy(&value, (const char *) stats + f->offset, sizeof(value));
        lua_getfield(L, -1, f->group);
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            lua_createtable(L, 0, 8);
            lua_pushvalue(L, -1);
            lua_setfield(L, -3, f->group);
        }
        lua_pushnumber(L, (lua_Number) value);
        lua_setfield(L, -2, f->name);
        lua_pop(L, 1);
    }
}

/* {count = n, s = seconds of the last, file = its path}: field `name` of the
 * table on top. */
static void
stats_push_slow(lua_State *L, const char *name, const ql_slow_t *slow)
{
    lua_createtable(L, 0, 3);
    lua_pushnumber(L, (lua_Number) slow->count);
    lua_setfield(L, -2, "count");
    if (slow->count > 0) {
        lua_pushnumber(L, (lua_Number) slow->ns / 1e9);
        lua_setfield(L, -2, "s");
        lua_pushstring(L, slow->file);
        lua_setfield(L, -2, "file");
    }
    lua_setfield(L, -2, name);
}

/* {{device = , reason = , count = }, ...}: field `fallbacks` of the table on
 * top. */
static void
stats_push_fallbacks(lua_State *L, const ql_loop_t *loop)
{
    ql_fallback_t f;

    lua_newtable(L);
    for (unsigned i = 0; ql_fallback(loop, i, &f) == NGX_OK; i++) {
        lua_createtable(L, 0, 3);
        lua_pushstring(L, f.device);
        lua_setfield(L, -2, "device");
        lua_pushstring(L, f.reason);
        lua_setfield(L, -2, "reason");
        lua_pushnumber(L, (lua_Number) f.count);
        lua_setfield(L, -2, "count");
        lua_rawseti(L, -2, (int) i + 1);
    }
    lua_setfield(L, -2, "fallbacks");
}

static void
set_number(lua_State *L, const char *name, uint64_t value)
{
    lua_pushnumber(L, (lua_Number) value);
    lua_setfield(L, -2, name);
}

/* Into the table on top. */
static void
stats_push_pool(lua_State *L, const ql_keepalive_stats_t *stats)
{
    static const char *const reasons[QL_DROPS] = {
        "closed", "readable", "timeout", "evicted", "ended", "forked"};

    set_number(L, "created", stats->created);
    set_number(L, "parked", stats->parked);
    set_number(L, "reused", stats->reused);
    set_number(L, "refused", stats->refused);
    lua_createtable(L, 0, QL_DROPS);
    for (int i = 0; i < QL_DROPS; i++) {
        set_number(L, reasons[i], stats->dropped[i]);
    }
    lua_setfield(L, -2, "dropped");
}

/* A pool of its own on top. The key's part for people ends with a zero byte. */
static void
stats_push_one_pool(lua_State *L, const ql_keepalive_t *pool)
{
    lua_createtable(L, 0, 12);
    lua_pushlstring(L, pool->key, strnlen(pool->key, pool->length));
    lua_setfield(L, -2, "name");
    set_number(L, "size", pool->size);
    set_number(L, "idle", pool->nidle);
    set_number(L, "connections", pool->connections);
    set_number(L, "waiting", pool->waiting);
    stats_push_pool(L, &pool->stats);
}

/* {idle =, waiting =, ..., pools = {...}}: field `keepalive` of the table on
 * top. */
static void
stats_push_keepalive(lua_State *L, ql_loop_t *loop)
{
    ql_keepalive_t *pool = NULL;
    uint64_t idle, waiting = 0;
    int n = 0;

    lua_createtable(L, 0, 10);
    stats_push_pool(L, ql_keepalive_stats(loop, &idle));
    set_number(L, "idle", idle);
    lua_newtable(L);
    while ((pool = ql_keepalive_next(loop, pool)) != NULL) {
        waiting += pool->waiting;
        stats_push_one_pool(L, pool);
        lua_rawseti(L, -2, ++n);
    }
    lua_setfield(L, -2, "pools");
    set_number(L, "waiting", waiting);
    lua_setfield(L, -2, "keepalive");
}

/* stats() -> {loop = {turns = ...}, connections = {...}, aio, files, pool,
 * alerts = n} */
static int
stats(lua_State *L)
{
    ql_loop_t *loop = ql_check_loop(L, ql_core(L)->lua);
    ql_stats_t counters;

    ql_stats(loop, &counters);
    lua_createtable(L, 0, 8);
    stats_push_counters(L, &counters);
    lua_getfield(L, -1, "files");
    stats_push_slow(L, "slow_submits", ql_slow_submit(loop));
    stats_push_slow(L, "slow_cached", ql_slow_cached(loop));
    stats_push_fallbacks(L, loop);
    lua_pop(L, 1);
    stats_push_keepalive(L, loop);
    lua_pushnumber(L, (lua_Number) ql_log_count(loop, QL_LOG_ALERT));
    lua_setfield(L, -2, "alerts");
    return 1;
}

void
ql__open_stats(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg fns[] = {{"stats", stats}, {NULL, NULL}};

    ql_core_register(L, core, fns);
}
