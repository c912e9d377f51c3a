/*
 * error.c: the words and codes of failures, and misuse raised at the script's
 * own line.
 */
#include "misuse.h"
#include "state.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    int err;
    const char *text;
    const char *code;
} error_word_t;

static const error_word_t error_words[] = {
    {QL_E_TIMEOUT, "timeout", "TIMEOUT"},
    {QL_E_CLOSED, "closed", "CLOSED"},
    {QL_E_OWNER_ENDED, "closed", "OWNER_ENDED"},
    {QL_E_DEADLINE, "timeout", "DEADLINE"},
    {QL_E_CANCELLED, "cancelled", "CANCELLED"},
    {QL_E_BUSY_READING, "busy reading", "BUSY"},
    {QL_E_BUSY_WRITING, "busy writing", "BUSY"},
    {QL_E_NOT_FOUND, "host not found", "ENOTFOUND"},
    {QL_E_STOPPING, "stopping", "STOPPING"},
    {QL_E_UNREAD, "unread bytes", "UNREAD"},
    {QL_E_FORCED, "ended by force", "FORCED"},
};

static const char ranges_key = 0; /* registry: range -> its words */

enum {
    OWN_RANGES = 2 /* errno's and ours */
};

static const error_word_t *
error_word(int err)
{
    for (size_t i = 0; i < sizeof(error_words) / sizeof(error_words[0]); i++) {
        if (error_words[i].err == err) {
            return &error_words[i];
        }
    }
    return NULL;
}

static void
push_ranges(lua_State *L)
{
    lua_pushlightuserdata(L, (void *) (uintptr_t) &ranges_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
}

/* Of an error of another module; NULL: it is none. */
static const ql_error_words_t *
error_words_of(lua_State *L, int err)
{
    const ql_error_words_t *words = NULL;

    if (err >> 16 < OWN_RANGES) {
        return NULL;
    }
    push_ranges(L);
    if (lua_istable(L, -1)) {
        lua_rawgeti(L, -1, err >> 16);
        words = lua_touserdata(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return words;
}

void
ql_error_range(lua_State *L, int range, const ql_error_words_t *words)
{
    const ql_error_words_t *others = error_words_of(L, range << 16);

    QL_CHECK_STATE(L);
    if (others != NULL && others != words) {
        luaL_error(L, "the range of errors %d of '%s' is that of '%s' already",
                   range, words->owner, others->owner);
    }
    push_ranges(L);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushlightuserdata(L, (void *) (uintptr_t) &ranges_key);
        lua_pushvalue(L, -2);
        lua_rawset(L, LUA_REGISTRYINDEX);
    }
    lua_pushlightuserdata(L, (void *) (uintptr_t) words);
    lua_rawseti(L, -2, range);
    lua_pop(L, 1);
}

void
ql_push_error_text(lua_State *L, int err)
{
    const error_word_t *word = error_word(err);
    const ql_error_words_t *words = error_words_of(L, err);
    char text[128];
    char *p;

    QL_CHECK_STATE(L);
    if (word != NULL) {
        lua_pushstring(L, word->text);
        return;
    }
    if (words != NULL) {
        words->text(err, text, sizeof(text));
        lua_pushstring(L, text);
        return;
    }
    p = strerror_r(err, text, sizeof(text));
    if (p != text) {
        p = strncpy(text, p, sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
    }
    for (; *p != '\0'; p++) {
        *p = (char) tolower((unsigned char) *p);
    }
    lua_pushstring(L, text);
}

void
ql_push_error_code(lua_State *L, int err)
{
    const error_word_t *word = error_word(err);
    const ql_error_words_t *words = error_words_of(L, err);
    const char *name = word != NULL ? word->code : strerrorname_np(err);
    char code[128];

    QL_CHECK_STATE(L);
    if (words != NULL) {
        words->code(err, code, sizeof(code));
        name = code;
    }
    if (name != NULL) {
        lua_pushstring(L, name);
    } else {
        lua_pushfstring(L, "E%d", err);
    }
}

int
ql_push_error(lua_State *L, int err)
{
    QL_CHECK_STATE(L);
    lua_pushnil(L);
    ql_push_error_text(L, err);
    ql_push_error_code(L, err);
    return 3;
}

int
ql_push_error_partial(lua_State *L, int err)
{
    QL_CHECK_STATE(L);
    lua_pushnil(L);
    lua_insert(L, -2);
    ql_push_error_text(L, err);
    lua_insert(L, -2);
    ql_push_error_code(L, err);
    return 4;
}

bool
ql__where(const ql_lua_t *lua, lua_State *L, lua_Debug *ar)
{
    const char *own = lua->own_chunks;

    for (int level = 0; lua_getstack(L, level, ar); level++) {
        lua_getinfo(L, "Sl", ar);
        if (ar->currentline > 0
            && (*own == '\0' || strncmp(ar->source, own, strlen(own)) != 0))
        {
            return true;
        }
    }
    return false;
}

void
ql__push_where(lua_State *L)
{
    lua_Debug ar;

    if (ql__where(ql_lua(L), L, &ar)) {
        lua_pushfstring(L, "%s:%d", ar.short_src, ar.currentline);
    } else {
        lua_pushliteral(L, "");
    }
}

/* The same of L and of the coroutines that L was resumed from, out to the
 * task's own: in each of them a tail call may have left no function. */
static bool
where_outward(lua_State *L, ql_lua_t *lua, lua_Debug *ar)
{
    const ql_task_t *t = lua->current;
    lua_State *co = L;
    int top = lua_gettop(L);
    bool found = ql__where(lua, L, ar);

    if (found || !lua_checkstack(L, 3)) {
        return found;
    }
    lua_pushthread(L);
    while (!found && (co = ql__waiter_outward(L, lua)) != NULL) {
        found = ql__where(lua, co, ar);
    }
    lua_settop(L, top);
    return found || (t->L != NULL && ql__where(lua, t->L, ar));
}

/* Pushes how a message begins: "file:line: ". A task none of whose functions is
 * the script's has the place of its spawn. */
static void
push_position(lua_State *L)
{
    ql_lua_t *lua = ql_lua(L);
    char spawned[128] = "";
    lua_Debug ar;

    if (where_outward(L, lua, &ar)) {
        lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
        return;
    }
    if (lua->loop != NULL) {
        ql__task_spawned(lua->current, spawned, sizeof(spawned));
    }
    if (spawned[0] != '\0') {
        lua_pushfstring(L, "%s: in the task spawned here: ",
                        spawned + strlen("spawned at "));
    } else {
        lua_pushliteral(L, "");
    }
}

int
ql_raise(lua_State *L, const char *fmt, ...)
{
    QL_CHECK_STATE(L);
    va_list args;

    push_position(L);
    va_start(args, fmt);
    lua_pushvfstring(L, fmt, args);
    va_end(args);
    lua_concat(L, 2);
    return lua_error(L);
}

int
ql_bad_argument(lua_State *L, int arg, const char *name, const char *method,
                const char *expected)
{
    const char *got = luaL_typename(L, arg);

    QL_CHECK_STATE(L);
    if (lua_type(L, arg) == LUA_TNUMBER) {
        got = lua_pushfstring(L, "%f", lua_tonumber(L, arg));
    } else if (lua_type(L, arg) == LUA_TSTRING && lua_objlen(L, arg) < 60) {
        got = lua_pushfstring(L, "'%s'", lua_tostring(L, arg));
    }
    return ql_raise(L, "bad argument '%s' to '%s' (%s expected, got %s)", name,
                    method, expected, got);
}

uint64_t
ql_check_timeout(lua_State *L, int arg, const char *name, const char *method)
{
    double s;

    QL_CHECK_STATE(L);
    if (lua_isnoneornil(L, arg)) {
        return QL_TIMER_INFINITE;
    }
    s = lua_type(L, arg) == LUA_TNUMBER ? lua_tonumber(L, arg) : -1;
    if (!(s >= 0)) {
        ql_bad_argument(L, arg, name, method, "seconds, 0 or more,");
    }
    return s < 4e9 ? (uint64_t) ceil(s * 1e9) : QL_TIMER_INFINITE;
}

int64_t
ql_check_whole(lua_State *L, int arg, const char *name, const char *method,
               int64_t min, int64_t max)
{
    double n = lua_type(L, arg) == LUA_TNUMBER ? lua_tonumber(L, arg) : NAN;

    QL_CHECK_STATE(L);
    if (!(n >= (double) min && n <= (double) max && n == (double) (int64_t) n))
    {
        char expected[80], end[24] = "up";

        if (max < INT32_MAX) {
            (void) snprintf(end, sizeof(end), "to %lld", (long long) max);
        }
        (void) snprintf(expected, sizeof(expected),
                        "a whole number from %lld %s", (long long) min, end);
        return ql_bad_argument(L, arg, name, method, expected);
    }
    return (int64_t) n;
}

/* own_chunks(prefix): chunks whose name begins so are quoll's own modules;
 * errors are raised at the line of the first other one. */
static int
own_chunks(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);
    const char *prefix = luaL_checkstring(L, 1);

    strncpy(lua->own_chunks, prefix, sizeof(lua->own_chunks) - 1);
    return 0;
}

/* raise(text): an error at the script's own line */
static int
raise_text(lua_State *L)
{
    return ql_raise(L, "%s", luaL_checkstring(L, 1));
}

/* bad_argument(value, name, method, expected): raises, as misuse of a function
 * of C does */
static int
bad_argument(lua_State *L)
{
    const char *name = luaL_checkstring(L, 2);
    const char *method = luaL_checkstring(L, 3);

    return ql_bad_argument(L, 1, name, method, luaL_checkstring(L, 4));
}

void
ql__error_register(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {{"own_chunks", own_chunks},
                                   {"raise", raise_text},
                                   {"bad_argument", bad_argument},
                                   {NULL, NULL}};

    ql__register(L, lua, fns);
}

/* ------------------------------------------------------------ fields ---- */

int
ql_field_flag(lua_State *L, int arg, const char *name)
{
    int set;

    QL_CHECK_STATE(L);
    lua_getfield(L, arg, name);
    set = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return set;
}

lua_Number
ql_field_number(lua_State *L, int arg, const char *name, lua_Number absent)
{
    lua_Number n;

    QL_CHECK_STATE(L);
    lua_getfield(L, arg, name);
    n = lua_isnil(L, -1) ? absent : lua_tonumber(L, -1);
    lua_pop(L, 1);
    return n;
}
