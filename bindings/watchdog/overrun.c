/*
 * overrun.c: what comes to a task that keeps the loop for too long: a line in
 * the log, an error, at last its end. Runs in a hook of its coroutine, or of
 * one inside.
 */
#include "../base/state.h"
#include "code.h"

#include <stdio.h>
#include <string.h>

enum {
    OVERRUN_RAISED = 3,  /* times that a slice may swallow the error */
    OVERRUN_FRAMES = 5,  /* of the stack that a log line shows */
    OVERRUN_PLACES = 512 /* bytes of it */
};

static const char overrun_key = 0; /* registry: address -> its metatable */

const ql_task_t *
ql__overrun_task(const ql_lua_t *lua)
{
    return lua->current->state == QL_TASK_RUNNING || lua->reported == NULL
             ? lua->current
             : lua->reported;
}

bool
ql__overrun_same_slice(const ql_lua_t *lua)
{
    const ql_task_t *t = ql__overrun_task(lua);

    return (t == lua->reported
            || (t != &lua->root && t->state == QL_TASK_RUNNING))
        && lua->watchdog.resumes == lua->resumes;
}

/* ----------------------------------------------------- naming the task ---- */

/* Appends the lines of L's innermost functions; how many. */
static int
places_append(lua_State *L, char *text, int frames)
{
    size_t len = strlen(text);
    lua_Debug ar;
    int n = 0;

    for (int level = 0; n < frames && lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (ar.currentline > 0) {
            len += (size_t) snprintf(text + len, OVERRUN_PLACES - len,
                                     "%s%s:%d", len != 0 ? " < " : "",
                                     ar.short_src, ar.currentline);
            n++;
        }
    }
    return n;
}

/* "inner.lua:3 < outer.lua:7", from a coroutine inside the task out to it. */
static void
places(lua_State *L, const ql_task_t *t, char *text)
{
    int n = places_append(L, text, OVERRUN_FRAMES);

    if (t != t->lua->reported && t->L != L) {
        (void) places_append(t->L, text, OVERRUN_FRAMES - n);
    }
}

/* how: where and why, in words. */
static void
overrun_log(const ql_task_t *t, const char *how, const char *text, bool in_c)
{
    ql_watchdog_t *dog = &t->lua->watchdog;
    char title[128], code[QL_CODE_NAME] = "";

    dog->named = true;
    dog->overruns++;
    ql__task_title(t, title, sizeof(title));
    if (in_c) {
        ql__code_name(dog->pc, code, sizeof(code));
    }
    ql_log_error(t->lua->loop, QL_LOG_WARN, 0,
                 "%s has kept the loop for %.3f s, %s %s%s%s", title,
                 (double) (dog->ticks * dog->tick) / 1e9, how, text,
                 code[0] != '\0' ? "; seen in " : "", code);
}

/* After a C function has returned, the VM stands behind the call. */
static void
overrun_name(lua_State *L, ql_lua_t *lua)
{
    const ql_task_t *t = ql__overrun_task(lua);
    bool in_c = lua->watchdog.vmstate == 'C';
    char text[OVERRUN_PLACES] = "";

    places(L, t, text);
    overrun_log(t, in_c ? "by a C function called at or before" : "at", text,
                in_c);
}

/* No instruction of Lua came behind the C function that took the time: it was
 * called last of all, `return text:find(...)`, and has left no place. */
void
ql__overrun_stopped(ql_task_t *t)
{
    ql_lua_t *lua = t->lua;
    ql_watchdog_t *dog = &lua->watchdog;
    char text[OVERRUN_PLACES] = "";

    if (dog->leave == NULL || dog->named || dog->resumes != lua->resumes
        || dog->ticks * dog->tick < dog->warn)
    {
        return;
    }
    dog->in_hook = true;
    ql__task_spawned(t, text, sizeof(text));
    overrun_log(t, "by a C function called last of all;", text, true);
    dog->in_hook = false;
}

/* --------------------------------------------------------- stopping it ---- */

static int
overrun_raise(lua_State *L, const ql_watchdog_t *dog)
{
    lua_createtable(L, 0, 3);
    ql__push_where(L);
    lua_setfield(L, -2, "where");
    lua_pushliteral(L, "SLICE");
    lua_setfield(L, -2, "code");
    lua_pushnumber(L, (lua_Number) dog->max / 1e9);
    lua_setfield(L, -2, "slice_max");
    lua_pushlightuserdata(L, (void *) (uintptr_t) &overrun_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    lua_setmetatable(L, -2);
    return lua_error(L);
}

static int
overrun_tostring(lua_State *L)
{
    lua_getfield(L, 1, "where");
    lua_getfield(L, 1, "slice_max");
    lua_pushfstring(L, "%s: time slice exceeded (slice_max = %f s)",
                    lua_tostring(L, -2), lua_tonumber(L, -1));
    return 1;
}

void
ql__overrun_unhook(lua_State *L, ql_watchdog_t *dog)
{
    lua_sethook(L, dog->hook, dog->hook_mask, dog->hook_count);
}

/*
 * It has swallowed the error too often. Where it can yield it is left there;
 * elsewhere the error is raised at each instruction, which no pcall survives,
 * until it has come to where it can.
 */
static int
overrun_force(lua_State *L, ql_lua_t *lua)
{
    ql_task_t *t = lua->current;

    if (ql__overrun_task(lua) != t || t->L != L || !lua_isyieldable(L)) {
        return overrun_raise(L, &lua->watchdog);
    }
    ql__overrun_unhook(L, &lua->watchdog);
    t->forced = 1;
    t->fault = "exceeded slice_max, swallowed the error 3 times and was ended "
               "by force";
    return ql__yield(L, t, 0);
}

/* Quoll's own functions are not left in the middle. */
static bool
overrun_in_own(lua_State *L, const ql_lua_t *lua)
{
    lua_Debug ar;

    if (*lua->own_chunks == '\0' || !lua_getstack(L, 0, &ar)) {
        return false;
    }
    lua_getinfo(L, "S", &ar);
    return strncmp(ar.source, lua->own_chunks, strlen(lua->own_chunks)) == 0;
}

/* No tick changes hooks while it runs: hooked. */
void
ql__overrun_hook(lua_State *L, lua_Debug *ar)
{
    ql_lua_t *lua = ql_lua(L);
    ql_watchdog_t *dog = &lua->watchdog;
    bool stop = dog->ticks * dog->tick >= dog->max;

    (void) ar;
    if (!ql__overrun_same_slice(lua)) {
        dog->in_hook = true;
        ql__overrun_unhook(L, dog);
        dog->in_hook = false;
        return;
    }
    if (overrun_in_own(L, lua)) {
        return;
    }
    dog->in_hook = true;
    if (!dog->named) {
        overrun_name(L, lua);
    }
    if (stop && dog->raised == OVERRUN_RAISED) {
        dog->in_hook = false;
        (void) overrun_force(L, lua);
        return;
    }
    ql__overrun_unhook(L, dog);
    dog->in_hook = false;
    if (stop) {
        dog->raised++;
        (void) overrun_raise(L, dog);
    }
}

void
ql__overrun_register(lua_State *L)
{
    lua_pushlightuserdata(L, (void *) (uintptr_t) &overrun_key);
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, overrun_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "quoll.overrun");
    lua_setfield(L, -2, "__name");
    lua_rawset(L, LUA_REGISTRYINDEX);
}
