local helper = require "spec.helper"
local quoll = require "quoll"

require("quoll.busted").install { deadline = helper.seconds(20) }
helper.gates()

describe("after", function()
    it("calls once, not before its time, with its arguments", function()
        local got
        local start = quoll.now()
        local value = quoll.timer.after(0.01, function(...)
            got = { quoll.now() - start, ... }
            return "result"
        end, 1, 2):wait()
        assert.equal("result", value)
        assert.is_true(got[1] >= 0.01)
        assert.same({ 1, 2 }, { got[2], got[3] })
    end)

    it("is never early", function()
        -- A loop that never sleeps calls as soon as it may.
        local busy = quoll.spawn(function()
            while true do
                quoll.yield()
            end
        end)
        for i = 1, 100 do
            local s = (1 + i % 3) / 1000
            local start = helper.now() + i % 20 / 10000
            while helper.now() < start do end -- the turn's clock is old
            start = helper.now()
            local called = quoll.timer.after(s, helper.now):wait()
            assert.is_true(called - start >= s)
        end
        busy:cancel()
    end)

    it("of 0 comes after what is ready", function()
        local order = {}
        quoll.spawn(function()
            quoll.timer.after(0, function() order[#order + 1] = "timer" end)
            quoll.spawn(function() order[#order + 1] = "task" end)
            order[#order + 1] = "main"
        end):wait()
        assert.same({ "main", "task", "timer" }, order)
    end)

    it("goes by due time, then by arming", function()
        local order = {}
        quoll.spawn(function()
            for i, ms in ipairs { 5, 3, 5, 0, 3 } do
                quoll.timer.after(ms / 1000, function()
                    order[#order + 1] = i
                end)
            end
            local stop = quoll.now() + 0.02
            while quoll.now() < stop do end
        end):wait()
        assert.same({ 4, 2, 5, 1, 3 }, order)
    end)

    it("may be cancelled, in its own callback too", function()
        local called, after = 0, false
        local never = quoll.timer.after(0.001, function()
            called = called + 1
        end)
        never:cancel()
        assert.equal("cancelled", never:status())
        local self
        self = quoll.timer.after(0, function()
            called = called + 1
            self:cancel()
            quoll.yield()
            after = true
        end)
        assert.same({ nil, "cancelled", "CANCELLED" }, { self:wait() })
        assert.equal(1, called)
        assert.is_false(after)
    end)

    it("a million times costs no memory afterwards", function()
        local n = (helper.sanitized or helper.collecting) and 20000 or 1000000
        local timers = {}
        collectgarbage()
        collectgarbage()
        local before = collectgarbage "count"
        local others = quoll.stats().loop.timers
        for i = 1, n do
            timers[i] = quoll.timer.after(60 + i % 1000, print)
        end
        assert.equal(others + n, quoll.stats().loop.timers)
        for i = 1, n do
            timers[i]:cancel()
        end
        assert.equal(others, quoll.stats().loop.timers)
        timers = nil -- luacheck: ignore
        collectgarbage()
        collectgarbage()
        local kept = (collectgarbage "count" - before) * 1024 / n
        assert.is_true(kept < 24, kept .. " bytes a timer are kept")
    end)

    it("refuses bad arguments at the caller's line", function()
        for _, args in ipairs { { -1, print }, { "1", print }, { 1 },
            { 1, 2 }, {} } do
            local ok, err = pcall(function()
                local task = quoll.timer.after(args[1], args[2])
                return task
            end)
            assert.is_false(ok)
            assert.matches("timer_spec.lua:%d+: bad argument '%a+' to "
                .. "'after'", err)
        end
    end)
end)

describe("every", function()
    it("calls until it is cancelled", function()
        local calls = {}
        local task
        task = quoll.timer.every(0.001, function(...)
            calls[#calls + 1] = { ... }
            if #calls == 3 then
                task:cancel()
            end
        end, "a", 1)
        assert.same({ nil, "cancelled", "CANCELLED" }, { task:wait() })
        assert.same({ { "a", 1 }, { "a", 1 }, { "a", 1 } }, calls)
    end)

    it("starts the next period after the callback", function()
        local starts, ends = {}, {}
        local task
        task = quoll.timer.every(0.004, function()
            starts[#starts + 1] = quoll.now()
            quoll.sleep(0.006)
            ends[#ends + 1] = quoll.now()
            if #ends == 3 then
                task:cancel()
            end
        end)
        task:wait()
        for i = 2, 3 do
            assert.is_true(starts[i] - ends[i - 1] >= 0.004)
        end
    end)

    it("does not call before its first period is over", function()
        local start = quoll.now()
        local first
        local task = quoll.timer.every(0.004, function()
            first = first or quoll.now()
        end)
        while not first do
            quoll.sleep(0.001)
        end
        task:cancel()
        assert.is_true(first - start >= 0.004)
    end)

    it("logs nothing when it is cancelled while its callback waits", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local waiting = false
            local task = quoll.timer.every(0.001, function()
                waiting = true
                quoll.sleep(60)
            end)
            quoll.run(function()
                while not waiting do
                    quoll.sleep(0.001)
                end
                task:cancel()
                print(task:wait())
            end)
        ]]
        assert.equal("nil\tcancelled\tCANCELLED\n", result.out)
        assert.equal("", result.err)
    end)

    it("logs an error of the callback and goes on", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local calls, task = 0, nil
            task = quoll.timer.every(0.001, function()
                calls = calls + 1
                if calls == 1 then error "first" end
                if calls == 2 then error(setmetatable({}, {
                    __tostring = function() error "again" end })) end
                if calls == 3 then task:cancel() end
            end)
            quoll.run()
            print(calls)
        ]]
        assert.equal("3\n", result.out)
        local _, first = result.err:gsub("first", "")
        assert.equal(1, first)
        assert.matches("timer: %S+:5: first\n\tstack traceback:\n", result.err)
        assert.matches("timer: %(error object cannot be shown%)\n", result.err)
    end)

    it("does not flood the log with its errors", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local n = 0
            quoll.run(function()
                local task
                task = quoll.timer.every(0.0001, function()
                    n = n + 1
                    if n == 100 then
                        task:cancel()
                    end
                    error "again"
                end)
            end)
            print(n)
        ]]
        assert.equal("100\n", result.out)
        local _, lines = result.err:gsub("timer: [^\n]*again", "")
        assert.is_true(lines >= 10 and lines <= 40, result.err)
    end)

    it("refuses bad arguments at the caller's line", function()
        for _, args in ipairs { { 0, print }, { -1, print }, { "1", print },
            { 0 / 0, print }, { 1 }, { 1, 2 }, {} } do
            local ok, err = pcall(function()
                local task = quoll.timer.every(args[1], args[2])
                return task
            end)
            assert.is_false(ok)
            assert.matches("timer_spec.lua:%d+: bad argument '%a+' to "
                .. "'every'", err)
        end
    end)
end)
