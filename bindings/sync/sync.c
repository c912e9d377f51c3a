/*
 * sync.c: queues of waiters, for every object of quoll.sync.
 */
#include "sync.h"

#include <stdio.h>
#include <string.h>

/* The end of "file:line" of the script that makes it. */
static void
sync_set_place(lua_State *L, ql_sync_t *o)
{
    char line[16], *p = line + sizeof(line) - 1;
    size_t len, room;
    lua_Debug ar;
    const char *file;

    if (!ql__where(o->handle.lua, L, &ar)) {
        return;
    }
    *p = '\0';
    for (int n = ar.currentline; n > 0; n /= 10) {
        *--p = (char) ('0' + n % 10);
    }
    *--p = ':';
    file = strrchr(ar.short_src, '/');
    file = file != NULL ? file + 1 : ar.short_src;
    len = strlen(file);
    room = sizeof(o->name) - strlen(p) - 1;
    file += len > room ? len - room : 0;
    (void) stpcpy(stpcpy(o->name, file), p);
}

void *
ql__sync_new(lua_State *L, ql_lua_t *lua, const ql_handle_type_t *type,
             size_t size)
{
    ql_sync_t *o;

    if (lua->loop == NULL) {
        ql_raise(L, "quoll is closed");
    }
    o = ql_handle_new(L, lua, type, size);
    o->handle.closed = 0;
    sync_set_place(L, o);
    return o;
}

ql_own_op_t *
ql__sync_op(lua_State *L, ql_handle_t *h, const ql_op_type_t *type)
{
    ql_own_op_t *own = ql__own_op(L, h->lua, type);

    own->handle = h;
    own->granted = 0;
    return own;
}

int
ql__sync_push(lua_State *L, ql_op_t *op, int rc)
{
    if (rc != NGX_OK) {
        return ql_push_error(L, op->err);
    }
    ql__own(op)->granted = 0;
    lua_pushboolean(L, 1);
    return 1;
}

void
ql__sync_title(const ql_sync_t *o, const char *kind, char *text, size_t size)
{
    kind = o->kind != NULL ? o->kind : kind;
    if (o->named) {
        (void) snprintf(text, size, "%s: '%s'", kind, o->name);
    } else {
        (void) snprintf(text, size, "%s: %p%s%s", kind, (const void *) o,
                        o->name[0] != '\0' ? " of " : "", o->name);
    }
}

void
ql__sync_describe(ql_op_t *op, char *text, size_t size)
{
    ql__sync_title(ql_queue_data(ql__own(op)->handle, ql_sync_t, handle),
                   op->type->name, text, size);
}

void
ql__sync_add(char *text, size_t size, const char *fmt, ...)
{
    size_t n = strlen(text);
    va_list args;

    va_start(args, fmt);
    (void) vsnprintf(text + n, size - n, fmt, args);
    va_end(args);
}

const char *
ql__sync_kind(lua_State *L, int arg)
{
    static const char *const kinds[] = {"limiter", "pool", "waitgroup", NULL};

    return lua_isnoneornil(L, arg)
             ? NULL
             : kinds[luaL_checkoption(L, arg, NULL, kinds)];
}

/* name(self, [text]) -> the name, or nil; upvalue 1 is the type */
static int
sync_name(lua_State *L)
{
    const ql_handle_type_t *type = lua_touserdata(L, lua_upvalueindex(1));
    ql_sync_t *o = ql_queue_data(ql_handle_check(L, 1, type, "name"), ql_sync_t,
                                 handle);

    if (lua_type(L, 2) == LUA_TSTRING) {
        (void) snprintf(o->name, sizeof(o->name), "%s", lua_tostring(L, 2));
        o->named = o->name[0] != '\0';
    } else if (!lua_isnoneornil(L, 2)) {
        return ql_bad_argument(L, 2, "text", "name", "a string");
    }
    lua_pushstring(L, o->named ? o->name : NULL);
    return 1;
}

void
ql__sync_leave(ql_op_t *op)
{
    ql_queue_remove(&ql__own(op)->link);
}

int
ql__sync_park(ql_own_op_t *own, ql_queue_t *waiters)
{
    if (own->handle->closed) {
        own->op.err = own->handle->closed;
        return NGX_ERROR;
    }
    if (!ql__sync_parked(own)) {
        ql_queue_insert_tail(waiters, &own->link);
    }
    return NGX_AGAIN;
}

ql_own_op_t *
ql__sync_wake(ql_queue_t *waiters)
{
    ql_own_op_t *own = ql__first_waiter(waiters);

    ql_queue_remove(&own->link);
    own->granted = 1;
    ql_op_done(&own->op);
    return own;
}

void
ql__sync_end(ql_queue_t *waiters, int err)
{
    while (!ql_queue_empty(waiters)) {
        ql_own_op_t *own = ql__first_waiter(waiters);

        ql_queue_remove(&own->link);
        ql_op_end(&own->op, err);
    }
}

void
ql__sync_open(lua_State *L, ql_lua_t *lua, const ql_handle_type_t *type,
              const luaL_Reg *fns)
{
    lua_getfield(L, -1, "methods");
    ql_handle_methods(L, type);
    lua_setfield(L, -2, type->name);
    lua_pop(L, 1);
    lua_createtable(L, 0, 4);
    ql__register(L, lua, fns);
    lua_pushlightuserdata(L, (void *) (uintptr_t) type);
    lua_pushcclosure(L, sync_name, 1);
    lua_setfield(L, -2, "name");
    lua_setfield(L, -2, type->name);
}

void
ql__sync_register(lua_State *L, ql_lua_t *lua)
{
    ql__channel_open(L, lua);
    ql__event_open(L, lua);
    ql__mutex_open(L, lua);
    ql__semaphore_open(L, lua);
    ql__select_open(L, lua);
}
