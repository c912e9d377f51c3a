-- A million luv timers, armed and cancelled.
local uv = require "luv"
local load = require "bench.lib.timer_load"

local function nothing() end

load {
    arm = function(seconds)
        local timer = uv.new_timer()
        timer:start(seconds * 1000, 0, nothing)
        return timer
    end,
    cancel = function(timer)
        timer:stop()
        timer:close()
    end,
    settle = uv.run,
}
