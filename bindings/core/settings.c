/*
 * settings.c: configure: what a script sets of the runtime.
 */
#include "core.h"

#include <string.h>

/* --------------------------------------------------------- configure ---- */

#define SLICE_LEAST 0.001 /* s */
#define SLICE_MOST 3600.0

/* What a call of configure asks for, applied when all of it is good. */
typedef struct {
    ql_conf_t conf;
    int sizes;      /* settings of conf given that are fixed once it runs */
    bool live;      /* others were given */
    int level;      /* 0: as it is */
    unsigned debug; /* QL_DEBUG_*; with debug_set */
    bool debug_set;
    ql_slices_t slices; /* with slices_set */
    bool slices_set;
    double grace; /* s of a stop by a signal */
} settings_t;

static int
settings_log_level(lua_State *L, settings_t *settings)
{
    int level = lua_type(L, -1) == LUA_TSTRING
                  ? ql_log_level_by_name(lua_tostring(L, -1))
                  : 0;

    if (level == 0) {
        return ql_raise(L, "log_level must be emerg, alert, crit, error, warn, "
                           "notice, info or debug");
    }
    settings->level = level;
    return 0;
}

/* debug = {"event", "aio", ...}; {} switches all off. */
static int
settings_debug(lua_State *L, settings_t *settings)
{
    if (!lua_istable(L, -1)) {
        return ql_raise(L, "debug must be a list of categories");
    }
    for (int i = 1; i <= (int) lua_objlen(L, -1); i++) {
        unsigned bit;

        lua_rawgeti(L, -1, i);
        bit = lua_type(L, -1) == LUA_TSTRING
                ? ql_log_debug_by_name(lua_tostring(L, -1))
                : 0;
        if (bit == 0) {
            return ql_raise(L,
                            "debug: no such category: %s (event, posted, "
                            "timer, accept, net, aio, pool, task)",
                            lua_isstring(L, -1) ? lua_tostring(L, -1)
                                                : luaL_typename(L, -1));
        }
        settings->debug |= bit;
        lua_pop(L, 1);
    }
    settings->debug_set = true;
    return 0;
}

/* A setting of the runtime: the value on top of the stack into conf. */
static int
settings_number(lua_State *L, const char *name, settings_t *settings)
{
    char err[160];

    if (ql_conf_describe(name, err, sizeof(err)) == NGX_DECLINED) {
        return ql_raise(L, "configure: no such setting: %s", name);
    }
    if (lua_isboolean(L, -1) && ql_conf_flag(name)) {
        lua_pushinteger(L, lua_toboolean(L, -1));
        lua_replace(L, -2);
    }
    if (lua_type(L, -1) != LUA_TNUMBER) {
        return ql_raise(L, "%s, got %s", err, luaL_typename(L, -1));
    }
    if (ql_conf_set(&settings->conf, name, lua_tonumber(L, -1), err,
                    sizeof(err))
        != NGX_OK)
    {
        return ql_raise(L, "%s", err);
    }
    if (ql_conf_live(name)) {
        settings->live = true;
    } else {
        settings->sizes++;
    }
    return 0;
}

/* slice_warn, slice_max: seconds; 0 and false switch off. */
static int
settings_slice(lua_State *L, const char *name, double *slice,
               settings_t *settings)
{
    double s = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1)
             : lua_isboolean(L, -1) && !lua_toboolean(L, -1) ? 0
                                                             : -1;

    if (s != 0 && !(s >= SLICE_LEAST && s <= SLICE_MOST)) {
        return ql_raise(L, "%s must be 0 or from %f to %f seconds, got %s",
                        name, (lua_Number) SLICE_LEAST, (lua_Number) SLICE_MOST,
                        lua_isstring(L, -1) ? lua_tostring(L, -1)
                                            : luaL_typename(L, -1));
    }
    *slice = s;
    settings->slices_set = true;
    return 0;
}

/* grace: seconds; math.huge: as long as it takes. */
static int
settings_grace(lua_State *L, settings_t *settings)
{
    settings->grace = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
    if (!(settings->grace >= 0)) {
        return ql_raise(L, "grace must be seconds, 0 or more, got %s",
                        lua_isstring(L, -1) ? lua_tostring(L, -1)
                                            : luaL_typename(L, -1));
    }
    return 0;
}

/* Only together they can be compared. */
static void
settings_check_slices(lua_State *L, const ql_slices_t *slices)
{
    if (slices->warn > 0 && slices->max > 0 && slices->max <= slices->warn) {
        ql_raise(L, "slice_max must be more than slice_warn (%f s), got %f",
                 slices->warn, slices->max);
    }
}

static int
settings_push(lua_State *L, ql_lua_t *lua)
{
    const ql_conf_t *conf = ql_loop_conf(ql_lua_loop(lua));
    const ql_slices_t *slices = ql_watchdog_slices(lua);
    const char *name;
    uint32_t value;

    lua_createtable(L, 0, 16);
    for (unsigned i = 0; (name = ql_conf_get(conf, i, &value)) != NULL; i++) {
        lua_pushnumber(L, value);
        lua_setfield(L, -2, name);
    }
    lua_pushnumber(L, slices->warn);
    lua_setfield(L, -2, "slice_warn");
    lua_pushnumber(L, slices->max);
    lua_setfield(L, -2, "slice_max");
    lua_pushnumber(L, ql_stop_grace(lua));
    lua_setfield(L, -2, "grace");
    return 1;
}

/* The pair on top of the stack into settings; raises. */
static int
settings_pair(lua_State *L, settings_t *settings)
{
    const char *name;

    if (lua_type(L, -2) != LUA_TSTRING) {
        return ql_raise(L, "configure: names of settings are strings");
    }
    name = lua_tostring(L, -2);
    if (strcmp(name, "log_level") == 0) {
        return settings_log_level(L, settings);
    }
    if (strcmp(name, "debug") == 0) {
        return settings_debug(L, settings);
    }
    if (strcmp(name, "slice_warn") == 0) {
        return settings_slice(L, name, &settings->slices.warn, settings);
    }
    if (strcmp(name, "slice_max") == 0) {
        return settings_slice(L, name, &settings->slices.max, settings);
    }
    if (strcmp(name, "grace") == 0) {
        return settings_grace(L, settings);
    }
    return settings_number(L, name, settings);
}

static void
settings_apply(ql_loop_t *loop, const settings_t *settings)
{
    *ql_loop_conf(loop) = settings->conf;
    if (settings->live) {
        ql_open_cache_drop(loop);
        ql_keepalive_trim(loop);
    }
    if (settings->debug_set) {
        ql_log_set_debug(loop, settings->debug);
    }
    if (settings->level != 0 || settings->debug != 0) {
        ql_log_set_level(loop,
                         settings->debug != 0 ? QL_LOG_DEBUG : settings->level);
    }
}

/* configure{name = value, ...} -> every setting with its value. All or
 * nothing; sizes only before the loop's first turn. */
static int
settings_configure(lua_State *L)
{
    ql_lua_t *lua = ql_core(L)->lua;
    ql_loop_t *loop = ql_check_loop(L, lua);
    settings_t settings = {.conf = *ql_loop_conf(loop),
                           .slices = *ql_watchdog_slices(lua),
                           .grace = ql_stop_grace(lua)};

    if (!lua_isnoneornil(L, 1) && !lua_istable(L, 1)) {
        return ql_bad_argument(L, 1, "settings", "configure", "a table");
    }
    lua_settop(L, 1);
    for (lua_pushnil(L); lua_istable(L, 1) && lua_next(L, 1); lua_pop(L, 1)) {
        settings_pair(L, &settings);
    }
    if (settings.sizes != 0 && ql_loop_fd(loop) != -1) {
        return ql_raise(L, "configure: the loop has started; only log_level, "
                           "debug, keepalive, open_file_cache*, slice_warn, "
                           "slice_max and grace can be changed now");
    }
    if (settings.slices_set) {
        settings_check_slices(L, &settings.slices);
        ql_watchdog_set(L, lua, &settings.slices);
    }
    ql_stop_set_grace(lua, settings.grace);
    settings_apply(loop, &settings);
    return settings_push(L, lua);
}

/* loop() -> the ql_loop_t *, for C that is called through the FFI */
static int
settings_loop(lua_State *L)
{
    lua_pushlightuserdata(L, ql_check_loop(L, ql_core(L)->lua));
    return 1;
}

void
ql__open_settings(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg fns[] = {{"configure", settings_configure},
                                   {"loop", settings_loop},
                                   {NULL, NULL}};

    ql_core_register(L, core, fns);
}
