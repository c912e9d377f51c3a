--- Pools: a function that runs in so many tasks at a time, at most.
-- @module quoll.sync.pool

local core = require "quoll.core"
local finish = require("quoll.wait").finish

local bad_argument = core.bad_argument
local spawn, task_own = core.spawn, core.task_own
local raw = core.semaphore
local acquire, new_permit, idle = raw.acquire, raw.permit, raw.idle
local close_semaphore = core.methods.semaphore.close

local Pool = {}
local meta = { __index = Pool, __name = "pool", __metatable = "pool" }
local pool = { methods = Pool }
local weak = { __mode = "k" }

--- Makes a pool.
-- @number n runs at a time, at most
-- @func fn
-- @treturn Pool
function pool.new(n, fn)
  if type(n) ~= "number" or n < 1 or n % 1 ~= 0 then
    bad_argument(n, "n", "pool", "a whole number from 1 up")
  elseif type(fn) ~= "function" then
    bad_argument(fn, "fn", "pool", "a function")
  end
  return setmetatable({
    room = raw.new(n), fn = fn,
    permits = setmetatable({}, weak), -- by their task, whose hold is weak
  }, meta)
end

--- Starts fn(...) in a task of the caller's scope; waits until fewer than n
-- run. First come, first served.
-- @param[opt] ... fn's arguments
-- @treturn[1] task :wait() returns fn's results or raises its error
-- @treturn[2] nil
-- @treturn[2] string "closed"
-- @treturn[2] string CODE
function Pool:submit(...)
  local ok, err, code = finish(acquire(self.room))
  if not ok then
    return nil, err, code
  end
  local permit = new_permit(self.room)
  local task = spawn(self.fn, ...)
  task_own(permit, task)
  self.permits[task] = permit
  return task
end

--- Nothing more can be submitted; what runs goes on.
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "closed": it was
-- @treturn[2] string CODE
function Pool:close()
  return close_semaphore(self.room)
end

--- Waits until nothing runs.
-- @number[opt] s seconds at most; 0: only if it is so
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "timeout"
-- @treturn[2] string CODE
function Pool:wait(s)
  return finish(idle(self.room, s))
end

return pool
