--- The Lua half of a wait.
-- A C function that had to wait comes back with the mark instead of results:
-- `take` then pushes them, or raises a cancellation, inside the task.
-- @module quoll.wait

local core = require "quoll.core"

local mark, take = core.mark, core.take

local wait = {}

--- Passes the results of a waiting C function on, whether it had to wait or
-- not: `return finish(core.sleep(s))`.
function wait.finish(first, ...)
  if first == mark then
    return take(...)
  end
  return first, ...
end

return wait
