/*
 * sqlite.c: a library that blocks, in the thread pool: what sqlite.lua, which
 * scripts require, sees of it. The threads' half is sqlite_call.c.
 */
#include "sqlite.h"

#include <quoll_lua.h>

typedef struct { /* a connection, a query: a handle with one operation */
    ql_handle_t handle;
    ql_op_t op;
    job_t *job; /* a database_t's or a query_t's; NULL: let go */
} holder_t;

QL_API int luaopen_sqlite_core(lua_State *L);

static void
let_go(holder_t *h)
{
    job_t *job = h->job;

    h->job = NULL;
    if (job != NULL) {
        job->let_go(&job->call);
    }
}

static void
holder_close(ql_handle_t *handle, int err)
{
    holder_t *h = ql_queue_data(handle, holder_t, handle);

    ql_op_end(&h->op, err);
    if (!h->op.pushing) { /* else the collector does */
        let_go(h);
    }
}

static void
holder_collect(ql_handle_t *handle)
{
    let_go(ql_queue_data(handle, holder_t, handle));
}

static const ql_handle_type_t database_handle = {"sqlite", holder_close,
                                                 holder_collect};
static const ql_handle_type_t query_handle = {"sqlite query", holder_close,
                                              holder_collect};

static holder_t *
holder_of(ql_op_t *op)
{
    return ql_queue_data(op, holder_t, op);
}

static void
on_call(ql_event_t *ev)
{
    ql_op_ready(ev->data);
}

static int
call_attempt(ql_op_t *op)
{
    ql_call_t *call = &holder_of(op)->job->call;
    int rc = ql_call_attempt(call);

    op->err = call->err; /* the pool's; SQLite's are in code and message */
    return rc;
}

static void
push_item(lua_State *L, const item_t *item, const char *data)
{
    if (item->type == SQLITE_INTEGER || item->type == SQLITE_FLOAT) {
        lua_pushnumber(L, item->number);
    } else if (item->type == SQLITE_NULL) {
        lua_pushnil(L);
    } else {
        lua_pushlstring(L, data, item->size);
    }
}

/* A list of tables, by the columns' names; and are they the last ones? */
static int
push_rows(lua_State *L, const query_t *q)
{
    const char *at = sqlite3_str_value(q->rows), *name, *data;
    const char *end = at + sqlite3_str_length(q->rows);
    item_t item;

    lua_newtable(L);
    for (int n = 1; at < end; n++) {
        lua_createtable(L, 0, q->columns);
        for (int i = 0; i < q->columns; i++) {
            at = item_get(at, &item, &name, &data);
            push_item(L, &item, data);
            lua_setfield(L, -2, name);
        }
        lua_rawseti(L, -2, n);
    }
    lua_pushboolean(L, q->statement == NULL);
    return 2;
}

static int
call_push(lua_State *L, ql_op_t *op, int rc)
{
    holder_t *h = holder_of(op);

    if (rc == NGX_ERROR) {
        return ql_push_error(L, op->err);
    }
    if (h->job->code != NULL) {
        lua_pushnil(L);
        lua_pushstring(L, h->job->message);
        lua_pushfstring(L, "SQLITE_%s", h->job->code);
        return 3;
    }
    if (h->handle.type == &query_handle) {
        return push_rows(L, (const query_t *) h->job);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* Either ends for good: how far SQLite has got by then nobody knows. */
static void
call_cancel(ql_op_t *op)
{
    let_go(holder_of(op));
}

static void
call_describe(ql_op_t *op, char *text, size_t size)
{
    job_describe(holder_of(op)->job, text, size);
}

static const ql_op_type_t call_type = {
    "sqlite", call_attempt, call_push, call_cancel, NULL, call_describe};

static holder_t *
holder_new(lua_State *L, const ql_handle_type_t *type)
{
    holder_t *h = ql_handle_new(L, ql_lua(L), type, sizeof(*h));

    ql_op_init(&h->op, &call_type, h->handle.lua);
    return h;
}

static int
holder_open(lua_State *L, holder_t *h, job_t *job)
{
    if (job == NULL) {
        return ql_push_error(L, errno);
    }
    h->job = job;
    job->call.event.data = &h->op;
    job->call.event.handler = on_call;
    ql_handle_open(&h->handle);
    return 1;
}

/* new(path, flags) -> database, which call() opens; flags: SQLITE_OPEN_* */
static int
sqlite_new(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    int flags = luaL_checkint(L, 2);
    ql_loop_t *loop = ql_check_loop(L, ql_lua(L));
    holder_t *h = holder_new(L, &database_handle);

    return holder_open(L, h, (job_t *) database_create(loop, path, flags));
}

/* query(database, sql) -> query | nil, err, CODE */
static int
sqlite_query(lua_State *L)
{
    const holder_t *db = ql_handle_check(L, 1, &database_handle, "query");
    size_t size;
    const char *sql = luaL_checklstring(L, 2, &size);
    holder_t *h = holder_new(L, &query_handle);

    if (db->job == NULL) {
        return ql_push_error(L, db->handle.closed ? db->handle.closed
                                                  : QL_E_CLOSED);
    }
    return holder_open(
        L, h, (job_t *) query_create((database_t *) db->job, sql, size));
}

/* bind(query, name, type, value): of the next position when name is "" */
static int
sqlite_bind(lua_State *L)
{
    const holder_t *h = ql_handle_check(L, 1, &query_handle, "bind");
    item_t item = {.type = (int) ql_check_whole(L, 3, "type", "bind", 1, 5)};
    const char *name = luaL_checklstring(L, 2, &item.named), *data = NULL;

    item.named++;
    item.number = lua_tonumber(L, 4);
    item.integer = (int64_t) item.number;
    if (item.type == SQLITE_TEXT || item.type == SQLITE_BLOB) {
        data = luaL_checklstring(L, 4, &item.size);
    }
    if (h->job != NULL && !ql_op_waiting(&h->op)) {
        item_put(((query_t *) h->job)->params, &item, name, data);
    }
    return 0;
}

/* call(database) -> true; call(query) -> rows, last; | nil, err, CODE; waits */
static int
sqlite_call(lua_State *L)
{
    holder_t *h = (holder_t *) ql_handle_test(L, 1);

    if (h == NULL || h->handle.type->close != holder_close) {
        return ql_bad_argument(L, 1, "self", "call", "a database or a query");
    }
    if (h->job == NULL) {
        return ql_push_error(L,
                             h->handle.closed ? h->handle.closed : QL_E_CLOSED);
    }
    if (ql_op_waiting(&h->op) || ql_op_pushing(L, &h->op, &h->handle)) {
        return ql_push_error(L, QL_E_BUSY_READING);
    }
    if (h->handle.type == &query_handle) {
        ql_call_again(&h->job->call); /* the next rows */
    }
    lua_settop(L, 1);
    return ql_await(L, &h->op, 1);
}

int
luaopen_sqlite_core(lua_State *L)
{
    static const luaL_Reg functions[] = {{"new", sqlite_new},
                                         {"query", sqlite_query},
                                         {"bind", sqlite_bind},
                                         {"call", sqlite_call},
                                         {NULL, NULL}};

    ql_lua_open(L);
    lua_newtable(L);
    luaL_setfuncs(L, functions, 0);
    return 1;
}
