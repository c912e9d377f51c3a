--- Retries: which failures are worth another attempt, and after how long.
-- @module quoll.http.client.retry

local core = require "quoll.core"
local date = require "quoll.http.client.jar.date"
local options = require "quoll.options"

local retry = {}

local RETRIES = { times = "number", backoff = "number", max = "number" }

-- "Too many requests", and what says that another time it may work.
local STATUSES = { [429] = true, [502] = true, [503] = true, [504] = true }

-- They would come again: the caller's, or time is over.
local FINAL = { TIMEOUT = true, DEADLINE = true, CANCELLED = true,
  OWNER_ENDED = true, EMSGSIZE = true, EPERM = true, ELOOP = true }

--- What the caller says about retries.
-- @tparam nil|number|table given how often; or `times`, `backoff` (s before
-- the first, 0.2; each further one twice as long), `max` (s between two, 30)
-- @treturn table
function retry.policy(given)
  if type(given) == "number" then
    given = { times = given }
  end
  given = options.check(given, RETRIES, "request")
  local policy = { times = given.times or 0, backoff = given.backoff or 0.2,
    max = given.max or 30 }
  for name, value in pairs(policy) do
    if value < 0 or value ~= value then
      core.bad_argument(value, name, "request", "0 or more")
    end
  end
  return policy
end

-- Seconds that the server asks for.
local function asked(text)
  if text and text:find "^%d+$" then
    return tonumber(text)
  end
  local at = text and date.parse(text)
  return at and math.max(at - core.time(), 0)
end

--- How long to wait before another attempt.
-- @tparam table policy
-- @int n attempts so far
-- @tparam ?table answer status, header(name); nil: there was none
-- @tparam ?string code of the failure
-- @treturn ?number seconds; nil: there is no other attempt
function retry.pause(policy, n, answer, code)
  if n > policy.times or answer and not STATUSES[answer.status]
    or not answer and FINAL[code] then
    return nil
  end
  local wanted = answer and asked(answer:header "retry-after")
  if wanted then
    return wanted <= policy.max and wanted or nil
  end
  -- Clients that have failed together do not come back together.
  local pause = math.min(policy.backoff * 2 ^ (n - 1), policy.max)
  return pause * (0.5 + math.random() / 2)
end

return retry
