local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

local function spin(s)
    local start = quoll.now()
    repeat until quoll.now() >= start + s
    return quoll.now() - start
end

local function cpu(task)
    for _, row in ipairs(quoll.tasks { traceback = false }) do
        if row.id == task:id() then
            return row.cpu
        end
    end
end

describe("the time a task takes", function()
    helper.gates()

    it("is that of its coroutine, not of its waits", function()
        run(function()
            local spun = 0
            local busy = quoll.spawn(function()
                for _ = 1, 3 do
                    spun = spun + spin(0.01)
                    quoll.yield()
                end
                quoll.sleep(60)
            end)
            local idle = quoll.spawn(quoll.sleep, 60)
            local waiter = quoll.spawn(function() quoll.sleep(0.04) end)
            waiter:wait()
            local took, waited = cpu(busy), cpu(idle)
            assert.is_true(took >= spun * 0.99, took .. " of " .. spun)
            assert.is_true(waited < took / 2)
            busy:cancel()
            idle:cancel()
        end)
    end)

    it("of one that runs the loop in require is its own", function()
        run(function()
            package.preload["spec.account.module"] = function()
                quoll.spawn(function() spin(0.05) end):wait()
                quoll.sleep(0.05)
                return true
            end
            local task
            task = quoll.spawn(function()
                require "spec.account.module"
                quoll.sleep(60)
            end)
            quoll.sleep(0.15)
            assert.is_true(cpu(task) < 0.09)
            task:cancel()
            package.loaded["spec.account.module"] = nil
            package.preload["spec.account.module"] = nil
        end)
    end)

    it("of the main chunk is what it takes between its waits", function()
        local before = quoll.tasks()[0].cpu
        local spun = spin(0.02)
        quoll.sleep(0.2)
        local took = quoll.tasks()[0].cpu - before
        assert.is_true(took >= spun * 0.99 and took < spun + 0.19)
    end)
end)
