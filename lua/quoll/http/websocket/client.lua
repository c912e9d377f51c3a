--- The client's side of the handshake: `quoll.http.websocket`.
-- @module quoll.http.websocket.client

local core = require "quoll.core"
local connect = require "quoll.net.connect"
local extension = require "quoll.http.websocket.extension"
local field = require "quoll.http.syntax.field"
local handshake = require "quoll.http.websocket.handshake"
local options = require "quoll.options"
local raw = require "quoll.core.websocket"
local scope = require "quoll.task.scope"
local trim = require "quoll.http.syntax.trim"
local url = require "quoll.http.client.url"
local websocket = require "quoll.http.websocket"

local raise = core.raise

local client = {}

local KNOWN = { timeout = "number", tls = true, unix = "string" }
local TIMEOUT = 30  -- s of everything up to the answer
local HEAD = 32768  -- bytes of the answer at most
local PIECE = 4096

local function request(parsed, opts, key)
  local lines = { "Host: " .. url.authority(parsed), "Upgrade: websocket",
    "Connection: Upgrade", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: " .. key }
  if #opts.protocols > 0 then
    lines[#lines + 1] = "Sec-WebSocket-Protocol: "
      .. table.concat(opts.protocols, ", ")
  end
  if opts.deflate then
    lines[#lines + 1] = "Sec-WebSocket-Extensions: "
      .. extension.offer(opts.deflate)
  end
  return handshake.head("GET " .. url.target(parsed) .. " HTTP/1.1", lines,
    opts.lines)
end

-- The answer's head, without the empty line at its end.
local function read_head(conn)
  local piece_of = conn:receiveuntil "\r\n\r\n"
  local parts, size = {}, 0
  while true do
    local piece, err, _, code = piece_of(PIECE)
    if not piece then
      if err then
        return nil, err, code
      end
      return table.concat(parts)
    end
    parts[#parts + 1], size = piece, size + #piece
    if size > HEAD then
      return nil, "answer too large", "EMSGSIZE"
    end
  end
end

-- Status and fields (lower-case name -> value; repeated ones joined); nil: it
-- is malformed.
local function parse_head(text)
  local status = text:match "^HTTP/1%.1 (%d%d%d)[^%d]" or
    text:match "^HTTP/1%.1 (%d%d%d)$"
  local fields = {}
  if not status or text:find "[%z\127]" then
    return nil
  end
  for line in (text .. "\r\n"):match "\r\n(.*)$":gmatch "(.-)\r\n" do
    local name, value = line:match "^([%w!#$%%&'*+.^_`|~-]+):(.*)$"
    if not name or value:find "[\r\n]" then
      return nil
    end
    name, value = name:lower(), trim(value)
    fields[name] = fields[name] and fields[name] .. ", " .. value or value
  end
  return tonumber(status), fields
end

local function offered(protocols, name)
  for _, known in ipairs(protocols) do
    if known == name then
      return true
    end
  end
  return false
end

-- What the answer agrees to; nil, err, CODE.
local function settle(head, opts, key)
  local status, fields = parse_head(head)
  if not status then
    return nil, "bad answer", "EBADMSG"
  elseif status ~= 101 then
    return nil, "answered with status " .. status, "EPROTO"
  end
  local protocol = fields["sec-websocket-protocol"]
  local header = fields["sec-websocket-extensions"]
  local agreed = header and extension.agree(header, opts.deflate)
  if not field.has(fields.upgrade, "websocket")
    or not field.has(fields.connection, "upgrade")
    or fields["sec-websocket-accept"] ~= raw.accept(key)
    or (protocol and not offered(opts.protocols, protocol))
    or (header and not agreed) then
    return nil, "bad WebSocket handshake", "EPROTO"
  end
  return { client = true, protocol = protocol, deflate = agreed or nil,
    max = opts.max, ping = opts.ping, send_timeout = opts.send_timeout }
end

local function shake(conn, parsed, opts)
  local key, err, code = raw.key()
  if not key then
    return nil, err, code
  end
  local sent, why, _, cause = conn:send(request(parsed, opts, key))
  if not sent then
    return nil, why, cause
  end
  local head
  head, err, code = read_head(conn)
  if not head then
    return nil, err, code
  end
  return settle(head, opts, key)
end

-- What was raised goes on, when nobody keeps the connection.
local function opened(conn, ok, settings, ...)
  if ok and settings then
    return websocket.open(conn, settings)
  end
  conn:close()
  if not ok then
    error(settings, 0)
  end
  return nil, ...
end

local function open(parsed, opts)
  local tls = url.secure(parsed) and (opts.tls or true) or nil
  local address = opts.unix and "unix:" .. opts.unix or url.address(parsed)
  local conn, err, code = connect.connect(address, { tls = tls })
  if not conn then
    return nil, err, code
  end
  return opened(conn, pcall(shake, conn, parsed, opts))
end

local function timed(self, err, code)
  if not self and code == "DEADLINE" then
    code = "TIMEOUT"
  end
  return self, err, code
end

--- Opens a websocket. Redirects are not followed.
-- @string address "ws://host/path" or "wss://host/path"
-- @tparam ?table opts `protocols`: names, the best first; `headers`: further
-- ones of the request; `tls`: options of `starttls` or a context; `unix`: path
-- of a socket to connect to instead; `timeout`: s of everything up to the
-- answer (30); `max`, `ping`, `send_timeout`, `compress` as of `req:websocket`
-- @treturn[1] WebSocket owned by the running task
-- @treturn[2] nil
-- @treturn[2] string "connection refused", "answered with status 403" (EPROTO),
-- "bad WebSocket handshake" (EPROTO), "timeout", ...
-- @treturn[2] string CODE
function client.websocket(address, opts)
  opts = handshake.check(opts, KNOWN, "websocket")
  options.check_timeout(opts.timeout, "websocket")
  if type(address) ~= "string" then
    core.bad_argument(address, "url", "websocket", "a URL")
  end
  local parsed, why = url.parse(address)
  if not parsed or not parsed.scheme:find "^wss?$" then
    raise(("bad argument 'url' to 'websocket' (%s)"):format(
      why or "ws or wss expected"))
  end
  return timed(scope.deadline(opts.timeout or TIMEOUT, open, parsed, opts))
end

return client
