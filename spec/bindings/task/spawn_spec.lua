local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

describe("spawn", function()
    helper.gates()

    it("starts the task after it has returned, in order", function()
        local order = {}
        run(function()
            for i = 1, 3 do
                quoll.spawn(function() order[#order + 1] = i end)
            end
            order[#order + 1] = "spawned"
        end)
        assert.same({ "spawned", 1, 2, 3 }, order)
    end)

    it("passes arguments on, nil among them", function()
        local n, a, b, c
        run(function()
            quoll.spawn(function(...)
                n, a, b, c = select("#", ...), ...
            end, nil, "x", nil)
        end)
        assert.same({ 3, nil, "x", nil }, { n, a, b, c })
    end)

    it("makes tasks whose tostring is who they are, and how", function()
        run(function()
            local task = quoll.spawn(quoll.sleep, 0)
            local id = task:id()
            assert.equal(("task %d (starting)"):format(id), tostring(task))
            task:name "reader"
            quoll.yield()
            task:wait()
            assert.equal(("task %d 'reader' (done)"):format(id), tostring(task))
        end)
    end)

    it("passes many arguments and results", function()
        local n = run(function()
            local args = {}
            for i = 1, 5000 do
                args[i] = i
            end
            return select("#", quoll.spawn(function(...)
                return ...
            end, unpack(args)):wait())
        end)
        assert.equal(5000, n)
    end)

    it("calls what has a __call", function()
        local object = setmetatable({}, { __call = function(_, x)
            return x + 1
        end })
        assert.equal(3, run(function()
            return quoll.spawn(object, 2):wait()
        end))
    end)

    it("refuses what is no function, at the caller's line", function()
        local ok, err = pcall(function() quoll.spawn("no") end)
        assert.is_false(ok)
        assert.matches("^[^\n]*spawn_spec.lua:%d+: bad argument 'fn' to "
            .. "'spawn' %(a function expected, got 'no'%)$", err)
        assert.equal(0, quoll.stats().tasks.live)
    end)

    it("makes children of a cancelled task cancelled", function()
        local started = false
        run(function()
            local child
            local parent = quoll.spawn(function()
                pcall(quoll.sleep, 10)
                child = quoll.spawn(function() started = true end)
            end)
            quoll.yield()
            parent:cancel()
            parent:wait()
            assert.equal("cancelled", child:status())
        end)
        assert.is_false(started)
    end)

    it("keeps the siblings of a failed task alive", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.run(function()
                quoll.spawn(error, "one", 0)
                quoll.spawn(function() quoll.sleep(0.01) print "two" end)
            end)
            print "end"
        ]]
        assert.equal("two\nend\n", result.out)
        assert.equal(0, result.code)
    end)

    it("gives every task back to the collector", function()
        run(function() quoll.spawn(function() end) end)
        collectgarbage()
        local before = collectgarbage "count"
        run(function()
            for _ = 1, 20 do
                for _ = 1, 500 do
                    quoll.spawn(quoll.yield)
                end
                quoll.yield()
                quoll.yield()
            end
        end, 20)
        collectgarbage()
        collectgarbage()
        assert.is_true(collectgarbage "count" - before < 200)
    end)
end)

describe("a delayed start", function()
    helper.gates()

    it("passes arguments on, nil among them", function()
        local n, a, b, c
        run(function()
            quoll.timer.after(0, function(...)
                n, a, b, c = select("#", ...), ...
            end, nil, "x", nil)
        end)
        assert.same({ 3, nil, "x", nil }, { n, a, b, c })
    end)

    it("needs its time", function()
        for _, s in ipairs { "1", -1, 0 / 0 } do
            local ok, err = pcall(quoll.timer.after, s, print)
            assert.is_false(ok)
            assert.matches("bad argument 's' to 'after'", err)
        end
        local ok, err = pcall(quoll.timer.after, nil, print)
        assert.is_false(ok)
        assert.matches("bad argument 's' to 'after'", err)
    end)
end)

describe("a spawn without memory", function()
    it("raises and leaves nothing", function()
        local result = helper.script [[
            local inject = require "spec.support.scripted"
            local quoll = require "quoll"
            local function refused(spawn, ...)
                inject.ql_inject_fail("malloc", -1, 1, 0, 12)
                for _ = 1, 200 do -- more than coroutines are kept
                    local ok, err = pcall(spawn, ...)
                    assert(not ok and err:find "not enough memory", err)
                end
                inject.ql_inject_clear()
                print(quoll.stats().tasks.live)
            end
            quoll.run(function()
                refused(quoll.spawn, print)
                refused(quoll.timer.after, 0, print)
                print(quoll.spawn(tostring, "it can"):wait())
            end)
        ]]
        assert.equal(0, result.code, result.err)
        assert.equal("1\n1\nit can\n", result.out)
    end)
end)
