--- The PROXY protocol: what a proxy tells about the client whose connection it
-- passes on, before anything else is sent.
-- What `Listener:serve` does before its handler runs.
-- @module quoll.net.proxy

local core = require "quoll.core"
local header = require "quoll.net.proxy.header"
local ip = require "quoll.net.ip"
local options = require "quoll.options"
local scope = require "quoll.task.scope"

require "quoll.net.connection" -- whose getpeername it takes over

local Connection = core.methods.connection
local raw_getpeername = core.connection.getpeername
local exact = core.connection.exact

local proxy = {}

local ACCEPT = { version = "string", trusted = "table", others = "string",
  timeout = "number", limit = "number" }
local TIMEOUT = 5 -- s for a header
local LIMIT = 4096 -- bytes of one
local LINES = 10 -- of the log a second

local infos = setmetatable({}, { __mode = "k" }) -- connection -> header
local Bad = {} -- metatable of what is raised for a bad header

-- ------------------------------------------------------------- options ----

local function refuse_option(method, why)
  core.raise(("bad argument 'proxy' to '%s' (%s)"):format(method, why))
end

local function check_version(version, method)
  if version ~= nil and version ~= "v1" and version ~= "v2" then
    refuse_option(method, "the version is 'v1' or 'v2'")
  end
end

local function networks(list, method)
  local nets = {}
  for i, text in ipairs(list) do
    nets[i] = text == "unix:" and text
      or type(text) == "string" and ip.network(text)
      or refuse_option(method, ("'%s' is no network"):format(tostring(text)))
  end
  return nets
end

--- Checks the option of a server; raises.
-- @param given "v1", "v2", true or a table
-- @string method name of the function that the script called
-- @treturn table what `proxy.accept` takes
function proxy.check(given, method)
  if given == true then
    given = {}
  elseif type(given) == "string" then
    given = { version = given }
  elseif type(given) ~= "table" then
    core.bad_argument(given, "proxy", method, "'v1', 'v2', true or a table")
  end
  options.check(given, ACCEPT, method)
  check_version(given.version, method)
  local others = given.others or "refuse"
  if others ~= "refuse" and others ~= "plain" then
    refuse_option(method, "others is 'refuse' or 'plain'")
  end
  for name, least in pairs { timeout = 0, limit = header.V2_FIXED } do
    local n = given[name] or least
    if n < least or n ~= n then
      refuse_option(method, ("%s is %d or more"):format(name, least))
    end
  end
  return {
    version = given.version, others = others,
    trusted = given.trusted and networks(given.trusted, method),
    timeout = given.timeout or TIMEOUT, limit = given.limit or LIMIT,
  }
end

-- ------------------------------------------------------------- reading ----

local function bad(why)
  error(setmetatable({ why = why }, Bad), 0)
end

-- What conn's method gave; it is the peer's fault when it gave nothing.
local function need(data, err)
  return data or bad(err)
end

local function read_v1(conn)
  local size, parts = 0, {}
  local piece = conn:receiveuntil "\r\n"
  repeat
    local part, err = piece(header.V1_MAX - 1 - size)
    if err then
      bad(err)
    end
    parts[#parts + 1] = part
    size = size + #(part or "")
    if size > header.V1_MAX - 2 then
      bad "line too long"
    end
  until not part
  local info, why = header.parse_v1(table.concat(parts))
  return info or bad(why)
end

local function read_v2(conn, limit)
  local start = need(conn:receive(header.V2_FIXED))
  local size, why = header.parse_v2_start(start)
  if not size then
    bad(why)
  elseif #start + size > limit then
    bad(("%d bytes, more than %d"):format(#start + size, limit))
  end
  local info
  info, why = header.parse_v2(start .. need(conn:receive(size)))
  return info or bad(why)
end

-- As far as it takes to tell them apart: no byte of anything else is waited
-- for.
local function version_of(conn)
  for n = 1, #header.SIGNATURE do
    local start = need(conn:peek(n))
    if start == header.SIGNATURE:sub(1, n) then
      if n == #header.SIGNATURE then
        return "v2"
      end
    elseif start ~= ("PROXY "):sub(1, n) then
      bad "no header"
    elseif n == 6 then
      return "v1"
    end
  end
end

local function read(conn, opts)
  local version = version_of(conn)
  if opts.version and version ~= opts.version then
    bad("it is " .. version)
  end
  return version == "v1" and read_v1(conn) or read_v2(conn, opts.limit)
end

-- nil, why for what is the peer's fault.
local function caught(ok, ...)
  if ok then
    return ...
  end
  local failure = ...
  if getmetatable(failure) == Bad then
    return nil, failure.why
  end
  error(failure, 0)
end

local function is_trusted(nets, address)
  local bytes = ip.parse(address)
  for _, net in ipairs(nets) do
    if net == "unix:" then
      if address:find "^unix:" then
        return true
      end
    elseif bytes and net(bytes) then
      return true
    end
  end
  return false
end

-- ------------------------------------------------------------- servers ----

local second, lines = 0, 0

-- A flood of bad headers must not become one of the log.
local function log_refusal(address, port, why)
  local now = math.floor(core.now())
  if now ~= second then
    second, lines = now, 0
  end
  lines = lines + 1
  if lines <= LINES then
    local level = why == "closed" and "info" or "warn"
    core.log(level, "PROXY header from ", address,
      port and ":" .. port or "", " refused: ", why)
  end
end

--- Reads the header that a new connection begins with, and remembers what it
-- says. What follows it stays to be read.
-- @tparam Connection conn
-- @tparam table opts from `proxy.check`
-- @treturn boolean false: it was refused, logged and closed
function proxy.accept(conn, opts)
  local address, port = raw_getpeername(conn)
  if not address then
    return false
  end
  local info, why
  if opts.trusted and not is_trusted(opts.trusted, address) then
    if opts.others == "plain" then
      return true
    end
    why = "not trusted"
  else
    exact(conn, true) -- a handshake that follows wants its bytes unread
    info, why = scope.deadline(opts.timeout, function()
      return caught(pcall(read, conn, opts))
    end)
    exact(conn, false)
  end
  if not info then
    log_refusal(address, port, why)
    conn:close()
    return false
  end
  info.proxy, info.proxyport = address, port
  infos[conn] = info
  return true
end

--- What serves connections that begin with a header.
-- @func fn fn(conn)
-- @tparam ?table opts from `proxy.check`; nil: they have none
-- @treturn function
function proxy.handler(fn, opts)
  return opts and function(conn)
    if proxy.accept(conn, opts) then
      fn(conn)
    end
  end or fn
end

--- The address of the other end; behind a proxy that told it by the PROXY
-- protocol, the client's.
-- @treturn[1] string IP address; "unix:/path" of a unix socket
-- @treturn[1] ?int port
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function Connection:getpeername()
  local info = infos[self]
  local address, port, code = raw_getpeername(self)
  if info and info.source and address then
    return info.source, info.sourceport
  end
  return address, port, code
end

--- What the header of the PROXY protocol said.
-- @treturn ?table `version` (1, 2), `command` ("PROXY", "LOCAL": the proxy
-- itself, a health check), `family`, `transport`, `source`, `sourceport`,
-- `destination`, `destinationport` (nil when it did not know), `proxy`,
-- `proxyport` (where it comes from); of version 2 also `alpn`, `authority`,
-- `uniqueid`, `netns`, `ssl`, `tlvs`; nil: there was none
function Connection:getproxy()
  return infos[self]
end

return proxy
