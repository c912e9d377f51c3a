--- Semaphores: a number of permits.
-- Source: bindings/sync/semaphore.c
-- @module quoll.sync.semaphore

local core = require "quoll.core"
local finish = require("quoll.wait").finish

local raw = core.semaphore
local core_acquire = raw.acquire

local Semaphore = core.methods.semaphore
local semaphore = {}

--- Makes a semaphore.
-- @number n its permits, all free
-- @treturn Semaphore no task owns it
-- @function semaphore
semaphore.new = raw.new

--- Takes permits; waits for them. First come, first served, also when a later
-- one wants fewer.
-- @number[opt=1] k how many
-- @number[opt] s seconds at most; 0: only if they are free
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "timeout" or "closed"
-- @treturn[2] string CODE
function Semaphore:acquire(k, s)
  return finish(core_acquire(self, k, s))
end

--- Gives permits back, from any task; raises when fewer are taken.
-- @number[opt=1] k how many
-- @treturn boolean true
-- @function Semaphore:release
Semaphore.release = raw.release

--- How many permits are free.
-- @treturn number
-- @function Semaphore:permits
Semaphore.permits = raw.permits

--- Names it: `quoll.tasks()` and the dump tell who waits for it by its name,
-- else by the line that made it.
-- @function Semaphore:name
-- @string[opt] text 23 bytes of which are kept
-- @treturn ?string its name
Semaphore.name = core.semaphore.name

return semaphore
