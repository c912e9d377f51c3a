--- Opening connections: the address, then the socket.
-- @module quoll.net.connect

local core = require "quoll.core"
local finish = require("quoll.wait").finish
local options = require "quoll.options"

local core_connect, raise = core.connect, core.raise

local connect = {}

local CONNECT = { timeout = "number", bind = "string", tls = true, pool = true }

--- Opens a connection.
-- @string address "host:port", "[::1]:port", "unix:/path" or "unix:@name";
-- host is an IP address or "localhost"
-- @tparam ?table opts `timeout`: seconds for connecting, default none;
-- `bind`: address to connect from
-- @treturn[1] Connection the connection, owned by the running task
-- @treturn[2] nil
-- @treturn[2] string "timeout", "connection refused", "host not found", ...
-- @treturn[2] string CODE
function connect.connect(address, opts)
  opts = options.check(opts, CONNECT, "connect")
  if opts.tls or opts.pool then
    raise(("bad argument 'options' to 'connect' ('%s' is not available)")
      :format(opts.tls and "tls" or "pool"))
  end
  return finish(core_connect(address, opts.timeout, opts.bind))
end

return connect
