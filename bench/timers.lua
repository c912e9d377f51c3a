-- A million quoll timers, armed and cancelled.
local quoll = require "quoll"
local load = require "bench.lib.timer_load"

local function nothing() end

quoll.run(load, {
    arm = function(seconds)
        return quoll.timer.after(seconds, nothing)
    end,
    cancel = function(timer)
        timer:cancel()
    end,
    settle = function()
        while quoll.stats().loop.timers > 0 or quoll.stats().tasks.live > 1 do
            quoll.yield()
        end
    end,
})
