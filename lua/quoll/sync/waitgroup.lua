--- Wait groups: waits until a number of things are done.
-- @module quoll.sync.waitgroup

local core = require "quoll.core"
local finish = require("quoll.wait").finish

local raise = core.raise
local new_event = core.event.new
local event_set, event_clear = core.event.set, core.event.clear
local event_wait, event_name = core.event.wait, core.event.name

local Waitgroup = {}
local meta = {
  __index = Waitgroup,
  __name = "waitgroup",
  __metatable = "waitgroup",
}
local waitgroup = { methods = Waitgroup }

function meta:__tostring()
  return ("waitgroup (%d)"):format(self.count)
end

--- Makes a wait group of nothing.
-- @treturn Waitgroup
function waitgroup.new()
  local none = new_event "waitgroup"
  event_set(none)
  return setmetatable({ count = 0, none = none }, meta)
end

--- Adds things to wait for.
-- @number[opt=1] n how many; may be negative, but what is left may not
function Waitgroup:add(n)
  n = n == nil and 1 or n
  if type(n) ~= "number" or n % 1 ~= 0 then
    core.bad_argument(n, "n", "add", "a whole number")
  elseif self.count + n < 0 then
    raise(("a wait group of %d has no %d to be done"):format(self.count, -n))
  end
  self.count = self.count + n
  if self.count == 0 then
    event_set(self.none)
  else
    event_clear(self.none)
  end
end

--- One of them is done; raises when none is left.
function Waitgroup:done()
  self:add(-1)
end

--- Names it, for `quoll.tasks()` and the dump.
-- @string[opt] text 23 bytes of which are kept
-- @treturn ?string its name
function Waitgroup:name(text)
  return event_name(self.none, text)
end

--- Waits until nothing is left.
-- @number[opt] s seconds at most; 0: only if it is so
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "timeout"
-- @treturn[2] string CODE
function Waitgroup:wait(s)
  return finish(event_wait(self.none, s))
end

return waitgroup
