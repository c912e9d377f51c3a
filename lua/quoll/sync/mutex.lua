--- Mutexes: locks that tasks hold.
-- Source: bindings/sync/mutex.c
-- @module quoll.sync.mutex

local core = require "quoll.core"
local finish = require("quoll.wait").finish

local bad_argument = core.bad_argument
local raw = core.mutex
local core_lock, core_unlock, holds = raw.lock, raw.unlock, raw.holds

local Mutex = core.methods.mutex
local mutex = {}

--- Makes a mutex.
-- @treturn Mutex
-- @function mutex
mutex.new = raw.new

--- Locks it; waits for the lock. First come, first served. Raises when this
-- task holds it.
-- @number[opt] s seconds at most; 0: only if it is free
-- @treturn[1] boolean true
-- @treturn[1] ?string "abandoned": its last holder ended without unlocking it
-- @treturn[2] nil
-- @treturn[2] string "timeout"
-- @treturn[2] string CODE
function Mutex:lock(s)
  return finish(core_lock(self, s))
end

--- Unlocks it; raises in a task that does not hold it.
-- @function Mutex:unlock
Mutex.unlock = core_unlock

local function unlock(self, ok, ...)
  if holds(self) then
    core_unlock(self)
  end
  if not ok then
    error((...), 0)
  end
  return ...
end

local function with(self, s, fn, ...)
  if fn == nil then
    bad_argument(fn, "fn", "with", "a function")
  end
  local ok, err, code = finish(core_lock(self, s))
  if not ok then
    return nil, err, code
  end
  return unlock(self, pcall(fn, ...))
end

--- Calls fn(...) with the lock held, and unlocks it by whatever path fn ends.
-- @tparam any ... seconds that it waits for the lock at most, 0: only if it is
-- free, which may be left out; fn; its arguments
-- @treturn[1] any ... fn's results; its error is raised
-- @treturn[2] nil
-- @treturn[2] string "timeout": fn has not been called
-- @treturn[2] string CODE
function Mutex:with(...)
  local s = ...
  if type(s) ~= "number" then
    return with(self, nil, ...)
  elseif s < 0 or s ~= s then
    bad_argument(s, "s", "with", "seconds, 0 or more,")
  end
  return with(self, ...)
end

--- Names it: `quoll.tasks()` and the dump tell who waits for it by its name,
-- else by the line that made it.
-- @function Mutex:name
-- @string[opt] text 23 bytes of which are kept
-- @treturn ?string its name
Mutex.name = core.mutex.name

return mutex
