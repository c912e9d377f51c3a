--- Rate limiters: a bucket of tokens that fills at a steady rate.
-- @module quoll.sync.limiter

local core = require "quoll.core"
local finish = require("quoll.wait").finish

local bad_argument, now, sleep = core.bad_argument, core.now, core.sleep
local lock, unlock = core.mutex.lock, core.mutex.unlock

local Limiter = {}
local meta = { __index = Limiter, __name = "limiter", __metatable = "limiter" }
local limiter = { methods = Limiter }

local function check(value, name, method, expected, good)
  if type(value) ~= "number" or not good then
    bad_argument(value, name, method, expected)
  end
end

--- Makes a limiter whose bucket is full.
-- @number rate tokens a second
-- @number[opt=1] burst tokens that the bucket holds
-- @treturn Limiter
function limiter.new(rate, burst)
  burst = burst == nil and 1 or burst
  check(rate, "rate", "limiter", "tokens a second, more than 0,",
    type(rate) == "number" and rate > 0)
  check(burst, "burst", "limiter", "tokens, more than 0,",
    type(burst) == "number" and burst > 0)
  return setmetatable({
    rate = rate,
    burst = burst,
    tokens = burst,
    filled = now(),
    turn = core.mutex.new "limiter",
  }, meta)
end

-- Seconds until there are k tokens; 0: they are taken.
local function take_or_need(self, k)
  local t = now()
  self.tokens = math.min(self.burst,
    self.tokens + (t - self.filled) * self.rate)
  self.filled = t
  if self.tokens < k then
    return (k - self.tokens) / self.rate
  end
  self.tokens = self.tokens - k
  return 0
end

-- The first in line: waits for the clock alone.
local function wait_for(self, k, deadline)
  local need = take_or_need(self, k)
  while need > 0 do
    local left = deadline - now()
    if left <= 0 then
      return nil, "timeout", "TIMEOUT"
    end
    finish(sleep(math.min(need, left)))
    need = take_or_need(self, k)
  end
  return true
end

local function pass(self, ok, ...)
  unlock(self.turn)
  if not ok then
    error((...), 0)
  end
  return ...
end

--- Takes tokens; waits for them. First come, first served, also when a later
-- one wants fewer.
-- @number[opt=1] k how many
-- @number[opt] s seconds at most; 0: only if they are there
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "timeout"
-- @treturn[2] string CODE
function Limiter:take(k, s)
  k = k == nil and 1 or k
  check(k, "k", "take", "tokens, more than 0 and no more than the burst,",
    type(k) == "number" and k > 0 and k <= self.burst)
  s = s == nil and math.huge or s
  check(s, "s", "take", "seconds, 0 or more,", type(s) == "number" and s >= 0)
  local deadline = now() + s
  local ok, err, code = finish(lock(self.turn, s))
  if not ok then
    return nil, err, code
  end
  return pass(self, pcall(wait_for, self, k, deadline))
end

return limiter
