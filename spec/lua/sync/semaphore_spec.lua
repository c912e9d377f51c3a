local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

describe("semaphore:acquire", function()
    helper.gates()

    it("limits how many are at work", function()
        tasks.run(function()
            local s, inside, most, workers = quoll.sync.semaphore(3), 0, 0, {}
            for i = 1, 20 do
                workers[i] = quoll.spawn(function()
                    assert.is_true(s:acquire())
                    inside = inside + 1
                    most = math.max(most, inside)
                    quoll.sleep(0.0005)
                    inside = inside - 1
                    assert.is_true(s:release())
                end)
            end
            for i = 1, 20 do workers[i]:wait() end
            assert.equal(3, most)
            assert.equal(3, s:permits())
        end)
    end)

    it("raises the task's cancellation", function()
        tasks.run(function()
            local s, why = quoll.sync.semaphore(1), nil
            s:acquire()
            local task = quoll.spawn(function()
                local _, err = pcall(s.acquire, s)
                why = quoll.iscancelled(err)
                error(err, 0)
            end)
            tasks.settle()
            task:cancel "enough"
            task:wait()
            assert.equal("enough", why)
        end)
    end)
end)
