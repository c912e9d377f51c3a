--- From a request to the answer that the caller gets: retries, cookies,
-- redirects.
-- @module quoll.http.client.follow

local core = require "quoll.core"
local exchange = require "quoll.http.client.exchange"
local redirect = require "quoll.http.client.redirect"
local request = require "quoll.http.client.request"
local response = require "quoll.http.client.response"
local retry = require "quoll.http.client.retry"
local sleep = require("quoll.task").sleep

local follow = {}

local REDIRECTS = 10

-- A connection out of the pool may die at any time: that is nobody's failure,
-- and a new one tells whether the server is there.
local function attempt(made)
  local res, err, code, stale = exchange.run(made)
  if res or not stale or not request.idempotent(made) then
    return res, err, code
  end
  return exchange.run(made, true)
end

-- The pause would be longer than what is left of the time.
local function too_late(made, pause)
  return core.now() + pause > made.ends
end

local function persist(made)
  local policy, n = retry.policy(made.opts.retries), 0
  while true do
    n = n + 1
    local res, err, code = attempt(made)
    local pause = request.idempotent(made)
      and retry.pause(policy, n, res, code)
    if not pause or too_late(made, pause) then
      return res, err, code
    elseif res then
      response.drain(res)
    end
    sleep(pause)
  end
end

local function keep_cookies(made, res)
  if made.opts.jar then
    for _, line in ipairs(res:header_values "set-cookie") do
      made.opts.jar:set(made.url, line)
    end
  end
end

-- The request that res asks for instead, as far as `left` redirects allow.
local function next_request(made, res, left)
  if left == nil then
    return nil
  end
  local following, err, code = redirect.follow(made, res.status,
    res:header "location")
  if following and left == 0 then
    following, err, code = nil, "too many redirects", "ELOOP"
  end
  if err then
    res:close()
  elseif following then
    response.drain(res)
  end
  return following, err, code
end

--- Sends a request, and those that the answers ask for instead.
-- @tparam table made of request.make
-- @treturn[1] Response
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function follow.run(made)
  local left = made.opts.redirects == nil and REDIRECTS or made.opts.redirects
  if left == false or left == 0 then
    left = nil -- a redirect is an answer as others are
  end
  while true do
    local res, err, code = persist(made)
    if not res then
      return nil, err, code
    end
    keep_cookies(made, res)
    made, err, code = next_request(made, res, left)
    if err then
      return nil, err, code
    elseif not made then
      return res
    end
    left = left - 1
  end
end

return follow
