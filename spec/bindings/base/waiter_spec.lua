local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local core = require "quoll.core"
local co = quoll.coroutine
local run = tasks.run

local function nap()
    quoll.sleep(0.001)
    return "slept"
end

local function module(name, loader)
    package.preload[name] = loader
    finally(function()
        package.preload[name] = nil
        package.loaded[name] = nil
    end)
end

-- fn within n coroutines of lib.
local function within(lib, n, fn)
    for _ = 1, n do
        local inner = fn
        fn = function() return lib.wrap(inner)() end
    end
    return fn
end

describe("a wait in coroutines within a task", function()
    helper.gates()

    it("works through those that quoll.coroutine resumed", function()
        run(function()
            for depth = 1, 20 do
                assert.equal("slept", within(co, depth, nap)())
            end
        end)
    end)

    it("is refused when a plain one stands anywhere between", function()
        run(function()
            for _, fn in ipairs {
                within(coroutine, 1, nap),
                within(co, 2, within(coroutine, 1, nap)),
                within(coroutine, 1, within(co, 2, nap)),
                within(co, 1, within(coroutine, 1, within(co, 1, nap))),
            } do
                local ok, err = pcall(fn)
                assert.is_false(ok)
                assert.matches("waiter_spec.lua:%d+: cannot wait in a plain "
                    .. "coroutine inside a task: those of quoll.coroutine can",
                    err)
            end
            nap()
        end)
    end)

    it("is refused when one of them cannot yield", function()
        run(function()
            local ok, err = pcall(function()
                table.sort({ 2, 1 }, within(co, 2, nap))
            end)
            assert.is_false(ok)
            assert.matches("cannot wait inside table.sort", err)
            ok, err = pcall(within(co, 2, function()
                table.sort({ 2, 1 }, within(co, 2, nap))
            end))
            assert.is_false(ok)
            assert.matches("cannot wait inside table.sort", err)
            nap()
        end)
    end)

    it("runs the loop when require stands between", function()
        module("spec.waits", within(co, 2, nap))
        run(function()
            assert.equal("slept", require "spec.waits")
            package.loaded["spec.waits"] = nil
            assert.equal("slept", within(co, 2, function()
                return require "spec.waits"
            end)())
        end)
    end)

    it("runs the loop in the main chunk", function()
        assert.equal("slept", within(co, 3, nap)())
        assert.equal("slept", within(coroutine, 3, nap)())
        assert.equal("slept", within(co, 1, within(coroutine, 1, nap))())
    end)

    -- Not every LuaJIT shows what called the collector.
    it("in a finaliser is refused, by what called the collector", function()
        run(within(co, 2, function()
            local err
            getmetatable(newproxy(true)).__gc = function()
                err = select(2, pcall(nap))
            end
            collectgarbage()
            collectgarbage()
            assert.truthy(err:find("cannot wait inside collectgarbage", 1, true)
                or err:find("cannot wait here: a finaliser", 1, true), err)
        end))
    end)
end)

describe("drop", function()
    it("is harmless where no wait has ended", function()
        assert.equal(0, select("#", core.drop()))
        run(function()
            core.drop()
            nap()
        end)
    end)
end)

describe("a task's coroutine that a script resumes", function()
    it("fails that task, and only that", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local thief
            local task = quoll.spawn(function()
                thief = coroutine.running()
                quoll.sleep(0.001)
            end)
            quoll.run(function()
                quoll.yield()
                quoll.yield()
                print(coroutine.resume(thief))
                print(pcall(task.wait, task))
                quoll.sleep(0.001)
                print "on"
            end)
        ]]
        assert.is_nil(result.signal, result.err)
        assert.equal("true\nfalse\tits coroutine was resumed by a script\n"
            .. "on\n", result.out)
    end)
end)
