--- WebSockets (RFC 6455): messages both ways, from `req:websocket` or
-- `quoll.http.websocket`.
--
-- One task receives, any number send: their messages go one after the other,
-- in the order of the calls. While a task receives, the peer's pings are
-- answered, and it is pinged when nothing came for `ping` seconds; who only
-- sends hears of neither a lost peer (but for `send_timeout`) nor of a close. A
-- websocket belongs to the task that opened it and is closed at its end, with
-- code 1001.
--
-- Failures are `nil, err, CODE`. Source: bindings/websocket/
-- @module quoll.http.websocket

local core = require "quoll.core"
local raw = require "quoll.core.websocket"
local closing = require "quoll.http.websocket.closing"
local finish = require("quoll.wait").finish
local iterator = require "quoll.iterator"
local mutex = require "quoll.sync.mutex"
local sending = require "quoll.http.websocket.sending"

local mark, take = core.mark, core.take
local raise, bad_argument = core.raise, core.bad_argument
local core_receive, fields = raw.receive, raw.fields

local WebSocket = raw.methods
local websocket = {}

local FIRST = { text = 0x81, binary = 0x82 } -- FIN and the opcode
local PING = 0x89
local CONTROL = 125 -- bytes of a ping

-- What is read of one beside its methods, and what scripts note on it.
raw.finder(function(self, name)
  local method = WebSocket[name]
  if method ~= nil then
    return method
  end
  return fields(self)[name]
end, function(self, name, value)
  fields(self)[name] = value
end)

--- Opens one on a connection whose handshake is done; bytes that it has
-- received belong to the first message.
-- @tparam Connection conn lent to it, and closed with it
-- @tparam table settings `client`, `max`, `ping`, `send_timeout`, `protocol`,
-- `deflate` (of quoll.http.websocket.deflate, or nil)
-- @treturn[1] WebSocket
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function websocket.open(conn, settings)
  local self, err, code = raw.open(conn, settings.client, settings.max,
    settings.deflate ~= nil, settings.ping or nil, settings.send_timeout)
  if not self then
    return nil, err, code
  end
  local known = fields(self)
  known[2] = { lock = mutex.new(), deflate = settings.deflate,
    max = settings.max }
  known.protocol = settings.protocol
  return self
end

local function inflate(self, message, kind)
  local state = fields(self)[2]
  local data, err, code = state.deflate:inflate(message, state.max)
  if data and kind == "text" and not raw.utf8(data) then
    data, err, code = nil, "text is no UTF-8", 1007
  end
  if not data then
    return closing.fail(self, code, err)
  end
  return data, kind
end

-- A receive without a message: what came of it, or nothing: it is to go on.
local function settle(self, message, kind, third)
  if message then
    return inflate(self, message, kind)
  elseif message == false then
    if kind then
      return closing.answer(self, kind, third)
    end
  elseif third == "TIMEOUT" then
    local alive = raw.alive(self)
    if alive == nil then
      raw.shut(self)
      return nil, "connection timed out", "ETIMEDOUT"
    elseif not alive then
      return nil, kind, third
    end
  elseif type(third) == "number" then
    return closing.fail(self, third, kind)
  elseif third == "CLOSED" then
    return closing.ended(self)
  else
    return nil, kind, third
  end
end

local function go_on(self, message, kind, third)
  while true do
    local data, what, code, reason = settle(self, message, kind, third)
    if reason then
      return data, what, code, reason
    elseif data then
      return data, what
    elseif what then
      return nil, what, code
    end
    message, kind, third = finish(core_receive(self, true))
    if message and not third then
      return message, kind
    end
  end
end

--- Receives the next message.
-- @number[opt] s seconds at most; 0: only if it is there
-- @treturn[1] string the message
-- @treturn[1] string "text" (it is UTF-8) or "binary"
-- @treturn[2] nil
-- @treturn[2] string "closed"
-- @treturn[2] int the peer's close code; 1005: it gave none; 1006: it went
-- without a close
-- @treturn[2] string its reason, "" if none
-- @treturn[3] nil
-- @treturn[3] string "timeout", "stopping", "busy reading", "message too large"
-- (EMSGSIZE), "text is no UTF-8" (EILSEQ), what the peer did wrong (EPROTO),
-- "connection timed out" (ETIMEDOUT): no answer to two pings
-- @treturn[3] string CODE
function WebSocket:receive(s)
  local message, kind, compressed = core_receive(self, s)
  if message == mark then
    message, kind, compressed = take(kind)
  end
  if message and not compressed then
    return message, kind
  end
  return go_on(self, message, kind, compressed)
end

--- Sends a message; waits until the system has it. A failure, timeout or
-- cancellation after part of it has gone breaks this direction: later sends get
-- "closed".
-- @tparam string|number message
-- @string[opt="text"] kind "text": it must be UTF-8 (EILSEQ), or "binary"
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function WebSocket:send(message, kind)
  local first = FIRST[kind or "text"]
  if not first then
    bad_argument(kind, "kind", "send", "'text' or 'binary'")
  elseif type(message) == "number" then
    message = tostring(message)
  elseif type(message) ~= "string" then
    bad_argument(message, "message", "send", "a string")
  end
  return sending.message(self, message, first)
end

--- Sends a ping; the answer is not told. Pings that notice a lost peer are sent
-- without it: see the option `ping`.
-- @string[opt=""] data 125 bytes at most
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function WebSocket:ping(data)
  data = data or ""
  if type(data) ~= "string" or #data > CONTROL then
    bad_argument(data, "data", "ping", "a string of 125 bytes at most")
  end
  return sending.frame(self, data, PING)
end

--- Closes: sends a close frame, waits for the peer's for at most 5 s, dropping
-- messages, and closes the connection.
-- @int[opt=1000] code 1000 to 1003, 1007 to 1014 or 3000 to 4999
-- @string[opt=""] reason UTF-8, 123 bytes at most
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "closed": it was; "timeout": the peer did not answer
-- @treturn[2] string CODE
function WebSocket:close(code, reason)
  code, reason = code or 1000, reason or ""
  if not raw.closable(code) then
    bad_argument(code, "code", "close", "a close code")
  elseif type(reason) ~= "string" or #reason > CONTROL - 2
    or not raw.utf8(reason) then
    bad_argument(reason, "reason", "close", "UTF-8 of 123 bytes at most")
  end
  return closing.close(self, code, reason)
end

local function next_message(self)
  local message, kind, code = self:receive()
  if message or kind == "closed" or code == "STOPPING" then
    return message, kind
  end
  raise(kind)
end

--- Iterates over the messages up to the close, or `quoll.stop`. Raises err on
-- any other failure.
-- @treturn Iterator of message, kind
function WebSocket:messages()
  return iterator.new(next_message, self)
end

--- The address of the peer; as `Connection:getpeername`.
-- @treturn[1] string
-- @treturn[1] ?int port
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function WebSocket:getpeername()
  return fields(self)[1]:getpeername()
end

return websocket
