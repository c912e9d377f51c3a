/*
 * defer.c: what a task runs at its end, by whatever path it ends. A deferred
 * call is an entry in the list of the handles that the task owns, so that both
 * come in one order, newest first. A task that has such entries is unwound,
 * when its children have ended, by a coroutine of its own; what its function
 * returned or raised stays in the first one.
 *
 * The entries are kept by a chain that begins in the slots of the task. That
 * coroutine is made at the first quoll.defer: the end needs no memory for it.
 */
#include "../base/state.h"

/* Values of an entry's fenv. */
enum {
    DEFER_OLDER = 1, /* the entry below */
    DEFER_COUNT,     /* of the values that follow: function and arguments */
    DEFER_FIRST
};

enum {
    DEFER_TITLE = 80 /* bytes for a task's title in the log */
};

static void
defer_close(ql_handle_t *h, int err)
{
    (void) h;
    (void) err;
}

static const ql_handle_type_t defer_type = {"deferred call", defer_close, NULL};

/* Gives the slots at idx, of a task, a coroutine that will unwind it. */
static void
defer_make_coroutine(lua_State *L, ql_lua_t *lua, int idx)
{
    lua_State *co;

    lua_rawgeti(L, idx, QL_TASK_UNWIND);
    if (lua_isnil(L, -1)) {
        co = lua_newthread(L);
        lua_rawgeti(L, LUA_REGISTRYINDEX, lua->unwind);
        lua_xmove(L, co, 1);
        lua_rawseti(L, idx, QL_TASK_UNWIND);
    }
    lua_pop(L, 1);
}

/* defer(fn, ...) */
static int
task_defer(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);
    ql_task_t *t = lua->current;
    int n = lua_gettop(L);
    ql_handle_t *h;

    if (t == &lua->root) {
        return ql_raise(L, "quoll.defer in the main chunk, which has no end "
                           "that could wait: quoll.run(main) has one");
    }
    ql__check_function(L, 1, "defer");
    lua_settop(L, n);
    ql__task_push_slots(L, t);
    defer_make_coroutine(L, lua, n + 1);
    h = ql_handle_new(L, lua, &defer_type, sizeof(*h));
    lua_createtable(L, n + DEFER_COUNT, 0);
    for (int i = 0; i < n; i++) {
        lua_pushvalue(L, i + 1);
        lua_rawseti(L, n + 3, DEFER_FIRST + i);
    }
    lua_pushinteger(L, n);
    lua_rawseti(L, n + 3, DEFER_COUNT);
    /* From here on no finaliser comes in between. */
    lua_rawgeti(L, n + 1, QL_TASK_DEFERRED);
    lua_rawseti(L, n + 3, DEFER_OLDER);
    lua_setfenv(L, n + 2);
    lua_rawseti(L, n + 1, QL_TASK_DEFERRED);
    ql_handle_open(h);
    t->deferred = 1;
    t->marked = 1;
    return 0;
}

/* Closes what the task has opened since its newest deferred call; that one's
 * entry, NULL: none is left, or none after the handle `last`. */
static ql_handle_t *
defer_reach(ql_task_t *t, const ql_handle_t *last)
{
    while (!ql_queue_empty(&t->handles)) {
        ql_handle_t *h = ql_queue_data(t->handles.next, ql_handle_t, link);

        if (h == last) {
            return NULL;
        }
        if (h->type == &defer_type) {
            return h;
        }
        ql_handle_close(h, QL_E_OWNER_ENDED);
    }
    return NULL;
}

/* defer_next([last]) -> fn, args... | nothing: there is none any more, or none
 * after the handle `last`, which the task owns */
static int
defer_next(lua_State *L)
{
    ql_task_t *t = ql__upvalue(L)->current;
    const ql_handle_t *last = ql_handle_test(L, 1);
    ql_handle_t *h;
    int n;

    if (last != NULL && last->owner != t) {
        return 0;
    }
    h = defer_reach(t, last);
    if (h == NULL) {
        t->deferred &= last != NULL;
        return 0;
    }
    lua_settop(L, 0);
    ql__task_push_slots(L, t);
    lua_rawgeti(L, 1, QL_TASK_DEFERRED);
    lua_getfenv(L, 2);
    lua_rawgeti(L, 3, DEFER_COUNT);
    n = (int) lua_tointeger(L, 4);
    luaL_checkstack(L, n, "too many arguments");
    lua_rawgeti(L, 3, DEFER_OLDER);
    lua_rawseti(L, 1, QL_TASK_DEFERRED);
    ql_handle_close(h, QL_E_CLOSED);
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, 3, DEFER_FIRST + i);
    }
    return n;
}

/* Under lua_cpcall: another coroutine, the first one having been lost. */
static int
defer_again(lua_State *L)
{
    ql_task_t *t = lua_touserdata(L, 1);

    ql__task_push_slots(L, t);
    defer_make_coroutine(L, t->lua, 2);
    return 0;
}

static lua_State *
defer_slot(ql_task_t *t, int slot)
{
    lua_State *L = t->lua->driver;
    lua_State *co;

    ql__task_push_slots(L, t);
    lua_rawgeti(L, -1, slot);
    co = lua_tothread(L, -1);
    lua_pop(L, 2);
    return co;
}

static void
defer_log(ql_task_t *t, const char *text)
{
    char title[DEFER_TITLE];

    ql__task_title(t, title, sizeof(title));
    ql_log_error(t->lua->loop, QL_LOG_ERR, 0,
                 "%s: a deferred function failed: %s", title, text);
}

bool
ql__defer_start(ql_task_t *t)
{
    lua_State *L = t->lua->driver;
    lua_State *co = defer_slot(t, QL_TASK_UNWIND);

    if (co == NULL) {
        if (lua_cpcall(L, defer_again, t) != 0) {
            lua_pop(L, 1);
            defer_log(t, "not enough memory; what is left is not run");
            t->deferred = 0;
            return false;
        }
        co = defer_slot(t, QL_TASK_UNWIND);
    }
    t->L = co;
    t->op = NULL;
    t->unwinding = 1;
    t->forced = 0;
    t->swallowed = 0;
    t->state = QL_TASK_STARTING;
    ql_post_event(t->lua->loop, &t->event);
    return true;
}

/* The coroutine of the deferred calls was lost in one of them. */
static void
defer_lost(ql_task_t *t, int status)
{
    lua_State *L = t->lua->driver;
    const char *text = QL_FAULT_RESUMED;

    if (t->forced) {
        text = QL_FAULT_SWALLOWED;
    } else if (status == LUA_YIELD) {
        text = QL_FAULT_YIELDED;
    } else if (status != 0) {
        text = lua_isstring(t->L, -1) ? lua_tostring(t->L, -1)
                                      : luaL_typename(t->L, -1);
    }
    defer_log(t, text);
    ql__task_push_slots(L, t);
    lua_pushnil(L);
    lua_rawseti(L, -2, QL_TASK_UNWIND);
    lua_pop(L, 1);
}

void
ql__defer_returned(ql_task_t *t, int status)
{
    if (t->deferred) {
        defer_lost(t, status);
    }
    ql__scope_unwind(t, &t->scope);
    t->unwinding = 0;
    t->L = defer_slot(t, QL_TASK_THREAD);
    t->state = QL_TASK_CLOSING;
    ql__task_settle(t);
}

/* defer_failed(err) */
static int
defer_failed(lua_State *L)
{
    if (!lua_isstring(L, 1) && luaL_callmeta(L, 1, "__tostring")) {
        lua_replace(L, 1);
    }
    defer_log(ql__upvalue(L)->current,
              lua_isstring(L, 1) ? lua_tostring(L, 1) : luaL_typename(L, 1));
    return 0;
}

/* defer_unwind(fn): what the coroutines that unwind tasks run */
static int
defer_unwind(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);

    luaL_unref(L, LUA_REGISTRYINDEX, lua->unwind);
    lua->unwind = LUA_NOREF;
    lua_settop(L, 1);
    lua->unwind = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

void
ql__defer_register(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {{"defer", task_defer},
                                   {"defer_next", defer_next},
                                   {"defer_failed", defer_failed},
                                   {"defer_unwind", defer_unwind},
                                   {NULL, NULL}};

    lua->unwind = LUA_NOREF;
    ql__register(L, lua, fns);
}
