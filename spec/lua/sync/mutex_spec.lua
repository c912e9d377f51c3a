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
