--- The client's side of the handshake: `quoll.http.websocket`.
-- @module quoll.http.websocket.client

local core = require "quoll.core"
local extension = require "quoll.http.websocket.extension"
local handshake = require "quoll.http.websocket.handshake"
local has = require("quoll.http.syntax.field").has
local http = require "quoll.http.client"
local raw = require "quoll.core.websocket"
local url = require "quoll.http.client.url"
local websocket = require "quoll.http.websocket"

local client = {}

-- What is as of `quoll.http.request`.
local REQUEST = { timeout = "number", tls = true, unix = "string",
  proxy = true, bind = "string", jar = true, limits = "table" }

-- The request is a client's, as its own headers come before the caller's.
local function client_of(opts)
  local shared = { headers = opts.headers, redirects = false, pool = false,
    decompress = false }
  for name in pairs(REQUEST) do
    shared[name] = opts[name]
  end
  return http.client(shared)
end

local function headers_of(opts, key)
  local protocols = table.concat(opts.protocols, ", ")
  return {
    ["Upgrade"] = "websocket",
    ["Connection"] = "Upgrade",
    ["Sec-WebSocket-Version"] = "13",
    ["Sec-WebSocket-Key"] = key,
    ["Sec-WebSocket-Protocol"] = protocols ~= "" and protocols,
    ["Sec-WebSocket-Extensions"] = opts.deflate
      and extension.offer(opts.deflate) or false,
  }
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
local function settle(res, opts, key)
  if res.status ~= 101 then
    return nil, "answered with status " .. res.status, "EPROTO"
  end
  local fields = res.headers
  local protocol = fields["sec-websocket-protocol"]
  local header = fields["sec-websocket-extensions"]
  local agreed = header and extension.agree(header, opts.deflate)
  if res.version ~= "1.1" or not has(fields.upgrade, "websocket")
    or not has(fields.connection, "upgrade")
    or fields["sec-websocket-accept"] ~= raw.accept(key)
    or (protocol and not offered(opts.protocols, protocol))
    or (header and not agreed) then
    return nil, "bad WebSocket handshake", "EPROTO"
  end
  return { client = true, protocol = protocol, deflate = agreed or nil,
    max = opts.max, ping = opts.ping, send_timeout = opts.send_timeout }
end

local function open(res, opts, key)
  local settings, err, code = settle(res, opts, key)
  local conn
  if settings then
    conn, err, code = res:hijack()
  end
  if not conn then
    res:close()
    return nil, err, code
  end
  return websocket.open(conn, settings)
end

local function check_url(address)
  if type(address) ~= "string" then
    core.bad_argument(address, "url", "websocket", "a URL")
  end
  local parsed, why = url.parse(address)
  if not parsed or not parsed.scheme:find "^wss?$" then
    core.raise(("bad argument 'url' to 'websocket' (%s)"):format(
      why or "ws or wss expected"))
  end
end

--- Opens a websocket. Redirects are not followed.
-- @function websocket
-- @string url "ws://host/path" or "wss://host/path"
-- @tparam ?table opts `protocols`: names, the best first; `headers`: further
-- ones of the request; `timeout`: s of everything up to the answer (30); `tls`,
-- `unix`, `proxy`, `bind`, `jar`, `limits` as of `quoll.http.request`; `max`,
-- `ping`, `send_timeout`, `compress` as of `req:websocket`
-- @treturn[1] WebSocket owned by the running task
-- @treturn[2] nil
-- @treturn[2] string "connection refused", "answered with status 403" (EPROTO),
-- "bad WebSocket handshake" (EPROTO), "timeout", ...
-- @treturn[2] string CODE
function client.websocket(address, opts)
  opts = handshake.check(opts, REQUEST, "websocket")
  check_url(address)
  local key, err, code = raw.key()
  if not key then
    return nil, err, code
  end
  local res
  res, err, code = client_of(opts):request(address,
    { headers = headers_of(opts, key) })
  if not res then
    return nil, err, code
  end
  return open(res, opts, key)
end

return client
