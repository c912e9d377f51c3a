--- Waiting for what another library has made: objects that say, as those of
-- cqueues do, which descriptor they wait for (`pollfd`), for what (`events`)
-- and for how long at most (`timeout`). Each is a method or a plain field, and
-- is asked once, when the wait begins.
-- @module quoll.task.pollable

local bit = require "bit"
local core = require "quoll.core"
local finish = require("quoll.wait").finish

local huge = math.huge

local POLLIN, POLLOUT = 1, 4 -- of the masks that events may be

local MODES = { r = "r", w = "w", rw = "rw", wr = "rw", [""] = false }

local pollable = {}

-- The object's word on one of the three.
local function ask(object, name)
  local value = object[name]
  if type(value) == "function" then
    return value(object)
  end
  return value
end

local function refuse(method, name, expected, value)
  core.raise(("bad argument 'object' to '%s' (its %s: %s expected, got %s)")
    :format(method, name, expected, type(value) == "string"
      and ("'%s'"):format(value) or type(value)))
end

-- nil: none.
local function descriptor(object, method)
  local fd = ask(object, "pollfd")
  if fd == nil or type(fd) == "number" and fd < 0 then
    return nil
  elseif type(fd) ~= "number" or fd % 1 ~= 0 then
    refuse(method, "pollfd", "a descriptor", fd)
  end
  return fd
end

-- "r", "w", "rw"; false: nothing.
local function mode(object, method)
  local events = ask(object, "events")
  if type(events) == "number" then
    events = (bit.band(events, POLLIN) ~= 0 and "r" or "")
      .. (bit.band(events, POLLOUT) ~= 0 and "w" or "")
  end
  local found = MODES[events or ""]
  if found == nil then
    refuse(method, "events", "'r', 'w' or 'rw'", events)
  end
  return found
end

-- Seconds.
local function timeout(object, method)
  local s = ask(object, "timeout")
  if s == nil then
    return huge
  elseif type(s) ~= "number" or s ~= s then
    refuse(method, "timeout", "seconds", s)
  end
  return math.max(s, 0)
end

--- Whether an object can be waited for.
-- @tparam any object
-- @treturn boolean
function pollable.is(object)
  local kind = type(object)
  if kind == "table" then
    return object.pollfd ~= nil
  elseif kind ~= "userdata" and kind ~= "cdata" then
    return false
  end
  local ok, found = pcall(function() return object.pollfd end)
  return ok and found ~= nil
end

--- What an object waits for; raises when it says so in no known way.
-- @tparam any object
-- @string method name of the function the script called
-- @treturn ?number its descriptor; nil: it waits for none
-- @treturn ?string "r", "w", "rw"
-- @treturn number seconds, math.huge: no limit
function pollable.look(object, method)
  local fd, wanted = descriptor(object, method), mode(object, method)
  if not (fd and wanted) then
    fd, wanted = nil, nil
  end
  return fd, wanted, timeout(object, method)
end

local function until_due(due, s)
  finish(core.sleep(math.min(due, s)))
  if due <= s then
    return "due"
  end
  return nil, "timeout", "TIMEOUT"
end

--- Waits for an object of another library that has `pollfd`, `events` and
-- `timeout`, as those of cqueues: until its descriptor is ready or its timeout
-- is over. Then it wants to be stepped.
-- @tparam any object
-- @number[opt] s seconds
-- @treturn[1] string "r", "w" or "rw": what its descriptor is ready for; "due":
-- its timeout is over
-- @treturn[2] nil
-- @treturn[2] string "timeout" after s seconds; err
-- @treturn[2] string CODE
function pollable.wait(object, s)
  if not pollable.is(object) then
    core.bad_argument(object, "object", "wait", "an object with pollfd")
  end
  local limit = s == nil and huge or s
  if type(limit) ~= "number" or limit ~= limit or limit < 0 then
    core.bad_argument(s, "s", "wait", "seconds, 0 or more,")
  end
  local fd, wanted, due = pollable.look(object, "wait")
  if not fd then
    return until_due(due, limit)
  end
  local how, err, code = finish(core.waitfd(fd, wanted, math.min(due, limit)))
  if code == "TIMEOUT" and due <= limit then
    return "due"
  end
  return how, err, code
end

return pollable
