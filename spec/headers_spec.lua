-- The public headers, as C and C++ of all kinds take them.
local compiled = require "spec.support.compiled"
local helper = require "spec.helper"

local strict = "-Wall -Wextra -Wshadow -Wundef -pedantic -Werror "

-- A loop, a timer and what the headers have inline.
local PROGRAM = [[
#include <quoll.h>
#include <stdio.h>

static void
on_timer(ql_event_t *ev)
{
    ql_connection_t *c = (ql_connection_t *) ev->data;

    puts("ticked");
    ql_loop_stop(c->loop);
}

int
main(void)
{
    ql_loop_t *loop = ql_loop_create(NULL, NULL);
    ql_connection_t *c = ql_get_connection(loop, 0);
    ql_queue_t head;

    ql_queue_init(&head);
    c->borrowed = 1;
    c->read.handler = on_timer;
    ql_add_timer(loop, &c->read, 1);
    if (!ql_queue_empty(&head) || ql_loop_run(loop) != NGX_OK) {
        return 1;
    }
    ql_close_connection(c);
    ql_loop_destroy(loop);
    return ql_abi() != QL_ABI;
}
]]

-- A function that waits a moment, with an operation of its own.
local MODULE = [[
#include <quoll_lua.h>

#ifdef __cplusplus
extern "C"
#endif
QL_API int luaopen_it(lua_State *L);

typedef struct {
    ql_handle_t handle;
    ql_op_t op;
} wait_t;

static int
wait_attempt(ql_op_t *op)
{
    (void) op;
    return NGX_AGAIN;
}

static int
wait_push(lua_State *L, ql_op_t *op, int rc)
{
    (void) rc;
    return ql_push_error(L, op->err);
}

static void
wait_cancel(ql_op_t *op)
{
    (void) op;
}

static void
wait_close(ql_handle_t *h, int err)
{
    ql_op_end(&((wait_t *) (void *) h)->op, err);
}

static const ql_op_type_t wait_type
    = {"wait", wait_attempt, wait_push, wait_cancel, NULL, NULL};
static const ql_handle_type_t handle_type = {"wait", wait_close, NULL};

static int
wait_wait(lua_State *L)
{
    ql_lua_t *lua = ql_lua(L);
    wait_t *w = (wait_t *) ql_handle_new(L, lua, &handle_type, sizeof(*w));

    ql_op_init(&w->op, &wait_type, lua);
    ql_handle_open(&w->handle);
    w->op.timeout = ql_check_timeout(L, 1, "s", "wait");
    return ql_await(L, &w->op, 1);
}

int
luaopen_it(lua_State *L)
{
    (void) ql_lua_open(L);
    lua_pushcfunction(L, wait_wait);
    return 1;
}
]]

local compilers = { "cc -std=c99", "cc -std=c11", "cc -std=c17",
    "cc -std=gnu11", "g++ -std=c++11", "g++ -std=c++17", "g++ -std=c++20" }

describe("the public headers", function()
    local dir

    before_each(function()
        dir = compiled.folder()
    end)

    after_each(function()
        compiled.remove(dir)
    end)

    for _, compiler in ipairs(compilers) do
        it("make a module with " .. compiler, function()
            compiled.module(dir, "it", MODULE, compiler .. " " .. strict)
            local result = compiled.run(dir, [[
                local finish = require("quoll.wait").finish
                local wait = require "it"
                print(finish(wait(0.001)))
            ]])
            assert.equal("", result.err)
            assert.equal("nil\ttimeout\tTIMEOUT\n", result.out)
        end)

        it("make a program with " .. compiler, function()
            if helper.sanitized then
                return pending "links with no program that is built otherwise"
            end
            local said, status = compiled.compile(dir, compiler .. " "
                .. strict .. "-Wl,--unresolved-symbols=ignore-in-shared-libs",
                PROGRAM, "it")
            assert.equal("", said)
            assert.equal(0, status)
            local pipe = io.popen("env -u LD_PRELOAD " .. dir .. "/it; echo $?")
            local out = pipe:read "*a"
            pipe:close()
            assert.equal("ticked\n0\n", out)
        end)
    end
end)
