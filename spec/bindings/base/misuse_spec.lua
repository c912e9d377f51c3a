-- Misuse of quoll_lua.h, by a module in C, as debug builds find it.
local helper = require "spec.helper"
local compiled = require "spec.support.compiled"
local SIGABRT = 6

local MODULE = [[
#include <pthread.h>
#include <quoll_lua.h>
#include <stdlib.h>

int luaopen_it(lua_State *L);

/* An operation that nothing ever ends. */
typedef struct {
    ql_handle_t handle;
    ql_op_t op;
} thing_t;

static int
attempt(ql_op_t *op)
{
    (void) op;
    return NGX_AGAIN;
}

static int
push(lua_State *L, ql_op_t *op, int rc)
{
    (void) rc;
    return ql_push_error(L, op->err);
}

static void
cancel(ql_op_t *op)
{
    (void) op;
}

static const ql_op_type_t op_type
    = {"dwell", attempt, push, cancel, NULL, NULL};

/* Forgets ql_op_end(). */
static void
forget(ql_handle_t *h, int err)
{
    (void) h;
    (void) err;
}

static const ql_handle_type_t thing_type = {"thing", forget, NULL};

static thing_t *
self(lua_State *L)
{
    return ql_handle_check(L, 1, &thing_type, "it");
}

static int
new(lua_State *L)
{
    ql_lua_t *lua = ql_lua(L);
    thing_t *t = ql_handle_new(L, lua, &thing_type, sizeof(*t));

    if (lua_toboolean(L, 1)) {
        ql_op_init(&t->op, &op_type, lua);
    }
    ql_handle_open(&t->handle);
    return 1;
}

static int
dwell(lua_State *L)
{
    lua_settop(L, 1);
    return ql_await(L, &self(L)->op, 1);
}

/* Anchors nothing: the handle is below, or on no stack at all. */
static int
dwell_below(lua_State *L)
{
    lua_settop(L, 1);
    return ql_await(L, &self(L)->op, 0);
}

static int
dwell_loose(lua_State *L)
{
    thing_t *t = self(L);

    lua_settop(L, 0);
    return ql_await(L, &t->op, 0);
}

/* An operation in memory of malloc's. */
static int
block(lua_State *L)
{
    ql_op_t *op = calloc(1, sizeof(*op));

    ql_op_init(op, &op_type, ql_lua(L));
    lua_pushlightuserdata(L, op);
    return 1;
}

static int
dwell_in(lua_State *L)
{
    return ql_await(L, lua_touserdata(L, 1), 0);
}

static int
release(lua_State *L)
{
    free(lua_touserdata(L, 1));
    return 0;
}

/* The memory is somebody else's meanwhile. */
static int
reuse(lua_State *L)
{
    static const ql_op_type_t other
        = {"other", attempt, push, cancel, NULL, NULL};

    ((ql_op_t *) lua_touserdata(L, 1))->type = &other;
    return 0;
}

static int
init(lua_State *L)
{
    ql_op_t *op = lua_islightuserdata(L, 1) ? lua_touserdata(L, 1)
                                            : &self(L)->op;

    ql_op_init(op, &op_type, ql_lua(L));
    return 0;
}

static int
fini(lua_State *L)
{
    ql_op_fini(&self(L)->op);
    return 0;
}

static int
ready(lua_State *L)
{
    ql_op_ready(&self(L)->op);
    return 0;
}

static int
done(lua_State *L)
{
    ql_op_done(&self(L)->op);
    return 0;
}

static int
end(lua_State *L)
{
    ql_op_end(&self(L)->op, QL_E_CLOSED);
    return 0;
}

static void *
on_thread(void *op)
{
    ql_op_ready(op);
    return NULL;
}

static int
thread(lua_State *L)
{
    pthread_t id;

    pthread_create(&id, NULL, on_thread, &self(L)->op);
    pthread_join(id, NULL);
    return 0;
}

int
luaopen_it(lua_State *L)
{
    static const luaL_Reg functions[]
        = {{"new", new},       {"dwell", dwell}, {"fini", fini},
           {"ready", ready},   {"done", done},   {"end_", end},
           {"thread", thread}, {"dwell_below", dwell_below},
           {"dwell_loose", dwell_loose}, {"block", block},
           {"dwell_in", dwell_in}, {"release", release}, {"reuse", reuse},
           {"init", init},     {NULL, NULL}};

    ql_lua_open(L);
    lua_newtable(L);
    luaL_setfuncs(L, functions, 0);
    return 1;
}
]]

local HEAD = [[
local quoll = require "quoll"
local it = require "it"
local finish = require("quoll.wait").finish

local function dwell(thing)
    return finish(it.dwell(thing))
end
-- Has something that a task waits for.
local function dwelling()
    local thing = it.new(true)
    quoll.spawn(dwell, thing)
    quoll.yield()
    return thing
end
]]

-- A task waits with a block of malloc's.
local BLOCK = [[
    local block = it.block()
    local task = quoll.spawn(function() finish(it.dwell_in(block)) end)
    quoll.yield()
]]

describe("misuse", function()
    local dir

    setup(function()
        dir = compiled.folder()
        compiled.module(dir, "it", MODULE, nil, compiled.checked.libraries)
    end)

    teardown(function()
        compiled.remove(dir)
    end)

    local function run(script)
        return compiled.run(dir, HEAD .. script, compiled.checked)
    end

    -- In a task the script ends by "quoll: misuse: " and this.
    local function aborts(text, script)
        return function()
            local result = run("quoll.run(function()\n" .. script
                .. "\nend)\n")
            assert.matches("quoll: misuse: " .. text .. "\n", result.err, 1,
                true)
            assert.equal(SIGABRT, result.signal)
        end
    end

    it("to await twice on one operation", aborts(
        "ql_await: 'dwell' waits already, in task 2",
        "local thing = dwelling(); dwell(thing)"))

    it("to await on what was never made", aborts(
        "ql_await: the operation was not made by ql_op_init()",
        "dwell(it.new(false))"))

    it("to end an operation that was never made", aborts(
        "ql_op_end: the operation was not made by ql_op_init()",
        "it.end_(it.new(false))"))

    it("to free an operation that is waited for", aborts(
        "ql_op_fini: task 2 still waits for 'dwell'", "it.fini(dwelling())"))

    it("to tell a freed operation that it is ready", aborts(
        "ql_op_ready: 'dwell' was freed",
        "local thing = it.new(true); it.fini(thing); it.ready(thing)"))

    it("to await on a freed operation", aborts("ql_await: 'dwell' was freed",
        "local thing = it.new(true); it.fini(thing); dwell(thing)"))

    it("to complete an operation for which nobody waits", aborts(
        "ql_op_done: nobody waits for 'dwell'", "it.done(it.new(true))"))

    it("to close a handle and leave its waiter", aborts(
        "ql_handle_close: the close of 'thing' left a task waiting: it calls "
        .. "ql_op_end()", "dwelling():close()"))

    it("to wait with what lies below the anchors", aborts(
        "ql_await: the memory of 'dwell' is not among its anchors",
        "finish(it.dwell_below(it.new(true)))"))

    it("to leave to the collector what a task waits with", aborts(
        "ql_await: the collector took 'thing' with 'dwell', for which task 2 "
        .. "waits: it is not among the anchors", [[
            quoll.spawn(function()
                finish(it.dwell_loose(it.new(true):disown()))
            end)
            quoll.yield()
            collectgarbage()
        ]]))

    it("to reuse the memory of what a task waits with", aborts(
        "ql_op_end: the memory of 'dwell' was released or written over while "
        .. "task 2 waited with it", BLOCK .. "it.reuse(block) task:cancel()"))

    -- AddressSanitizer has its own words for it.
    if not helper.sanitized then
        it("to free the memory of what a task waits with", aborts(
            "ql_op_end: the memory of 'dwell' was released or written over "
            .. "while task 2 waited with it",
            BLOCK .. "it.release(block) task:cancel()"))
    end

    it("to make an operation where one is waited for", function()
        aborts("ql_op_init: task 2 waits for 'dwell' there",
            "it.init(dwelling())")()
        aborts("ql_op_init: task 2 waits for 'dwell' there",
            BLOCK .. "it.init(block)")()
    end)

    it("to call from another thread", aborts("ql_op_ready: called from a "
        .. "thread that is not the loop's; there only ql_notify() and "
        .. "ql_post_from_thread() may be", "it.thread(dwelling())"))

    it("is not what a finished wait was", function()
        local result = run [[
            quoll.run(function()
                local thing = dwelling()
                it.end_(thing)
                quoll.yield()
                it.end_(thing)
                it.ready(thing)
                it.fini(thing)
                thing:close()
                it.init(thing)
                local block = it.block()
                local task = quoll.spawn(function()
                    finish(it.dwell_in(block))
                end)
                quoll.yield()
                task:cancel()
                quoll.yield()
                it.init(block)
                it.release(block)
                print "well"
            end)
        ]]
        assert.equal("", result.err)
        assert.equal("well\n", result.out)
        assert.equal(0, result.code)
    end)

    it("is not to leave a waiting task at the end of the script", function()
        local result = run [[
            local thing = it.new(true):disown()
            quoll.spawn(function() finish(it.dwell_loose(thing)) end)
            quoll.yield()
        ]]
        assert.matches("^quoll: 1 task was alive[^\n]*\n$", result.err)
        assert.equal(0, result.code)
    end)
end)
