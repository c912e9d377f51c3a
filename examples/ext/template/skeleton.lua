--- skeleton: a counter that tasks wait for.
--
--     local counter = assert(skeleton.new())
--     quoll.spawn(function() counter:add(2) end)
--     print(counter:wait()) --> 2

local core = require "skeleton_core"
local finish = require("quoll.wait").finish

local Counter = core.methods -- add, close, own and disown are in it

--- Waits until it is not 0, takes what has been added, and leaves 0 behind.
-- @number[opt] s seconds at most
-- @treturn[1] number
-- @treturn[2] nil
-- @treturn[2] string err: "timeout", "closed", "busy reading", ...
-- @treturn[2] string CODE
function Counter:wait(s)
  return finish(core.wait(self, s)) -- what waits comes back through finish
end

return {
  --- A new counter, 0; the running task closes it when it ends.
  new = core.new,
}
