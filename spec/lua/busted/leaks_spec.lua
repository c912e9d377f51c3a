local helper = require "spec.helper"
local quoll = require "quoll"
local leaks = require "quoll.busted.leaks"

require("quoll.busted").install { deadline = helper.seconds(20) }
helper.gates()

describe("leaks", function()
    local function left(before)
        return leaks.left(before, 0)
    end

    it("finds nothing where nothing is left", function()
        local before = leaks.measure()
        assert.is_nil(left(before))
        quoll.spawn(function()
            quoll.listen "127.0.0.1:0"
            quoll.open(helper.root .. "/LICENSE")
            quoll.timer.after(0, print)
        end):wait()
        assert.is_nil(leaks.left(before, helper.seconds(1)))
    end)

    it("counts only what is more than before", function()
        local listener = quoll.listen "127.0.0.1:0"
        local sleeper = quoll.spawn(quoll.sleep, 1000)
        quoll.yield()
        local before = leaks.measure()
        assert.is_nil(left(before))
        listener:close()
        sleeper:cancel()
        sleeper:wait()
        assert.is_nil(left(before))
    end)

    it("names what is left", function()
        local before = leaks.measure()
        local file = quoll.open(helper.root .. "/LICENSE")
        local sleeper = quoll.spawn(quoll.sleep, 1000)
        sleeper:name "sleeper"
        quoll.yield()
        local text = left(before)
        assert.matches("task %d+ 'sleeper' %(waiting: sleep, [%d.]+ s left",
            text)
        assert.matches(", 1 file, 1 timer, descriptor %d+: /.*/LICENSE", text)
        file:close()
        sleeper:cancel()
        sleeper:wait()
        assert.is_nil(leaks.left(before, helper.seconds(1)))
    end)

    it("sees a descriptor that another one's number has", function()
        local first = assert(io.open(helper.root .. "/LICENSE"))
        local before = leaks.measure()
        first:close()
        local second = assert(io.open(helper.root .. "/README.md"))
        assert.matches("^descriptor %d+: /.*/README.md$", left(before))
        second:close()
        assert.is_nil(left(before))
    end)

    it("waits for what ends by itself", function()
        local before = leaks.measure()
        local timer = quoll.timer.after(60, print, "")
        assert.matches("1 timer", left(before))
        timer:cancel()
        quoll.spawn(quoll.sleep, 0.01)
        assert.is_nil(leaks.left(before, helper.seconds(2)))
    end)
end)
