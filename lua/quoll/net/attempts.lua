--- A connection to one of several addresses: RFC 8305, "happy eyeballs".
-- Families take turns; the next attempt begins when the last has failed or
-- has taken a while; the first that connects ends the others.
-- @module quoll.net.attempts

local core = require "quoll.core"
local event = require "quoll.sync.event"
local scope = require("quoll.task.scope").scope

local decide = core.scope_decide

local attempts = {}

local DELAY = 0.25 -- s between two attempts

-- They say more of this machine than of the other one.
local LOCAL = { ENETUNREACH = true, EHOSTUNREACH = true, EADDRNOTAVAIL = true,
  EAFNOSUPPORT = true, EINVAL = true }

--- Puts addresses into the order in which to try them: the families take
-- turns, each in the order given.
-- @tparam {string,...} addresses IP addresses
-- @treturn {string,...}
function attempts.alternate(addresses)
  local inet, inet6 = {}, {}
  for _, address in ipairs(addresses) do
    table.insert(address:find(":", 1, true) and inet6 or inet, address)
  end
  local one, other = inet, inet6
  if addresses[1] == inet6[1] then
    one, other = inet6, inet
  end
  local list = {}
  for i = 1, math.max(#one, #other) do
    list[#list + 1] = one[i]
    list[#list + 1] = other[i]
  end
  return list
end

-- One attempt, in a task of its own. A connection that comes too late is
-- nobody's.
local function try(race, dial, address)
  local conn, err, code = dial(address)
  if race.won then
    return conn and conn:close() and nil
  end
  race.won = conn
  race.ended = race.ended + 1
  if not conn and (not race.code or not LOCAL[code] or LOCAL[race.code]) then
    race.err, race.code = err, code
  end
  race.wake:set()
  return conn
end

local function run(s, race, addresses, dial)
  for i, address in ipairs(addresses) do
    race.wake:clear()
    s:spawn(try, race, dial, address)
    race.wake:wait(i < #addresses and DELAY or nil)
    if race.won then
      break
    end
  end
  while not race.won and race.ended < #addresses do
    race.wake:clear()
    race.wake:wait()
  end
  if race.won then
    decide(s)
  end
end

--- Tries the addresses; the losers are closed when it returns.
-- @tparam {string,...} addresses in order
-- @func dial address -> connection | nil, err, CODE; waits
-- @treturn[1] Connection owned by the running task
-- @treturn[2] nil
-- @treturn[2] string err of the last attempt, or of the last one that got
-- as far as the network
-- @treturn[2] string CODE
function attempts.first(addresses, dial)
  if #addresses == 1 then
    return dial(addresses[1])
  end
  local race = { wake = event.new(), ended = 0 }
  local ok, err = pcall(scope, run, race, addresses, dial)
  if not ok then
    if race.won then
      race.won:close()
    end
    error(err, 0)
  elseif race.won then
    return race.won
  end
  return nil, race.err, race.code
end

return attempts
