local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local run = tasks.run
local mutex = quoll.sync.mutex

describe("mutex:with", function()
    helper.gates()

    it("passes arguments and results, nil among them", function()
        run(function()
            local m = mutex()
            local n, a, b, c = (function(...)
                return select("#", ...), ...
            end)(m:with(function(...)
                quoll.yield()
                return nil, select("#", ...), nil
            end, nil, nil))
            assert.same({ 3, nil, 2, nil }, { n, a, b, c })
            assert.is_true(m:lock(0))
            m:unlock()
        end)
    end)

    it("unlocks when fn raises, and raises that", function()
        run(function()
            local m, thrown = mutex(), {}
            local ok, err = pcall(m.with, m, error, thrown)
            assert.is_false(ok)
            assert.equal(thrown, err)
            m:with(m.unlock, m)
            assert.is_true(m:lock(0))
            m:unlock()
        end)
    end)

    it("waits for the lock as long as it may", function()
        run(function()
            local m = mutex()
            local function refused(...)
                assert.same({ nil, "timeout", "TIMEOUT" }, { m:with(...) })
            end
            local holder = quoll.spawn(m.with, m, quoll.sleep, 60)
            tasks.settle()
            refused(0, error, "called")
            refused(0.001, error, "called")
            local got = quoll.spawn(m.with, m, helper.seconds(10),
                function(...) return select("#", ...), ... end, nil, 7)
            tasks.settle()
            holder:cancel()
            assert.same({ 2, nil, 7 }, { got:wait() })
            assert.equal(0, m:with(0, select, "#"))
            assert.equal(0, m:with(select, "#"))
        end)
    end)

    it("refuses seconds and functions that are none", function()
        run(function()
            local m = mutex()
            for _, case in ipairs {
                { "'s' to 'with' %(seconds, 0 or more, expected", -1, print },
                { "'s' to 'with' %(seconds, 0 or more, expected", 0 / 0 },
                { "'fn' to 'with' %(a function expected", 1 },
                { "'fn' to 'with' %(a function expected" },
            } do
                local ok, err = pcall(function()
                    return (m:with(case[2], case[3]))
                end)
                assert.is_false(ok)
                assert.matches("mutex_spec.lua:%d+: bad argument " .. case[1],
                    err)
                assert.is_true(m:lock(0))
                m:unlock()
            end
        end)
    end)

    it("unlocks when the task is cancelled inside", function()
        run(function()
            local m = mutex()
            local task = quoll.spawn(function() m:with(quoll.sleep, 60) end)
            tasks.settle()
            task:cancel()
            assert.same({ true }, { m:lock() })
            m:unlock()
        end)
    end)
end)
