local helper = require "spec.helper"
local quoll = require "quoll"

describe("now", function()
    it("is the monotonic clock, exact at each call", function()
        local before = helper.now()
        local now = quoll.now()
        local after = helper.now()
        assert.is_true(before <= now and now <= after)
    end)

    it("never goes back", function()
        local last = quoll.now()
        for _ = 1, 1000 do
            local now = quoll.now()
            assert.is_true(now >= last)
            last = now
        end
    end)
end)

describe("time", function()
    it("is the wall clock with its fraction", function()
        local before = os.time()
        local time = quoll.time()
        local after = os.time() + 1
        assert.is_true(before <= time and time <= after)
    end)
end)

describe("turn", function()
    it("is the same within a turn of the loop, and another in the next",
        function()
            local core = require "quoll.core"
            quoll.run(function()
                local turn = core.turn()
                assert.equal(turn, core.turn())
                assert.equal(turn, quoll.stats().loop.turns)
                quoll.sleep(0.001)
                assert.is_true(core.turn() > turn)
            end)
        end)
end)
