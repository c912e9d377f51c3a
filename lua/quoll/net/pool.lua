--- Pools: connections that stay open between their users.
-- A step of `quoll.connect`; see `Connection:setkeepalive`.
-- Source: bindings/net/lease.c, keepalive.c; runtime/keepalive/keepalive.c
-- @module quoll.net.pool

local core = require "quoll.core"
local finish = require("quoll.wait").finish
local options = require "quoll.options"
local stop = require "quoll.stop"

local raw = core.connection
local take, attach = core.keepalive.take, core.keepalive.attach

local Connection = core.methods.connection

local pool = {}

local POOL = { name = "string", size = true, backlog = true, max_idle = true }
local NOTHING = {}
local DEPTH = 8 -- of tables whose contents tell connections apart

-- What is told apart by identity gets a number that is never given again.
local numbers, last = setmetatable({}, { __mode = "k" }), 0

local function number_of(object)
  if not numbers[object] then
    last = last + 1
    numbers[object] = last
  end
  return numbers[object]
end

-- Equal for equal options, different for different ones: each text is preceded
-- by its length.
local function describe(value, depth)
  local kind = type(value)
  local text
  if kind == "string" or kind == "number" or kind == "boolean" then
    text = tostring(value)
  elseif kind == "table" and not getmetatable(value) and depth < DEPTH then
    local parts = {}
    for k, v in pairs(value) do
      parts[#parts + 1] = describe(k, depth + 1) .. describe(v, depth + 1)
    end
    table.sort(parts)
    text = table.concat(parts)
  else
    kind, text = "object", tostring(number_of(value))
  end
  return ("%s %d:%s"):format(kind, #text, text)
end

-- The part up to the zero byte is for people: quoll.stats().
local function key_of(label, opts)
  local details = {}
  for name, value in pairs(opts) do
    if name ~= "pool" and name ~= "timeout" then
      details[#details + 1] = name .. "=" .. describe(value, 1)
    end
  end
  table.sort(details)
  return details[1] and label .. "\0" .. table.concat(details, ",") or label
end

local function settings(given)
  if given == true then
    return NOTHING
  elseif type(given) == "string" then
    return { name = given }
  elseif type(given) ~= "table" then
    core.bad_argument(given, "pool", "connect", "true, a name or a table")
  end
  return options.check(given, POOL, "connect")
end

-- What open() returned, or raised: a connection of the pool, or room for
-- another.
local function opened(lease, ok, conn, ...)
  if ok and conn then
    attach(lease, conn)
    return conn, ...
  end
  lease:close()
  if not ok then
    error(conn, 0)
  end
  return conn, ...
end

--- A kept connection, else a new one; waits for room in a pool with a backlog.
-- @string address see `quoll.connect`
-- @tparam table opts those of `quoll.connect`
-- @func open open(address, opts): makes one
-- @treturn[1] Connection the connection
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function pool.connect(address, opts, open)
  local given = settings(opts.pool)
  local key = key_of(given.name or address, opts)
  local conn, lease, code =
    finish(take(key, given.size, given.backlog, given.max_idle))
  if conn ~= false then
    return conn, lease, code
  end
  return opened(lease, pcall(open, address, opts))
end

stop.hook(core.keepalive.drop)

--- Gives the connection back to its pool, for the next who connects there. It
-- is closed for who calls. Only one that `quoll.connect` opened with `pool` has
-- a pool; and nothing may be under way or have been left by its user: after a
-- failure it is as it was, and best closed.
-- @function Connection:setkeepalive
-- @number[opt] max_idle seconds that it may stay there unused; 0 or math.huge:
-- no limit; default that of the pool
-- @int[opt] size of the pool, unless it has been set
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "closed", also when the peer closed it; "unread data in
-- buffer"; "connection in dubious state": the peer has sent more; "invalid
-- connection": its last read or send failed; "busy reading|writing";
-- "connection has no pool"
-- @treturn[2] string CODE
Connection.setkeepalive = raw.setkeepalive

--- How often it has been taken out of a pool.
-- @function Connection:getreusedtimes
-- @treturn[1] int times
-- @treturn[2] nil
-- @treturn[2] string "closed"
-- @treturn[2] string CODE
Connection.getreusedtimes = raw.getreusedtimes

return pool
