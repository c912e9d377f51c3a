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

-- An attempt after the other, as long as there are addresses.
local function run(s, race, dial)
  while not race.won do
    local address = table.remove(race.untried, 1)
    race.wake:clear()
    if address then
      race.begun = race.begun + 1
      s:spawn(try, race, dial, address)
      local more = race.untried[1] or race.coming
      race.wake:wait(more and DELAY or nil)
    elseif race.begun > race.ended or race.coming then
      race.idle = true
      race.wake:wait()
      race.idle = false
    else
      return
    end
  end
  decide(s)
end

local Race = {}
Race.__index = Race

--- Addresses that come late; the next one to try is of theirs.
function Race:add(addresses)
  local all = { unpack(addresses) }
  for _, address in ipairs(self.untried) do
    all[#all + 1] = address
  end
  self.untried, self.coming = attempts.alternate(all), false
  if self.idle then
    self.wake:set()
  end
end

-- Runs fn(scope, race, ...), in which attempts are made.
local function compete(fn, ...)
  local race = setmetatable({ wake = event.new(), untried = {}, begun = 0,
    ended = 0, coming = false, idle = false }, Race)
  local ok, err = pcall(scope, fn, race, ...)
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

local function try_all(s, race, addresses, dial)
  race.untried = { unpack(addresses) }
  run(s, race, dial)
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
  return compete(try_all, addresses, dial)
end

local function find_and_try(s, race, host, dial)
  local addresses, err, code =
    require("quoll.dns.early").resolve(s, host, race)
  if addresses then
    race.untried = attempts.alternate(addresses)
    run(s, race, dial)
  else
    race.err, race.code = err, code
  end
end

--- The same with the addresses of a host: attempts begin with those of the
-- family that is known first.
-- @string host
-- @func dial see `attempts.first`
function attempts.named(host, dial)
  return compete(find_and_try, host, dial)
end

return attempts
