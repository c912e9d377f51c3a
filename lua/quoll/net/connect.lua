--- Opening connections: a pool that has one, names, addresses, TLS.
-- Each step is a function of its own, and all of them together have the time
-- of `opts.timeout`. An address that needs none of them is one operation.
-- @module quoll.net.connect

local core = require "quoll.core"
local handshake = require "quoll.tls.handshake"
local pool = require "quoll.net.pool"
local proxy = require "quoll.net.proxy.client"
local scope = require "quoll.task.scope"
local finish = require("quoll.wait").finish
local options = require "quoll.options"

local core_connect = core.connect
local mark, take = core.mark, core.take

local connect = {}

local CONNECT = { timeout = "number", bind = "string", tls = true, pool = true,
  options = "table", proxy = true }

local function host_of(address)
  if address:find("^unix:") then
    return ""
  end
  return address:match("^%[(.*)%]:%d+$") or address:match("^(.*):%d+$") or ""
end

-- What a step on conn returned, or raised: conn, or nobody keeps it.
local function stepped(conn, ok, done, ...)
  if ok and done then
    return conn
  end
  conn:close()
  if not ok then
    error(done, 0)
  end
  return done, ...
end

local function dial(address, opts)
  return finish(core_connect(address, nil, opts.bind, opts.options))
end

-- core.connect says at once that it knows no such host when it is a name.
local function dial_name(address, opts)
  local attempts = require "quoll.net.attempts"
  local host, port = address:match "^(.*):(%d+)$"
  local function dial_ip(ip)
    local form = ip:find(":", 1, true) and "[%s]:%s" or "%s:%s"
    return dial(form:format(ip, port), opts)
  end
  if not opts.bind then
    return attempts.named(host, dial_ip)
  end
  -- As far as the socket could be bound for them.
  local addresses, err, code = require("quoll.dns").resolve(host,
    { family = opts.bind:find("^%[") and "inet6" or "inet" })
  if not addresses then
    return nil, err, code
  end
  return attempts.first(attempts.alternate(addresses), dial_ip)
end

local function open(address, opts)
  local conn, err, code = dial(address, opts)
  if code == "ENOTFOUND" then
    conn, err, code = dial_name(address, opts)
  end
  if conn and opts.proxy then
    conn, err, code = stepped(conn, pcall(proxy.send, conn, opts.proxy))
  end
  if conn and opts.tls then
    return stepped(conn,
      pcall(handshake.start, conn, opts.tls, host_of(address)))
  end
  return conn, err, code
end

-- Before anything is opened.
local function check(address, opts)
  if type(address) ~= "string" then
    core.bad_argument(address, "address", "connect", "an address")
  end
  if opts.proxy then
    proxy.check(opts.proxy)
  end
  if opts.tls then
    handshake.check(opts.tls, host_of(address))
  end
  options.check_timeout(opts.timeout, "connect")
end

-- The deadline is ours: who called knows it as a timeout.
local function timed(conn, err, code, ...)
  if not conn and code == "DEADLINE" then
    return nil, err, "TIMEOUT"
  end
  return conn, err, code, ...
end

local function compose(address, opts)
  check(address, opts)
  local first, rest = open, nil
  if opts.pool then
    first, rest = pool.connect, open
  end
  if opts.timeout then
    return timed(scope.deadline(opts.timeout, first, address, opts, rest))
  end
  return first(address, opts, rest)
end

--- Opens a connection.
-- @string address "host:port", "[::1]:port", "unix:/path" or "unix:@name". The
-- addresses of a host name are tried in turn, 250 ms apart or when one has
-- failed, from the family on that is known first (IPv4 waits 50 ms for IPv6);
-- the first that connects wins
-- @tparam ?table opts `timeout`: seconds for all of it, default none;
-- `bind`: address to connect from; `options`: a table of socket options, set
-- before the connection is made, as `Connection:setoption` takes them;
-- `pool`: true, a name, or a table of `name`, `size`, `backlog`, `max_idle`:
-- takes a kept connection if there is one; `proxy`: "v1", "v2" or a table:
-- sends a header of the PROXY protocol first, see docs/API.md
-- @treturn[1] Connection the connection, owned by the running task
-- @treturn[2] nil
-- @treturn[2] string "timeout", "connection refused", "host not found", ...
-- @treturn[2] string CODE
function connect.connect(address, opts)
  opts = options.check(opts, CONNECT, "connect")
  if opts.tls or opts.pool or opts.proxy then
    return compose(address, opts)
  end
  local conn, err, code = core_connect(address, opts.timeout, opts.bind,
    opts.options)
  if conn == mark then
    return take(err)
  elseif code == "ENOTFOUND" then
    return compose(address, opts)
  end
  return conn, err, code
end

return connect
