--- Pools: a function that runs in so many tasks at a time, at most.
-- @module quoll.sync.pool

local core = require "quoll.core"
local finish = require("quoll.wait").finish

local bad_argument = core.bad_argument
local spawn, task_own = core.spawn, core.task_own
local raw = core.semaphore
local acquire, new_permit, idle = raw.acquire, raw.permit, raw.idle
local close_semaphore = core.methods.semaphore.close
local options = require "quoll.options"

local Pool = {}
local meta = { __index = Pool, __name = "pool", __metatable = "pool" }
local pool = { methods = Pool }
local weak = { __mode = "k" }

--- Makes a pool.
-- @number n runs at a time, at most
-- @func fn
-- @tparam ?table opts `timeout`: seconds that `submit` waits for room at most
-- @treturn Pool
function pool.new(n, fn, opts)
  if type(n) ~= "number" or n < 1 or n % 1 ~= 0 then
    bad_argument(n, "n", "pool", "a whole number from 1 up")
  elseif type(fn) ~= "function" then
    bad_argument(fn, "fn", "pool", "a function")
  end
  opts = options.check(opts, { timeout = "number" }, "pool")
  options.check_timeout(opts.timeout, "pool")
  return setmetatable({
    room = raw.new(n, "pool"), fn = fn, timeout = opts.timeout,
    permits = setmetatable({}, weak), -- by their task, whose hold is weak
  }, meta)
end

--- Starts fn(...) in a task of the caller's scope; waits until fewer than n
-- run. First come, first served.
-- @tparam[opt] any ... fn's arguments
-- @treturn[1] Task :wait() returns fn's results or raises its error
-- @treturn[2] nil
-- @treturn[2] string "closed" or "timeout"
-- @treturn[2] string CODE
function Pool:submit(...)
  local ok, err, code = finish(acquire(self.room, 1, self.timeout))
  if not ok then
    return nil, err, code
  end
  local permit = new_permit(self.room)
  local task = spawn(self.fn, ...)
  task_own(permit, task)
  self.permits[task] = permit
  return task
end

--- Names it, for `quoll.tasks()` and the dump.
-- @string[opt] text 23 bytes of which are kept
-- @treturn ?string its name
function Pool:name(text)
  return raw.name(self.room, text)
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
