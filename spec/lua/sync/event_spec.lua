local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

describe("event:wait", function()
    helper.gates()

    it("gates a worker again and again", function()
        tasks.run(function()
            local go, steps = quoll.sync.event(), 0
            local worker = quoll.spawn(function()
                for _ = 1, 3 do
                    go:wait()
                    go:clear()
                    steps = steps + 1
                end
            end)
            for i = 1, 3 do
                tasks.settle()
                assert.equal(i - 1, steps)
                go:set()
                tasks.settle()
                assert.equal(i, steps)
            end
            worker:wait()
        end)
    end)
end)
