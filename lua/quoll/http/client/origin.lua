--- Connections to origins: through a proxy, with TLS, out of a pool.
-- A pool is for one scheme, host, port, proxy and kind of TLS.
-- @module quoll.http.client.origin

local connect = require("quoll.net.connect").connect
local core = require "quoll.core"
local fields = require "quoll.http.client.request.fields"
local handshake = require "quoll.tls.handshake"
local message = require "quoll.http.client.message"
local options = require "quoll.options"
local pool = require "quoll.net.pool"
local proxy = require "quoll.http.client.proxy"
local url = require "quoll.http.client.url"

local origin = {}

local POOL = { name = "string", size = true, backlog = true, max_idle = true }

-- Has the proxy open a way to the target.
local function tunnel(conn, target, via)
  local place = url.address(target)
  local head = { "CONNECT ", place, " HTTP/1.1\r\nHost: ", place, "\r\n" }
  local credentials = proxy.credentials(via)
  if credentials then
    head[#head + 1] = "Proxy-Authorization: " .. credentials .. "\r\n"
  end
  head[#head + 1] = "\r\n"
  local ok, err, _, code = conn:send(head)
  if not ok then
    return nil, "proxy: " .. err, code
  end
  local answer
  answer, err, code = message.receive(conn, "CONNECT")
  if not answer then
    return nil, "proxy: " .. err, code
  elseif answer.status < 200 or answer.status > 299 then
    return nil, ("proxy: %d %s"):format(answer.status, answer.reason), "EPROXY"
  end
  return message.leave(conn)
end

-- What is between a new connection and its use.
local function prepare(conn, request, via)
  local ok, err, code = true, nil, nil
  if via and proxy.tunnels(request.url) then
    ok, err, code = tunnel(conn, request.url, via)
  end
  if ok and url.secure(request.url) then
    ok, err, code = handshake.start(conn, request.opts.tls or true,
      request.url.host)
  end
  return ok, err, code
end

-- conn, or nobody keeps it.
local function prepared(conn, done, ok, ...)
  if done and ok then
    return conn
  end
  conn:close()
  if not done then
    error(ok, 0)
  end
  return nil, ...
end

local function opener(request, via)
  return function(address)
    local conn, err, code = connect(address, { bind = request.opts.bind })
    if not conn then
      return nil, via and "proxy: " .. err or err, code
    end
    return prepared(conn, pcall(prepare, conn, request, via))
  end
end

local function pool_settings(given, label)
  if given == true or given == nil then
    return { name = label }
  elseif type(given) == "string" then
    return { name = given .. " " .. label }
  end
  local copy = fields.copy(given)
  copy.name = given.name and given.name .. " " .. label or label
  return copy
end

--- Raises on options that connections cannot be made with.
function origin.check(request)
  local opts = request.opts
  if url.secure(request.url) then
    handshake.check(opts.tls or true, request.url.host)
  end
  local kind = type(opts.pool)
  if kind == "table" then
    options.check(opts.pool, POOL, "request")
  elseif kind ~= "nil" and kind ~= "boolean" and kind ~= "string" then
    core.bad_argument(opts.pool, "pool", "request",
      "a boolean, a name or a table")
  end
end

-- A connection, maybe one of the pool.
local function take(request, via, address, open)
  local opts, to = request.opts, request.url
  -- Through a proxy plain requests for all origins share what is open.
  local label = url.origin(via and not proxy.tunnels(to) and via or to)
  return pool.connect(address, {
    pool = pool_settings(opts.pool, label),
    tls = url.secure(to) and (opts.tls or true) or nil,
    bind = opts.bind,
    via = via and { url.address(via), via.user, via.password },
    unix = opts.unix,
  }, open)
end

--- A connection that the request can be sent on.
-- @tparam table request
-- @tparam ?table via parsed URL of the proxy
-- @tparam ?boolean fresh none that has been used before: where one has died,
-- those beside it are no better, and are closed
-- @treturn[1] Connection
-- @treturn[2] nil
-- @treturn[2] string err; "proxy: ..."
-- @treturn[2] string CODE
function origin.connect(request, via, fresh)
  local opts = request.opts
  local address = opts.unix and "unix:" .. opts.unix:gsub("^unix:", "")
    or url.address(via or request.url)
  local open = opener(request, via)
  if opts.pool == false then
    return open(address)
  end
  local conn, err, code = take(request, via, address, open)
  while conn and fresh and conn:getreusedtimes() ~= 0 do
    conn:close()
    conn, err, code = take(request, via, address, open)
  end
  return conn, err, code
end

return origin
