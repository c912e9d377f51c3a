--- Timers: tasks that start later, in the scope that made them.
-- @module quoll.timer

local core = require "quoll.core"
local finish = require("quoll.wait").finish
local guard = require "quoll.guard"

local timer = {}

local function periodic(s, fn, ...)
  while not finish(core.stopping(s)) do
    guard.call(core.timer_failed, fn, ...)
  end
end

--- Starts fn(...) as a task after s seconds; costs no coroutine until then.
-- @number s seconds
-- @func fn
-- @tparam[opt] any ... its arguments
-- @treturn Task :cancel() stops it, :wait() waits for its end
-- @function after
timer.after = core.after

--- Calls fn(...) every s seconds, in one task; the next period starts when fn
-- has returned. An error of fn is logged and the timer goes on. `quoll.stop`
-- ends it.
-- @number s seconds, more than 0
-- @func fn
-- @tparam[opt] any ... its arguments
-- @treturn Task :cancel() ends it
function timer.every(s, fn, ...)
  if type(s) ~= "number" or s <= 0 or s ~= s then
    core.bad_argument(s, "s", "every", "seconds, more than 0,")
  elseif type(fn) ~= "function" then
    core.bad_argument(fn, "fn", "every", "a function")
  end
  return core.spawn(periodic, s, fn, ...)
end

return timer
