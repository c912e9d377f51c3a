--- Waits for the first of several things.
-- Source: bindings/sync/select.c
-- @module quoll.sync.select

local core = require "quoll.core"
local finish = require("quoll.wait").finish
local pollable = require "quoll.task.pollable"

local core_select = core.select
local huge = math.huge

-- What a Lua object waits with.
local INSIDE = { subscription = "channel", waitgroup = "none" }

local select = {}

local Set = {}
Set.__index = Set

function Set:add(object, key)
  local n = #self.keys + 1
  self.objects[n], self.keys[n] = object, key
end

-- An object of another library: ready when its descriptor is, or when its
-- timeout is over.
function Set:add_foreign(object, key)
  local fd, mode, timeout = pollable.look(object, "select")
  if timeout == 0 then
    fd, mode = -1, "r"
  elseif timeout < self.due then
    self.due, self.first = timeout, key
  end
  if fd then
    self:add(core.pollable(fd, mode), key)
  end
end

local function collect(set)
  local found = setmetatable({ objects = { [0] = set }, keys = {}, due = huge },
    Set)
  for key, object in pairs(set) do
    local inside = type(object) == "table" and INSIDE[getmetatable(object)]
    if inside then
      found:add(object[inside], key)
    elseif pollable.is(object) then
      found:add_foreign(object, key)
    else
      found:add(object, key)
    end
  end
  return found
end

-- Until the first of the timeouts of foreign objects is over.
local function until_due(found, s)
  local limit = s or huge
  if not (type(limit) == "number" and found.due <= limit) then
    return finish(core_select(found.objects, found.keys, s))
  end
  local key, err, code = finish(core_select(found.objects, found.keys,
    found.due))
  if code == "TIMEOUT" then
    return found.first
  end
  return key, err, code
end

--- Waits until one of several objects is ready, and takes nothing out of it: a
-- channel or subscription to receive from, a connection to read (also its end),
-- a listener to accept from, a task that has ended, a semaphore with a free
-- permit, an event that is set, a wait group with nothing left, an object of
-- another library (as for quoll.wait). What is closed is ready. When several
-- are, each has the same chance.
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
  local found = collect(set)
  if found.due < huge then
    return until_due(found, s)
  end
  return finish(core_select(found.objects, found.keys, s))
end

return select
