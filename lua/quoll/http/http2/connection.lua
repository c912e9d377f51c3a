--- A connection that speaks HTTP/2: each request is a task of its own, one
-- task receives and one sends.
--
-- Source: bindings/http2/
-- @module quoll.http.http2.connection

local core = require "quoll.core"
local event = require "quoll.sync.event"
local exchange = require "quoll.http.http2.exchange"
local raw = require "quoll.http.http2.core"
local scope = require("quoll.task.scope").scope
local stopping = require("quoll.stop").stopping
local streams = require "quoll.http.http2.stream"

local connection = {}

local RECEIVED = 65536 -- bytes at a time
local SENT = 65536
local LINGER = 1 -- s: what is on its way from the client is read and dropped

local DEFAULTS = {
  head = 32768, fields = 100, body = 1048576, body_max = math.huge,
  streams = 100, requests = 1000, min_rate = 240, head_timeout = 10,
  body_timeout = 60, send_timeout = 60, idle_timeout = 75,
}

local Connection = {}
Connection.__index = Connection

-- Nothing more is to come; what is queued still leaves.
function Connection:close()
  self.closing = true
  self.wake:set()
end

-- Nobody gets an answer any more.
function Connection:abort()
  for _, stream in pairs(self.streams) do
    stream.task:cancel("the client has left")
  end
  self:close()
end

-- No new streams; it ends with the last one.
function Connection:leave()
  if not self.leaving then
    self.leaving = true
    raw.leave(self.session)
    self.wake:set()
  end
  if self.live == 0 then
    self:close()
  end
end

local function over(stream)
  local self = stream.connection
  if self.streams[stream.id] == stream then
    self.streams[stream.id] = nil
    self.live = self.live - 1
    raw.forget(self.session, stream.id)
  end
  self.idle_since = core.now()
  if self.live == 0 and (self.leaving or self.closing) then
    self:close()
  end
end

local function start(self, id)
  local stream = streams.new(self, id)
  self.streams[id] = stream
  self.live = self.live + 1
  self.count = self.count + 1
  stream.number = self.count
  stream.over = over
  stream.task = self.scope:spawn(exchange.run, stream, self.handler,
    self.settings)
  if self.count >= self.limits.requests then
    self:leave()
  end
  return stream
end

-- Tells the streams what has happened to them.
local function dispatch(self)
  while true do
    local id, fresh, ended, sent, closed, reset = raw.next(self.session)
    if not id then
      return
    end
    local stream = fresh and start(self, id) or self.streams[id]
    if stream then
      stream.ended = stream.ended or ended
      stream.sent, stream.closed = sent, closed
      stream.news:set()
      if reset and not stream.done then
        stream.task:cancel("the client has left")
      end
    end
  end
end

-- The time of silence that is left; of a connection with streams at work it
-- begins with the end of the last one.
local function patience(self)
  if self.live > 0 then
    return self.limits.idle_timeout
  end
  local limit = self.count == 0 and self.limits.head_timeout
    or self.limits.idle_timeout
  return math.max(self.idle_since + limit - core.now(), 0)
end

local function receive(self)
  local left = patience(self)
  self.conn:settimeouts(self.limits.send_timeout, left)
  local data, _, code = self.conn:receiveany(RECEIVED)
  if not data and code == "TIMEOUT" and (self.live > 0 or patience(self) > 0)
  then
    return ""
  end
  return data
end

local function reader(self)
  while not self.closing do
    local data = receive(self)
    local ok = data and raw.feed(self.session, data)
    dispatch(self)
    self.wake:set()
    if not ok or not raw.wants(self.session) then
      break
    end
  end
  self:abort()
end

-- Sends what there is. False: it cannot.
local function flush(self)
  while true do
    local bytes = raw.output(self.session, SENT)
    dispatch(self)
    if not bytes then
      return true
    elseif not self.conn:send(bytes) then
      return false
    end
  end
end

local function has_failed(self)
  local _, failed = raw.wants(self.session)
  return failed
end

local function writer(self)
  repeat
    self.wake:wait()
    self.wake:clear()
    if not flush(self) then
      self.scope:cancel()
    elseif not self.closing and has_failed(self) then
      self:abort()
    end
  until self.closing and self.live == 0
  self.conn:shutdown "send"
end

local function leaver(self)
  stopping(math.huge)
  self:leave()
end

local function run(s, self)
  self.scope = s
  s:background(reader, self)
  s:background(leaver, self)
  s:spawn(writer, self)
  self.wake:set()
end

local function linger(conn)
  conn:settimeout(LINGER)
  local till = core.now() + LINGER
  while core.now() < till and conn:receiveany(RECEIVED) do end
end

local function limits_of(options)
  local limits = {}
  for name, value in pairs(DEFAULTS) do
    limits[name] = value
  end
  for name, value in pairs(options or limits) do
    limits[name] = value
  end
  return limits
end

--- Serves a connection up to its end.
-- @tparam Connection conn whose first bytes are the client's preface
-- @func handler called with each request
-- @tparam table settings options (those of `quoll.http.serve`), onerror,
-- status_of, log
function connection.serve(conn, handler, settings)
  local limits = settings.limits or limits_of(settings.options)
  settings.limits = limits
  local self = setmetatable({
    conn = conn, handler = handler, settings = settings, limits = limits,
    session = raw.new(limits.streams, limits.head, limits.fields),
    wake = event.new(), streams = {}, live = 0, count = 0,
    idle_since = core.now(), leaving = false, closing = false,
  }, Connection)
  scope(run, self)
  linger(conn)
end

return connection
