--- Waits for the first of several things.
-- Source: bindings/sync/select.c
-- @module quoll.sync.select

local core = require "quoll.core"
local finish = require("quoll.wait").finish

local core_select = core.select

-- What a Lua object waits with.
local INSIDE = { subscription = "channel", waitgroup = "none" }

local select = {}

--- Waits until one of several objects is ready, and takes nothing out of it: a
-- channel or subscription to receive from, a connection to read (also its end),
-- a listener to accept from, a task that has ended, a semaphore with a free
-- permit, an event that is set, a wait group with nothing left. What is closed
-- is ready. When several are, each has the same chance.
-- @tparam table set {[key] = object}
-- @number[opt] s seconds at most; 0: only if one is ready
-- @treturn[1] any the key of one that is ready
-- @treturn[2] nil
-- @treturn[2] string "timeout", or "busy reading": another task reads from one
-- of the connections
-- @treturn[2] string CODE
function select.select(set, s)
  if type(set) ~= "table" then
    core.bad_argument(set, "set", "select", "a table")
  elseif next(set) == nil then
    core.raise "bad argument 'set' to 'select' (it is empty)"
  end
  local objects, keys, n = { [0] = set }, {}, 0
  for key, object in pairs(set) do
    n = n + 1
    local inside = type(object) == "table" and INSIDE[getmetatable(object)]
    objects[n] = inside and object[inside] or object
    keys[n] = key
  end
  return finish(core_select(objects, keys, s))
end

return select
