-- Each function of quoll_lua.h from a thread that is not the loop's: a debug
-- build ends the process, and names it.
local compiled = require "spec.support.compiled"
local foreign = require "spec.support.foreign"

local HEADER = "bindings/quoll_lua.h"

local HEAD = [[
#include <quoll_lua.h>

static char room[4096] __attribute__((aligned(64)));
static lua_State *L;
static ql_lua_t *lua;
static ql_op_t op;
static ql_handle_t *handle;
static ql_task_t *task;
static ql_select_t selected = {.op = &op};
static ql_queue_t selectors;
static ql_lua_call_t call;

QL_API int luaopen_it(lua_State *state);

]]

local OBJECTS = {
    ["lua_State *"] = "L",
    ["ql_lua_t *"] = "lua",
    ["ql_op_t *"] = "&op",
    ["ql_handle_t *"] = "handle",
    ["ql_task_t *"] = "task",
    ["ql_select_t *"] = "&selected",
    ["ql_queue_t *"] = "&selectors",
    ["ql_lua_call_t *"] = "&call",
}

local TAIL = [[
static void
on_close(ql_handle_t *h, int err)
{
    (void) h;
    (void) err;
}

int
luaopen_it(lua_State *state)
{
    static const ql_op_type_t op_type = {.name = "op"};
    static const ql_handle_type_t type = {"thing", on_close, NULL};

    L = state;
    lua = ql_lua_open(L);
    ql_op_init(&op, &op_type, lua);
    ql_op_init(&call.op, &op_type, lua);
    handle = ql_handle_new(L, lua, &type, sizeof(*handle));
    ql_handle_open(handle);
    task = ql_task_current(lua);
    ql_queue_init(&selectors);
    ql_queue_insert_tail(&selectors, &selected.link);
    call_all();
    return 0;
}
]]

describe("a function of quoll_lua.h", function()
    it("is the loop's thread's", function()
        local dir = compiled.folder()
        finally(function()
            compiled.remove(dir)
        end)
        compiled.module(dir, "it", HEAD .. foreign.source(HEADER, OBJECTS)
            .. TAIL, nil, compiled.checked.libraries)
        local result = compiled.run(dir, 'require "it"', compiled.checked)
        local good, bad = foreign.judge(result.out)
        assert.same({}, bad)
        assert.is_true(good > 45, result.err)
        assert.equal(0, result.code)
        assert.same({}, foreign.allowed(HEADER))
    end)
end)
