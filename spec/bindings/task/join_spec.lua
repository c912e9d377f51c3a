local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

describe("task:wait", function()
    helper.gates()

    it("returns the results, nil among them", function()
        run(function()
            local task = quoll.spawn(function() return nil, 2, nil end)
            local n, a, b, c = (function(...)
                return select("#", ...), ...
            end)(task:wait())
            assert.same({ 3, nil, 2, nil }, { n, a, b, c })
        end)
    end)

    it("returns them again, to whoever asks", function()
        run(function()
            local task = quoll.spawn(function()
                quoll.yield()
                return "x", {}
            end)
            local other = quoll.spawn(function() return task:wait() end)
            local x, t = task:wait()
            assert.equal("x", x)
            assert.same({ x, t }, { task:wait() })
            assert.equal(t, select(2, other:wait()))
        end)
    end)

    it("raises the task's error unchanged, again too", function()
        run(function()
            local thrown = { "an object" }
            local task = quoll.spawn(error, thrown)
            for _ = 1, 2 do
                local ok, err = pcall(task.wait, task)
                assert.is_false(ok)
                assert.equal(thrown, err)
            end
            local ok, err = pcall(function()
                quoll.spawn(error, "text", 0):wait()
            end)
            assert.same({ false, "text" }, { ok, err })
        end)
    end)

    it("raises nil and false as they are", function()
        run(function()
            local task = quoll.spawn(error, false)
            assert.same({ false, false }, { pcall(task.wait, task) })
            task = quoll.spawn(error)
            assert.same({ false }, { pcall(task.wait, task) })
        end)
    end)

    it("ends once when its end and its timeout come together", function()
        run(function()
            local early, waiters = 0, {}
            for i = 1, 200 do
                local task = quoll.timer.after(0.005, function() end)
                waiters[i] = quoll.spawn(function()
                    task:wait(0.005)
                    local before = quoll.now()
                    quoll.sleep(0.02)
                    early = early + (quoll.now() - before < 0.02 and 1 or 0)
                end)
            end
            for _, waiter in ipairs(waiters) do
                waiter:wait()
            end
            assert.equal(0, early)
        end)
    end)

    it("times out and leaves the task alone", function()
        run(function()
            local task = quoll.spawn(function()
                quoll.sleep(0.03)
                return "late"
            end)
            assert.same({ nil, "timeout", "TIMEOUT" }, { task:wait(0.005) })
            assert.same({ nil, "timeout", "TIMEOUT" }, { task:wait(0) })
            assert.equal("late", task:wait(5))
        end)
    end)

    it("prefers the result to a timeout of 0", function()
        run(function()
            local task = quoll.spawn(function() return 1 end)
            quoll.yield()
            assert.equal(1, task:wait(0))
        end)
    end)

    it("tells of a cancelled task", function()
        run(function()
            local task = quoll.spawn(quoll.sleep, 10)
            quoll.yield()
            task:cancel()
            assert.same({ nil, "cancelled", "CANCELLED" }, { task:wait() })
            assert.same({ nil, "cancelled", "CANCELLED" }, { task:wait(0) })
        end)
    end)

    it("wakes many waiters, in the order of waiting", function()
        local order = {}
        run(function()
            local task = quoll.spawn(quoll.sleep, 0.01)
            for i = 1, 5 do
                quoll.spawn(function()
                    task:wait()
                    order[#order + 1] = i
                end)
            end
        end)
        assert.same({ 1, 2, 3, 4, 5 }, order)
    end)

    it("refuses to wait for itself", function()
        run(function()
            local task
            task = quoll.spawn(function()
                local result = task:wait()
                return result
            end)
            local ok, err = pcall(task.wait, task)
            assert.is_false(ok)
            assert.matches("join_spec.lua:%d+: a task cannot wait for itself: "
                .. "task (%d+) %-> task %1", err)
        end)
    end)

    it("refuses what is no task", function()
        local task = quoll.spawn(function() end)
        for _, value in ipairs { 1, "x", {}, io.stdout, newproxy(true) } do
            local ok, err = pcall(task.wait, value)
            assert.is_false(ok)
            assert.matches("bad argument 'self' to 'wait'", err)
        end
        assert.is_false(pcall(task.wait))
    end)

    it("in the main chunk runs the loop until that task has ended", function()
        local task = quoll.spawn(function()
            quoll.sleep(0.005)
            return "done"
        end)
        local other = quoll.spawn(quoll.sleep, 0.05)
        assert.equal("done", task:wait())
        assert.equal("waiting", other:status())
        other:cancel()
        assert.same({ nil, "cancelled", "CANCELLED" }, { other:wait() })
    end)

    it("keeps a task that only the waiter refers to", function()
        run(function()
            local function make()
                return quoll.spawn(function()
                    for _ = 1, 10 do
                        quoll.yield()
                        collectgarbage()
                    end
                    return { "kept" }
                end)
            end
            assert.same({ "kept" }, make():wait())
        end)
    end)
end)
