--- The PROXY protocol: telling a server about the client whose connection is
-- passed on. A step of `quoll.connect`.
-- @module quoll.net.proxy.client

local core = require "quoll.core"
local header = require "quoll.net.proxy.header"
local ip = require "quoll.net.ip"
local options = require "quoll.options"

local getpeername = core.connection.getpeername

local client = {}

local SEND = { version = "string", source = "string", destination = "string",
  command = "string", alpn = "string", authority = "string",
  uniqueid = "string", netns = "string", tlvs = "table" }

local function refuse(why)
  core.raise(("bad argument 'proxy' to 'connect' (%s)"):format(why))
end

local function split(address, name)
  if address:find "^unix:" and #address <= 5 + 108 then
    return address
  end
  local host, port = address:match "^%[?([%x:.]+)%]?:(%d+)$"
  if not host or not ip.parse(host) or tonumber(port) > 65535 then
    core.bad_argument(address, name, "connect", "an IP address with its port")
  end
  return host, tonumber(port)
end

local function given_addresses(given)
  local info = {}
  info.source, info.sourceport = split(given.source, "source")
  info.destination, info.destinationport =
    split(given.destination, "destination")
  if (info.sourceport == nil) ~= (info.destinationport == nil) then
    refuse "source and destination are of two kinds"
  end
  return info
end

--- Raises on what cannot be sent.
-- @param given see `send`
-- @treturn table it
function client.check(given)
  if type(given) == "string" then
    given = { version = given }
  elseif type(given) ~= "table" then
    core.bad_argument(given, "proxy", "connect", "'v1', 'v2' or a table")
  end
  options.check(given, SEND, "connect")
  if given.version ~= "v1" and given.version ~= "v2" then
    refuse "the version is 'v1' or 'v2'"
  end
  if given.command and given.command ~= "PROXY" and given.command ~= "LOCAL"
  then
    refuse("the command is 'PROXY' or 'LOCAL'")
  elseif (given.source == nil) ~= (given.destination == nil) then
    refuse("source and destination go together")
  end
  if given.source then
    given_addresses(given)
  end
  return given
end

local function addresses_of(conn, given)
  local info = {}
  if given.source then
    return given_addresses(given)
  elseif given.command ~= "LOCAL" then
    info.source, info.sourceport = conn:getsockname()
    info.destination, info.destinationport = getpeername(conn)
    if not (info.sourceport and info.destinationport) then
      return {} -- of a unix socket: nothing that is worth telling
    end
  end
  return info
end

local function send_header(conn, given)
  given = client.check(given)
  local info = addresses_of(conn, given)
  if given.version == "v1" then
    return conn:send(header.v1(info))
  end
  for _, name in ipairs { "command", "alpn", "authority", "uniqueid", "netns",
    "tlvs" } do
    info[name] = given[name]
  end
  return conn:send(header.v2(info))
end

--- Sends a header.
-- @tparam Connection conn
-- @param given "v1", "v2" or a table: see `quoll.connect`
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function client.send(conn, given)
  local sent, err, _, code = send_header(conn, given)
  if sent then
    return true
  end
  return nil, err, code
end

return client
