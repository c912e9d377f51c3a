--- Answers: status, fields, and the body as it comes.
-- The connection goes back to its pool when the body has been read to its end;
-- before, `close`, a failure or the collector closes it.
-- @module quoll.http.client.response

local core = require "quoll.core"
local decode = require "quoll.http.client.response.decode"
local events = require "quoll.http.client.response.events"
local iterator = require "quoll.iterator"
local json = require "quoll.http.syntax.json"
local message = require "quoll.http.client.message"
local url = require "quoll.http.client.url"

local now = core.now

local response = {}

local MAX = 64 * 2 ^ 20 -- bytes of body(), by default
local CHUNK = 65536     -- bytes of a piece, by default
local DRAIN = 65536     -- bytes that are read rather than a connection closed

local Response = {}

local LAZY = { headers = true, reason = true, version = true }

local meta = { __name = "http response" }

function meta.__index(self, name)
  local method = Response[name]
  if method ~= nil then
    return method
  end
  return LAZY[name] and self.message[name] or nil
end

function meta:__tostring()
  return ("http response: %d %s"):format(self.status, self.url)
end

-- Nothing more is to be read: the connection is the pool's, or nobody's.
local function release(self)
  local conn = self.conn
  self.conn = nil
  local again
  again, self.behind = message.release(conn)
  if not again or not self.reusable or not conn:setkeepalive() then
    conn:close()
  end
end

local function fail(self, err, code)
  self.err, self.code = err, code
  if self.conn then
    self.conn:close()
    self.conn = nil
  end
  return nil, err, code
end

local function limit(self)
  local left = self.stop and math.max(self.stop - now(), 0)
  local timeout = self.timeout
  self.conn:settimeout(left and math.min(left, timeout or left) or timeout)
end

-- The next piece as it was sent.
local function receive(self, max)
  if self.err then
    return nil, self.err, self.code
  elseif not self.conn then
    return nil
  end
  limit(self)
  local piece, err, code = message.read(self.conn, max)
  if piece then
    return piece
  elseif err then
    return fail(self, err, code)
  end
  release(self)
  return nil
end

local function without_body(self, method)
  return method == "HEAD" or self.status == 204 or self.status == 304
    or self:header "content-length" == "0"
end

local function start(self, request)
  self.source = function() return receive(self, self.size) end
  local coding = self:header "content-encoding"
  if self.status == 101 then
    return self
  elseif without_body(self, request.method) then
    receive(self)
  elseif coding and request.opts.decompress ~= false then
    self.source = decode.source(self.source, coding) or self.source
  end
  return self
end

--- An answer: its head has come, its body is read by methods.
-- @table Response
-- @tfield int status 200, ...
-- @tfield string reason "OK"
-- @tfield string version "1.1"
-- @tfield string url where the answer came from, without user and password
-- @tfield table headers lower-case names, found in any case; repeated ones
-- joined by ", "

--- Makes one.
-- @tparam table request
-- @tparam Connection conn
-- @tparam Message head
-- @bool sent all of the request was sent
function response.new(request, conn, head, sent)
  local opts = request.opts
  return start(setmetatable({ status = head.status, message = head,
    url = url.text(request.url), conn = conn,
    reusable = sent and opts.pool ~= false and head.status ~= 101,
    timeout = request.timeout, stop = request.stop, max = opts.max,
    size = CHUNK }, meta), request)
end

--- One field.
-- @string name in any case
-- @treturn ?string its value; the first where there are several
function Response:header(name)
  return self.message:header(name)
end

--- All values of a field that may come several times.
-- @string name in any case
-- @treturn {string,...}
function Response:header_values(name)
  return self.message:header_values(name)
end

local function next_chunk(self, size)
  self.size = size
  local piece, err, code = self.source()
  if err then
    fail(self, err, code)
    core.raise(err)
  end
  return piece
end

--- Iterates over the body as it comes, decoded. Raises err on any failure; a
-- body that ends too early is one ("closed").
-- @tparam[opt=65536] int n bytes a piece at most, before they are decoded
-- @treturn Iterator an iterator; close() ends it early
function Response:chunks(n)
  local size = n or CHUNK
  if type(size) ~= "number" or size < 1 or size % 1 ~= 0 then
    core.bad_argument(n, "n", "chunks", "a number of bytes")
  end
  return iterator.new(next_chunk, self, size)
end

local function check_max(max, method)
  if max ~= nil and not (type(max) == "number" and max >= 0) then
    core.bad_argument(max, "max", method, "bytes, 0 or more,")
  end
end

--- Iterates over the Server-Sent Events that the body is. Raises as `chunks`
-- does, and "event too large".
-- @int[opt=1048576] max bytes of an event
-- @treturn Iterator gives tables: event ("message" if it has no other name),
-- data, id (the last one there was), retry (s)
function Response:events(max)
  check_max(max, "events")
  return events.read(self:chunks(), max)
end

local function read_all(self, max)
  local parts, have = {}, 0
  while true do
    local piece, err, code = self.source()
    if err then
      return fail(self, err, code)
    elseif not piece then
      return table.concat(parts)
    end
    have = have + #piece
    if have > max then
      return fail(self, "body too large", "EMSGSIZE")
    end
    parts[#parts + 1] = piece
  end
end

--- All of the body, or what is left of it, decoded. Another call returns the
-- same.
-- @number[opt] max bytes; default the option `max`, else 64 MiB
-- @treturn[1] string
-- @treturn[2] nil
-- @treturn[2] string "body too large", "closed": it was cut, "timeout", ...
-- @treturn[2] string CODE
function Response:body(max)
  check_max(max, "body")
  if self.text == nil then
    local text, err, code = read_all(self, max or self.max or MAX)
    if not text then
      return nil, err, code
    end
    self.text = text
  end
  return self.text
end

--- The value that the body is, as JSON. `null` is `require("cjson").null`.
-- @number[opt] max bytes
-- @treturn[1] any the value
-- @treturn[2] nil
-- @treturn[2] string err; "invalid json: ..."
-- @treturn[2] string CODE; EBADMSG
function Response:json(max)
  check_max(max, "json")
  local text, err, code = self:body(max)
  if not text then
    return nil, err, code
  end
  return json.decode(text)
end

--- The fields behind a chunked body that has been read.
-- @treturn table name -> value, empty when there are none
function Response:trailers()
  return self.behind or {}
end

--- The connection, of an answer 101: what follows is another protocol, and the
-- caller's.
-- @treturn[1] Connection what came behind the head is unread
-- @treturn[2] nil
-- @treturn[2] string "closed": it is no longer the answer's
-- @treturn[2] string CODE
function Response:hijack()
  if not self.conn then
    return nil, "closed", "CLOSED"
  end
  local conn = self.conn
  local ok, err, code = message.leave(conn)
  if not ok then
    return nil, err, code
  end
  self.conn = nil
  return conn
end

--- Reads the rest if it is short, so that the connection can be used again.
function response.drain(self)
  local left = DRAIN
  while self.conn and left > 0 do
    left = left - #(receive(self, left) or "")
  end
  self:close()
end

--- Reads no more: closes the connection, unless the body has been read.
-- @treturn boolean true
function Response:close()
  if self.conn then
    fail(self, "closed", "CLOSED")
  end
  return true
end

response.methods = Response

return response
