/*
 * log.c: what a script writes to the log.
 */
#include "core.h"

#include <stdio.h>

/* Where others may have chosen the bytes, none of them begins a line or moves a
 * terminal's cursor. */
static void
log_add_escaped(luaL_Buffer *b, unsigned char c)
{
    char text[8];

    if (c == '\n') {
        luaL_addlstring(b, "\\n", 2);
    } else if (c == '\t' || (c >= ' ' && c != 0x7f)) {
        luaL_addchar(b, (char) c);
    } else {
        (void) snprintf(text, sizeof(text), "\\x%02X", c);
        luaL_addlstring(b, text, 4);
    }
}

/* The same for the string on top. */
static void
log_escape(lua_State *L)
{
    size_t size;
    const char *text = lua_tolstring(L, -1, &size);
    luaL_Buffer b;

    luaL_buffinit(L, &b);
    for (size_t i = 0; i < size; i++) {
        log_add_escaped(&b, (unsigned char) text[i]);
    }
    luaL_pushresult(&b);
}

static int
log_values(lua_State *L, bool lines)
{
    ql_loop_t *loop = ql_check_loop(L, ql_core(L)->lua);
    int n = lua_gettop(L);
    int level = lua_type(L, 1) == LUA_TSTRING
                  ? ql_log_level_by_name(lua_tostring(L, 1))
                  : 0;

    if (level == 0) {
        return ql_bad_argument(L, 1, "level", "log",
                               "emerg, alert, crit, error, warn, notice, info "
                               "or debug");
    }
    if (level > ql_log_level(loop)) {
        return 0;
    }
    for (int i = 2; i <= n; i++) {
        lua_getglobal(L, "tostring");
        lua_pushvalue(L, i);
        lua_call(L, 1, 1);
        lua_replace(L, i);
    }
    lua_concat(L, n - 1);
    if (!lines) {
        log_escape(L);
    }
    ql_log_text(loop, level, lua_tostring(L, -1));
    return 0;
}

/* log(level, ...): the values' tostring, one after the other, on one line */
static int
log_line(lua_State *L)
{
    return log_values(L, false);
}

/* log_lines(level, ...): the same with the lines of a traceback */
static int
log_lines(lua_State *L)
{
    return log_values(L, true);
}

void
ql__open_log(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg fns[] = {
        {"log", log_line}, {"log_lines", log_lines}, {NULL, NULL}};

    ql_core_register(L, core, fns);
}
