--- Events: flags that tasks wait for.
-- Source: bindings/sync/event.c
-- @module quoll.sync.event

local core = require "quoll.core"
local finish = require("quoll.wait").finish

local raw = core.event
local core_wait = raw.wait

local Event = core.methods.event
local event = {}

--- Makes an event that is not set.
-- @treturn Event no task owns it
-- @function event
event.new = raw.new

--- Sets it. Who waits now goes on, also when it is cleared at once.
-- @function Event:set
Event.set = raw.set

--- Clears it: who comes now waits.
-- @function Event:clear
Event.clear = raw.clear

--- Is it set?
-- @treturn boolean
-- @function Event:isset
Event.isset = raw.isset

--- Waits until it is set.
-- @number[opt] s seconds at most; 0: only if it is
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "timeout" or "closed"
-- @treturn[2] string CODE
function Event:wait(s)
  return finish(core_wait(self, s))
end

--- Names it: `quoll.tasks()` and the dump tell who waits for it by its name,
-- else by the line that made it.
-- @function Event:name
-- @string[opt] text 23 bytes of which are kept
-- @treturn ?string its name
Event.name = core.event.name

return event
