--- One request of an HTTP/2 connection and its answer, in a task of their own.
-- @module quoll.http.http2.stream

local event = require "quoll.sync.event"
local now = require("quoll.core").now
local raw = require "quoll.http.http2.core"

local Stream = {}
Stream.__index = Stream

local SLICE = 65536 -- bytes that are queued at a time
local GRACE = 5 -- s: a body may be slow that long

local stream = {}

--- @tparam table connection whose stream it is
-- @int id nghttp2's number
function stream.new(connection, id)
  return setmetatable({
    connection = connection,
    limits = connection.limits,
    id = id,
    news = event.new(),
    ended = false, -- the request is complete
    sent = false, -- the answer has left
    closed = false,
    received = 0, -- bytes of the request's body
    bytes = 0, -- of the answer's body
  }, Stream)
end

-- Waits for news: the caller looks again.
function Stream:wait(s)
  self.news:clear()
  return self.news:wait(s)
end

-- Who waits for "100 Continue" gets it at the first read.
local function proceed(self)
  if self.expects then
    self.expects = false
    raw.inform(self.connection.session, self.id, { ":status", "100" })
    self.connection.wake:set()
  end
end

-- A body has to come at min_rate on the whole, after some seconds.
local function is_slow(self)
  self.began = self.began or now()
  local s = now() - self.began
  return s > GRACE and self.received < s * self.limits.min_rate
end

--- More of the body: string | nil: it has ended | nil, err, CODE.
function Stream:read(max)
  local connection = self.connection
  proceed(self)
  while true do
    local piece = raw.read(connection.session, self.id, max)
    if piece then
      connection.wake:set() -- the window may be opened again
      self.received = self.received + #piece
      if self.received > self.limits.body_max then
        return nil, "body too large", "EMSGSIZE"
      end
      return piece
    elseif piece == nil and self.ended then
      return nil
    elseif piece == nil then
      return nil, "closed", "CLOSED"
    elseif is_slow(self) then
      return nil, "timeout", "TIMEOUT"
    end
    local ok, err, code = self:wait(self.limits.body_timeout)
    if not ok then
      return nil, err, code
    end
  end
end

--- The fields behind the body, as an array.
function Stream:trailers()
  return self.ended and raw.trailers(self.connection.session, self.id) or {}
end

--- Sends the head of an answer; body: whether one is written afterwards.
-- False: nobody wants it any more.
function Stream:head(status, fields, body)
  self.status = status
  self.begun = raw.respond(self.connection.session, self.id, fields, body)
  self.connection.wake:set()
  return self.begun
end

local function write_slice(self, bytes)
  local session = self.connection.session
  local more = raw.write(session, self.id, bytes)
  self.bytes = self.bytes + #bytes
  self.connection.wake:set()
  while more == false do
    if not self:wait(self.limits.send_timeout) then
      return false
    end
    more = raw.write(session, self.id, "")
  end
  return more or false
end

--- Sends bytes of a body, as fast as the client takes them. False: it takes
-- them no more.
function Stream:write(bytes)
  if #bytes <= SLICE then
    return write_slice(self, bytes)
  end
  for i = 1, #bytes, SLICE do
    if not write_slice(self, bytes:sub(i, i + SLICE - 1)) then
      return false
    end
  end
  return true
end

function Stream:finish()
  raw.finish(self.connection.session, self.id)
  self.connection.wake:set()
end

--- Ends the stream at once; code: of RFC 9113, section 7.
function Stream:reset(code)
  raw.reset(self.connection.session, self.id, code)
  self.connection.wake:set()
end

return stream
