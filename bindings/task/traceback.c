/*
 * traceback.c: where an error comes from. Who waits for a failed task gets its
 * error as it is; the tracebacks are kept beside it: as long as the error lives
 * where it is an object, among the last ones where it is a string or the like.
 */
#include "../base/state.h"

enum {
    TRACE_RING = 16,  /* errors that are no objects */
    TRACE_LONG = 8192 /* bytes to which nothing is added */
};

/* What is kept of an error: a table, by the object in a weak table, or in the
 * array part of that one. */
enum {
    TRACE_TEXT = 1,
    TRACE_TASK, /* id of the task in which it was raised */
    TRACE_VALUE /* the error, unless it is an object */
};

/* For the id of a task: whichever it was. */
static const uint64_t TRACE_ANYWHERE = UINT64_MAX;

/* Of a table, function, thread, userdata or cdata. */
static bool
trace_is_object(lua_State *L, int idx)
{
    return lua_type(L, idx) > LUA_TSTRING;
}

/* Keeps the text on top beside the error at idx, which is raised next. */
static void
trace_keep(lua_State *L, ql_lua_t *lua, int idx)
{
    int entry = lua_gettop(L) + 1;

    lua_createtable(L, TRACE_VALUE, 0);
    lua_pushvalue(L, entry - 1);
    lua_rawseti(L, entry, TRACE_TEXT);
    lua_pushnumber(L, (lua_Number) lua->current->id);
    lua_rawseti(L, entry, TRACE_TASK);
    lua_rawgeti(L, LUA_REGISTRYINDEX, lua->traces);
    if (trace_is_object(L, idx)) {
        lua_pushvalue(L, idx);
        lua_pushvalue(L, entry);
        lua_rawset(L, -3);
    } else {
        lua_pushvalue(L, idx);
        lua_rawseti(L, entry, TRACE_VALUE);
        lua_pushvalue(L, entry);
        lua_rawseti(L, -2, (int) (lua->traced++ % TRACE_RING) + 1);
    }
    lua_settop(L, entry - 2);
}

/* Is the entry on top that of the error at idx, raised in task id? */
static bool
trace_matches(lua_State *L, int idx, uint64_t id)
{
    bool same;

    if (!lua_istable(L, -1)) {
        return false;
    }
    lua_rawgeti(L, -1, TRACE_TASK);
    same = id == TRACE_ANYWHERE || lua_tonumber(L, -1) == (lua_Number) id;
    lua_rawgeti(L, -2, TRACE_VALUE);
    same = same && (trace_is_object(L, idx) || lua_rawequal(L, -1, idx));
    lua_pop(L, 2);
    return same;
}

/* Pushes the text kept beside the error at idx when it was raised in task id;
 * false, and nothing pushed: there is none. */
static bool
trace_find(lua_State *L, const ql_lua_t *lua, int idx, uint64_t id)
{
    int traces = lua_gettop(L) + 1;
    bool found = false;

    lua_rawgeti(L, LUA_REGISTRYINDEX, lua->traces);
    if (trace_is_object(L, idx)) {
        lua_pushvalue(L, idx);
        lua_rawget(L, traces);
        found = trace_matches(L, idx, id);
    }
    for (unsigned i = 1; !found && !trace_is_object(L, idx) && i <= TRACE_RING;
         i++) {
        lua_settop(L, traces);
        lua_rawgeti(L, traces, (int) ((lua->traced - i) % TRACE_RING) + 1);
        found = trace_matches(L, idx, id);
    }
    if (found) {
        lua_rawgeti(L, -1, TRACE_TEXT);
        lua_replace(L, traces);
    }
    lua_settop(L, found ? traces : traces - 1);
    return found;
}

/* ------------------------------------------------------------- texts ---- */

void
ql__task_push_title(lua_State *L, int idx)
{
    const ql_outcome_t *o = lua_touserdata(L, idx);

    ql__task_push_fenv(L, idx);
    lua_rawgeti(L, -1, QL_TASK_NAME);
    if (lua_isstring(L, -1)) {
        lua_pushfstring(L, "task %f '%s'", (lua_Number) o->id,
                        lua_tostring(L, -1));
    } else {
        lua_pushfstring(L, "task %f", (lua_Number) o->id);
    }
    lua_replace(L, -3);
    lua_pop(L, 1);
}

/* Adds who the task at idx is, and its spawners, to the text on top. */
static void
trace_add_task(lua_State *L, int idx)
{
    lua_pushliteral(L, "\n\tin ");
    ql__task_push_title(L, idx);
    ql__task_push_fenv(L, idx);
    lua_rawgeti(L, -1, QL_TASK_CHAIN);
    lua_replace(L, -2);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushliteral(L, "");
    }
    lua_concat(L, 4);
}

static lua_State *
trace_coroutine(const ql_outcome_t *o)
{
    return o->task != NULL ? o->task->L : o->L;
}

/* Pushes the traceback of where the task at idx is, itself and its spawners,
 * behind head (may be NULL). error: the words of what has ended it, or NULL. */
static void
trace_push(lua_State *L, int idx, const char *head, const char *error)
{
    const ql_outcome_t *o = lua_touserdata(L, idx);
    lua_State *co = trace_coroutine(o);

    if (co != NULL) {
        ql__stack_push(L, co, head, error);
    } else {
        lua_pushfstring(L, "%s%sstack traceback:", head != NULL ? head : "",
                        head != NULL ? "\n" : "");
    }
    trace_add_task(L, idx);
}

/* Under lua_pcall: the words of an error. */
static int
trace_words(lua_State *L)
{
    if (!lua_isstring(L, 1)
        && (!luaL_callmeta(L, 1, "__tostring") || !lua_isstring(L, -1)))
    {
        lua_pushfstring(L, "(error object is a %s value)",
                        lua_isnil(L, 1) ? "nil" : luaL_typename(L, 1));
    }
    lua_tostring(L, -1);
    return 1;
}

static void
trace_push_words(lua_State *L, int idx)
{
    lua_pushcfunction(L, trace_words);
    lua_pushvalue(L, idx);
    if (lua_pcall(L, 1, 1, 0) != 0) {
        lua_pop(L, 1);
        lua_pushliteral(L, "(error object cannot be shown)");
    }
}

/* Pushes the error of a task that has failed. */
static void
trace_push_error(lua_State *L, const ql_outcome_t *o)
{
    const char *fault = o->task != NULL ? o->task->fault : o->fault;
    lua_State *co = trace_coroutine(o);

    if (fault != NULL) {
        lua_pushstring(L, fault);
    } else {
        lua_pushvalue(co, -1);
        lua_xmove(co, L, 1);
    }
}

/* Pushes the tracebacks of the failed task at idx, whose error is at err,
 * behind head. */
static void
trace_push_failure(lua_State *L, int idx, int err, const char *head)
{
    const ql_outcome_t *o = lua_touserdata(L, idx);
    bool is_text = lua_type(L, err) == LUA_TSTRING;
    const char *error = is_text ? lua_tostring(L, err) : NULL;
    bool more;

    if (!trace_find(L, o->lua, err, o->id)) {
        trace_push(L, idx, head, error);
        return;
    }
    more = lua_objlen(L, -1) < TRACE_LONG;
    lua_pushfstring(L, "%s%s%s%s", head != NULL ? head : "",
                    head != NULL ? "\n" : "", lua_tostring(L, -1),
                    more ? "\nraised again" : "");
    lua_replace(L, -2);
    if (more) {
        trace_push(L, idx, lua_tostring(L, -1), error);
        lua_replace(L, -2);
    }
}

void
ql__failure_push(lua_State *L, int idx)
{
    int top = lua_gettop(L);

    trace_push_error(L, lua_touserdata(L, idx));
    trace_push_words(L, top + 1);
    trace_push_failure(L, idx, top + 1, lua_tostring(L, -1));
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}

/* ------------------------------------------------------------ raising ---- */

/* Under lua_pcall: keeps the tracebacks of the failed task at 1. */
static int
keep_failure(lua_State *L)
{
    const ql_outcome_t *o = lua_touserdata(L, 1);

    trace_push_error(L, o);
    trace_push_failure(L, 1, 2, NULL);
    trace_keep(L, o->lua, 2);
    return 0;
}

/* Without memory for the tracebacks the error is raised all the same. */
int
ql__failure_raise(lua_State *L, int idx)
{
    ql_outcome_t *o = lua_touserdata(L, idx);

    o->seen = 1;
    lua_rawgeti(L, LUA_REGISTRYINDEX, o->lua->keep_failure);
    lua_pushvalue(L, idx);
    if (lua_pcall(L, 1, 0, 0) != 0) {
        lua_pop(L, 1);
    }
    trace_push_error(L, o);
    return lua_error(L);
}

/* Under lua_pcall: keeps where the error at 1 is raised. */
static int
keep_here(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);
    bool again = trace_find(L, lua, 1, lua->current->id);

    if (again && lua_objlen(L, 2) >= TRACE_LONG) {
        return 0;
    }
    if (again) {
        lua_pushliteral(L, "\nraised again");
        lua_concat(L, 2);
    }
    luaL_traceback(L, L, again ? lua_tostring(L, 2) : NULL, 2);
    trace_keep(L, lua, 1);
    return 0;
}

/* Message handler of a pcall that raises the error again: err as it is. */
static int
trace_kept(lua_State *L)
{
    lua_settop(L, 1);
    if (!ql__is_cancellation(L, 1)) {
        lua_pushvalue(L, lua_upvalueindex(2));
        lua_pushvalue(L, 1);
        if (lua_pcall(L, 1, 0, 0) != 0) {
            lua_settop(L, 1);
        }
    }
    return 1;
}

/* Under lua_pcall: the text of quoll.traceback(err). */
static int
traceback_text(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);
    const ql_task_t *t = lua->current;
    uint64_t id = trace_is_object(L, 1) ? TRACE_ANYWHERE : t->id;

    trace_push_words(L, 1);
    if (trace_find(L, lua, 1, id)) {
        lua_pushfstring(L, "%s\n%s\nraised again", lua_tostring(L, 2),
                        lua_tostring(L, 3));
    }
    luaL_traceback(L, L, lua_tostring(L, -1), 2);
    if (t != &lua->root) {
        ql__task_push(L, t);
        lua_insert(L, -2);
        trace_add_task(L, lua_gettop(L) - 1);
    }
    return 1;
}

/* traceback(err) -> string; err itself where it is a cancellation, or there is
 * no memory */
static int
traceback(lua_State *L)
{
    lua_settop(L, 1);
    if (!ql__is_cancellation(L, 1)) {
        lua_pushvalue(L, lua_upvalueindex(2));
        lua_pushvalue(L, 1);
        if (lua_pcall(L, 1, 1, 0) != 0) {
            lua_settop(L, 1);
        }
    }
    return 1;
}

/* task_traceback(task) -> string */
static int
task_traceback(lua_State *L)
{
    const ql_outcome_t *o = ql__task_check(L, 1, "traceback");

    lua_settop(L, 1);
    if (o->task == NULL && o->state == QL_TASK_FAILED) {
        ql__failure_push(L, 1);
    } else {
        trace_push(L, 1, NULL, NULL);
    }
    return 1;
}

/* A function in the table on top, with one that it calls protected. */
static void
trace_set_handler(lua_State *L, ql_lua_t *lua, const char *name,
                  lua_CFunction handler, lua_CFunction body)
{
    lua_pushlightuserdata(L, lua);
    lua_pushlightuserdata(L, lua);
    lua_pushcclosure(L, body, 1);
    lua_pushcclosure(L, handler, 2);
    lua_setfield(L, -2, name);
}

void
ql__trace_register(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {{"task_traceback", task_traceback},
                                   {NULL, NULL}};

    ql__register(L, lua, fns);
    trace_set_handler(L, lua, "traceback", traceback, traceback_text);
    trace_set_handler(L, lua, "kept", trace_kept, keep_here);
    lua_pushcfunction(L, keep_failure);
    lua->keep_failure = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_createtable(L, TRACE_RING, 0);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua->traces = luaL_ref(L, LUA_REGISTRYINDEX);
}
