/*
 * tasks.c: every live task: who started it, how old it is, what it waits for,
 * where in the script. Making the tables may run finalisers that end tasks:
 * the list is fixed and anchored first.
 */
#include "../base/state.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum {
    TASKS_TEXT = 1024 /* bytes of what a task waits for */
};

/* The first max tasks have their userdata then. Making one may run a finaliser
 * that ends others: then from the beginning. */
static void
tasks_make_userdata(lua_State *L, ql_lua_t *lua, int max)
{
    ql_task_t *root = &lua->root;
    ql_task_t *t = root;
    uint64_t ended = lua->ended;

    for (int n = 0; n < max && (t = ql__task_next(t, root)) != NULL; n++) {
        ql__task_push(L, t);
        lua_pop(L, 1);
        if (lua->ended != ended) {
            ended = lua->ended;
            t = root;
            n = -1;
        }
    }
}

/* Pushes a table of the first max live tasks, parents first; its length. From
 * its making to its end nothing allocates, so nothing ends. */
static int
tasks_push_list(lua_State *L, ql_lua_t *lua, int max)
{
    ql_task_t *root = &lua->root;
    int n = 0;

    tasks_make_userdata(L, lua, max);
    lua_createtable(L, max, 0);
    for (ql_task_t *t = ql__task_next(root, root); t != NULL && n < max;
         t = ql__task_next(t, root))
    {
        if (!ql__task_unheld(t)) {
            ql__task_push(L, t);
            lua_rawseti(L, -2, ++n);
        }
    }
    return n;
}

static double
seconds(uint64_t from, uint64_t to)
{
    return to > from ? (double) (to - from) / 1e9 : 0;
}

/* A held-back task: by whom. */
static void
task_describe_held(const ql_task_t *t, char *text, size_t size)
{
    char title[64];

    ql__task_title(t->lua->drive, title, sizeof(title));
    (void) snprintf(text, size, "held back by require in %s", title);
}

/* false: it waits for nothing. */
static bool
task_describe(ql_task_t *t, char *text, size_t size)
{
    if (ql__held(t)) {
        task_describe_held(t, text, size);
        return true;
    }
    switch (t->state) {
    case QL_TASK_STARTING:
        (void) snprintf(text, size, "%s", t->event.timer_set ? "start" : "");
        return t->event.timer_set;
    case QL_TASK_WAITING:
        ql_op_describe(t->op, text, size);
        return true;
    case QL_TASK_CLOSING:
        (void) snprintf(text, size, "%u %s", t->scope.ntasks,
                        t->scope.ntasks == 1 ? "child" : "children");
        return true;
    default:
        return false;
    }
}

/* When the wait of t is cut if nothing else ends it: by its timeout, or by the
 * first deadline around it that no shield keeps away. 0: never. */
static uint64_t
task_due(const ql_task_t *t)
{
    uint64_t due = t->event.timer_set ? t->event.due : 0;

    for (ql_scope_t *s = t->innermost; s != NULL && !s->shield; s = s->parent) {
        const ql_block_t *b = ql_queue_data(s, ql_block_t, scope);

        if (s->block && b->event.timer_set && (due == 0 || b->event.due < due))
        {
            due = b->event.due;
        }
    }
    return due;
}

/* Fields waits, left and since of the table on top. */
static void
task_set_wait(lua_State *L, ql_task_t *t, uint64_t now)
{
    char text[TASKS_TEXT];
    uint64_t due = task_due(t);
    size_t n;

    if (!task_describe(t, text, sizeof(text))) {
        return;
    }
    n = strlen(text);
    if (due != 0) {
        (void) snprintf(text + n, sizeof(text) - n, ", %.3f s left",
                        seconds(now, due));
    }
    if (t->state == QL_TASK_WAITING) {
        ql__set_number(L, "since", seconds(t->parked, now));
    }
    ql__set_string(L, "waits", text);
    if (due != 0) {
        ql__set_number(L, "left", seconds(now, due));
    }
}

lua_State *
ql__task_place(const ql_task_t *t)
{
    bool waits = t->state == QL_TASK_WAITING || t->state == QL_TASK_READY;

    return waits && !t->driving && t->op != NULL ? t->inner : t->L;
}

void
ql__task_spawned(const ql_task_t *t, char *text, size_t size)
{
    lua_State *L = t->lua->driver;
    const char *chain;

    text[0] = '\0';
    ql__task_push_slot(L, t, QL_TASK_CHAIN);
    chain = lua_tostring(L, -1);
    if (chain != NULL) {
        chain += strspn(chain, "\n\t");
        (void) snprintf(text, size, "%.*s", (int) strcspn(chain, "\n"), chain);
    }
    lua_pop(L, 1);
}

/* The coroutine in which t stands: the main chunk's is the one that runs the
 * loop, or L. */
static lua_State *
task_coroutine(lua_State *L, const ql_task_t *t)
{
    if (t != &t->lua->root) {
        return ql__task_place(t);
    }
    if (t->state == QL_TASK_RUNNING) {
        return L;
    }
    return t->lua->drive == NULL ? t->lua->driver : NULL;
}

/* Field where of the table on top. */
static void
task_set_where(lua_State *L, const ql_task_t *t)
{
    lua_State *co = task_coroutine(L, t);
    lua_Debug ar;

    if (co == NULL || !ql__where(t->lua, co, &ar)) {
        return;
    }
    lua_pushfstring(L, "%s:%d", ar.short_src, ar.currentline);
    lua_setfield(L, -2, "where");
}

/* Field traceback of the table on top, as debug.traceback, then the places of
 * its spawners. */
static void
task_set_traceback(lua_State *L, const ql_task_t *t)
{
    lua_State *co = task_coroutine(L, t);

    if (t->state == QL_TASK_STARTING) {
        lua_pushliteral(L, "stack traceback:\n\t(it has not started)");
    } else if (co == NULL && t->id == 0) {
        lua_pushliteral(L, "stack traceback:\n\t(it runs the loop)");
    } else if (t->state == QL_TASK_CLOSING || co == NULL) {
        lua_pushliteral(L, "stack traceback:\n\t(its function has ended)");
    } else {
        luaL_traceback(L, co, NULL, co == L ? 1 : 0);
        if (t->L != NULL && co != t->L && co != L) {
            luaL_traceback(L, t->L, "\n\tresumed by:", 0);
            lua_concat(L, 2);
        }
    }
    ql__task_push_slot(L, t, QL_TASK_CHAIN);
    if (lua_isstring(L, -1)) {
        lua_concat(L, 2);
    } else {
        lua_pop(L, 1);
    }
    lua_setfield(L, -2, "traceback");
}

/* Pushes the table of t, whose userdata is anchored. */
static void
task_push(lua_State *L, ql_task_t *t, uint64_t now, bool traceback)
{
    lua_createtable(L, 0, 16);
    ql__set_number(L, "id", (double) t->id);
    ql__set_number(L, "age", seconds(t->born, now));
    ql__set_number(L, "cpu", ql__account_seconds(&t->lua->account, t->ticks));
    ql__set_string(L, "state", ql__task_state(t));
    if (t->scope.parent != NULL) {
        ql__set_number(L, "parent", (double) t->scope.parent->task->id);
    }
    ql__task_push_slot(L, t, QL_TASK_NAME);
    lua_setfield(L, -2, "name");
    task_set_where(L, t);
    task_set_wait(L, t, now);
    if (traceback) {
        task_set_traceback(L, t);
    }
}

/* tasks(traceback, max) -> array of at most max tables, [0] is the main chunk;
 * number of live tasks */
static int
tasks(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);
    bool traceback = lua_toboolean(L, 1);
    int max = luaL_optint(L, 2, INT_MAX);
    int n, live, out = 0;

    if (lua->loop == NULL) {
        return ql_raise(L, "quoll is closed");
    }
    ql_time_update(lua->loop);
    lua_settop(L, 0);
    live = (int) ql_task_count(lua);
    n = tasks_push_list(L, lua, live < max ? live : max);
    lua_createtable(L, n + 1, 0);
    task_push(L, &lua->root, ql_nsec(lua->loop), traceback);
    lua_rawseti(L, 2, 0);
    for (int i = 1; i <= n; i++) {
        ql_task_t *t;

        lua_rawgeti(L, 1, i);
        t = ((ql_outcome_t *) lua_touserdata(L, 3))->task;
        if (t != NULL) { /* else a finaliser has ended it just now */
            task_push(L, t, ql_nsec(lua->loop), traceback);
            lua_rawseti(L, 2, ++out);
        }
        lua_settop(L, 2);
    }
    lua_pushinteger(L, live);
    return 2;
}

/* task_stats() -> {spawned, ended, failed, live, resumes, overruns} */
static int
task_stats(lua_State *L)
{
    ql_lua_t *lua = ql__upvalue(L);

    lua_createtable(L, 0, 6);
    ql__set_number(L, "spawned", (double) lua->spawned);
    ql__set_number(L, "ended", (double) lua->ended);
    ql__set_number(L, "failed", (double) lua->failed);
    ql__set_number(L, "live", (double) ql_task_count(lua));
    ql__set_number(L, "resumes", (double) lua->resumes);
    ql__set_number(L, "overruns", (double) lua->watchdog.overruns);
    return 1;
}

void
ql__tasks_register(lua_State *L, ql_lua_t *lua)
{
    static const luaL_Reg fns[] = {
        {"tasks", tasks}, {"task_stats", task_stats}, {NULL, NULL}};

    ql__register(L, lua, fns);
}
