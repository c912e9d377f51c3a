--- The server's side of the handshake: `req:websocket`.
-- @module quoll.http.websocket.server

local core = require "quoll.core"
local raw = require "quoll.core.websocket"
local extension = require "quoll.http.websocket.extension"
local field = require "quoll.http.syntax.field"
local handshake = require "quoll.http.websocket.handshake"
local websocket = require "quoll.http.websocket"

local bad_argument = core.bad_argument

local server = {}

local KNOWN = { origins = true }

local function check(opts)
  opts = handshake.check(opts, KNOWN, "websocket")
  local kind = type(opts.origins)
  if kind ~= "nil" and kind ~= "table" and kind ~= "function"
    and opts.origins ~= "*" then
    bad_argument(opts.origins, "origins", "websocket",
      "'*', an array or a function")
  end
  return opts
end

-- A page of another site may open a websocket with the cookies of ours.
local function allowed(req, origin, origins)
  if origin == nil or origins == "*" then
    return true
  elseif type(origins) == "function" then
    return origins(origin, req)
  elseif origins == nil then
    local host = origin:match "^%a[%w+.-]*://([^/]+)$"
    return host ~= nil and host:lower() == (req:header "host" or ""):lower()
  end
  for _, known in ipairs(origins) do
    if known:lower() == origin:lower() then
      return true
    end
  end
  return false
end

local function is_key(key)
  return key ~= nil and #key == 24 and key:find "^[%w+/]+==$" ~= nil
end

-- RFC 9110, 15.5.22: a 426 names what it wants.
local function required(text)
  return 426, text, { Upgrade = "websocket", Connection = "Upgrade",
    ["Sec-WebSocket-Version"] = "13" }
end

-- Why it cannot be: status, text, headers; nil: it can.
local function refusal(req, opts)
  if not field.has(req:header "upgrade", "websocket")
    or not field.has(req:header "connection", "upgrade") then
    return required "a WebSocket is expected"
  elseif req.method ~= "GET" or req.version ~= "1.1"
    or not is_key(req:header "sec-websocket-key")
    or req:header "transfer-encoding"
    or (req:header "content-length" or "0") ~= "0" then
    return 400, "bad WebSocket handshake"
  elseif req:header "sec-websocket-version" ~= "13" then
    return required "WebSocket version 13 is expected"
  elseif not allowed(req, req:header "origin", opts.origins) then
    return 403, "origin not allowed"
  end
end

-- The first of ours that the client has, too.
local function choose(protocols, header)
  local offered = {}
  for name in (header or ""):gmatch "[^%s,]+" do
    offered[name] = true
  end
  for _, name in ipairs(protocols) do
    if offered[name] then
      return name
    end
  end
end

local function write(lines, more)
  local text = "HTTP/1.1 101 Switching Protocols\r\n"
    .. table.concat(lines, "\r\n") .. "\r\n"
  for _, line in ipairs(more) do
    text = text .. line .. "\r\n"
  end
  return text .. "\r\n"
end

-- The head that agrees, and what was agreed on.
local function answer(req, opts)
  local protocol = choose(opts.protocols, req.headers["sec-websocket-protocol"])
  local header, agreed = extension.accept(
    req.headers["sec-websocket-extensions"], opts.deflate)
  local lines = { "Upgrade: websocket", "Connection: Upgrade",
    "Sec-WebSocket-Accept: " .. raw.accept(req:header "sec-websocket-key") }
  if protocol then
    lines[#lines + 1] = "Sec-WebSocket-Protocol: " .. protocol
  end
  if header then
    lines[#lines + 1] = "Sec-WebSocket-Extensions: " .. header
  end
  return write(lines, opts.lines), { protocol = protocol, deflate = agreed,
    max = opts.max, ping = opts.ping, send_timeout = opts.send_timeout }
end

--- Makes a websocket of a request: answers 101 and takes the connection. What a
-- browser opens for a page of another site is refused (403) unless `origins`
-- allows it.
-- @param req
-- @tparam ?table opts `protocols`: names, the best first; `origins`: whose
-- pages may open it: an array of "https://name", "*", or a function(origin,
-- req), only those of the request's own host by default; `max`: bytes of a
-- message (1 MiB); `ping`: s of silence after which the peer is pinged, false:
-- never (30); `send_timeout`: s without progress of a send (60); `compress`:
-- true, false or a table, see quoll.http.websocket.deflate; `headers`: further
-- ones of the answer
-- @treturn[1] WebSocket owned by the running task
-- @treturn[2] nil
-- @treturn[2] int status of the answer that refuses it: 426, 400 or 403
-- @treturn[2] string its text
-- @treturn[2] ?table its headers
function server.accept(req, opts)
  opts = check(opts)
  local status, text, headers = refusal(req, opts)
  if status then
    return nil, status, text, headers
  end
  local head, settings = answer(req, opts)
  local conn, err = req:hijack()
  if not conn then
    return nil, 500, err
  end
  conn:settimeouts(opts.send_timeout)
  local sent, why = conn:send(head)
  if not sent then
    conn:close()
    return nil, 500, why
  end
  return websocket.open(conn, settings)
end

return server
