--- A request of HTTP/2, as handlers know requests.
-- @module quoll.http.http2.request

local core = require "quoll.core"
local failure = require "quoll.http.failure"
local iterator = require "quoll.iterator"
local meaning = require "quoll.http.request"
local raw = require "quoll.http.http2.core"

local request = {}

-- Keys of what is kept with a request.
local STREAM, FIELDS, BODY, TRAILERS = {}, {}, {}, {}
local CHUNK = 65536 -- bytes of a body at a time

local Request = setmetatable({}, { __index = meaning.methods })
local lazy = setmetatable({}, { __index = meaning.lazy })

local meta = { __name = "request" }

function meta.__index(self, name)
  local method = Request[name]
  if method then
    return method
  end
  local make = lazy[name]
  if make then
    local value = make(self)
    rawset(self, name, value)
    return value
  end
end

--- The first value of a header field.
-- @string name in any case
-- @treturn ?string
function Request:header(name)
  local fields = self[FIELDS]
  name = name:lower()
  for i = 1, #fields, 2 do
    if fields[i] == name then
      return fields[i + 1]
    end
  end
  return nil
end

--- Every value of a header field, in their order.
-- @string name in any case
-- @treturn table
function Request:header_values(name)
  local fields, values = self[FIELDS], {}
  name = name:lower()
  for i = 1, #fields, 2 do
    if fields[i] == name then
      values[#values + 1] = fields[i + 1]
    end
  end
  return values
end

--- Iterates over the header fields in their order.
-- @treturn function an iterator: name, value
function Request:each_header()
  local fields, i = self[FIELDS], -1
  return function()
    i = i + 2
    return fields[i], fields[i + 1]
  end
end

local any_case = {
  __index = function(self, name)
    return type(name) == "string" and rawget(self, name:lower()) or nil
  end,
}

-- name -> value; repeated ones joined.
local function joined(fields)
  local all = {}
  for i = 1, #fields, 2 do
    local name, value = fields[i], fields[i + 1]
    local before = all[name]
    local between = name == "cookie" and "; " or ", "
    all[name] = before and before .. between .. value or value
  end
  return setmetatable(all, any_case)
end

function lazy.headers(self)
  return joined(self[FIELDS])
end

function lazy.peer(self)
  self.peerport = nil
  local peer, port = self[STREAM].connection.conn:getpeername()
  rawset(self, "peerport", port)
  return peer
end

function lazy.peerport(self)
  local _, port = self[STREAM].connection.conn:getpeername()
  return port
end

function lazy.tls(self)
  local conn = self[STREAM].connection.conn
  return self.scheme == "https" and conn:tlsinfo() or nil
end

function lazy.params()
  return {}
end

local function read_all(self, max)
  local parts, size = {}, 0
  local length = tonumber(self:header "content-length")
  if length and length > max then
    return nil, "body too large", "EMSGSIZE"
  end
  while true do
    local piece, err, code = self[STREAM]:read(CHUNK)
    if not piece then
      if err then
        return nil, err, code
      end
      return table.concat(parts)
    end
    size = size + #piece
    if size > max then
      return nil, "body too large", "EMSGSIZE"
    end
    parts[#parts + 1] = piece
  end
end

--- Reads what is left of the body. What it gave once it gives again.
-- @int[opt] max bytes at most; by default what the server's `body` says
-- @treturn[1] string
-- @treturn[2] nil
-- @treturn[2] string "body too large", "timeout", "closed"
-- @treturn[2] string CODE
function Request:body(max)
  local body, err, code = self[BODY], nil, nil
  if not body then
    body, err, code = read_all(self, max or self[STREAM].limits.body)
    self[BODY] = body
  end
  return body, err, code
end

local function next_chunk(self, max)
  local piece, err, code = self[STREAM]:read(max or CHUNK)
  if not piece and err then
    failure.body(err, code)
  end
  return piece
end

--- Iterates over the bytes of the body as they come. A failure is raised, and
-- is what the server answers: 400, 408 or 413; tostring gives its err.
-- @int[opt] n bytes a piece at most
-- @treturn Iterator
function Request:chunks(n)
  if n ~= nil and (type(n) ~= "number" or n < 1 or n % 1 ~= 0) then
    core.bad_argument(n, "n", "chunks", "a number of bytes")
  end
  return iterator.new(next_chunk, self, n)
end

--- The fields that came behind the body, once it has been read to its end.
-- @treturn table as `headers`
function Request:trailers()
  local stream = self[STREAM]
  if stream.ended and not self[TRAILERS] then
    self[TRAILERS] = joined(stream:trailers())
  end
  return self[TRAILERS] or {}
end

--- A stream is no connection that could be taken.
-- @treturn nil
-- @treturn string "operation not supported"
-- @treturn string EOPNOTSUPP
function Request.hijack()
  return nil, "operation not supported", "EOPNOTSUPP"
end

--- WebSockets come by HTTP/1.1.
-- @treturn nil
-- @treturn number 501
-- @treturn string a text for the client
function Request.websocket()
  return nil, 501, "WebSockets come by HTTP/1.1\n"
end

local function host_of(authority)
  local host = authority:match "^(%[.*%])" or authority:match "^([^:]*)"
  return host:lower()
end

-- Bytes of the body; nil: it has not come yet, and the head does not say.
local function length_of(self, stream)
  local given = tonumber(self:header "content-length")
  if given or raw.read(stream.connection.session, stream.id, 0) ~= nil then
    return given
  end
  return 0
end

--- Makes the request of a stream from its head.
-- @tparam table stream
-- @int id number of the connection's requests
-- @tparam table head array: name, value, name, value, ...
-- @treturn table
function request.new(stream, id, head)
  local pseudo, fields = {}, {}
  for i = 1, #head, 2 do
    local name, value = head[i], head[i + 1]
    if name:byte() == 58 then -- a colon
      pseudo[name] = value
    else
      fields[#fields + 1], fields[#fields + 2] = name, value
    end
  end
  local target = pseudo[":path"] or "*"
  local path, query = target:match "^([^?]*)%??(.*)$"
  local self = setmetatable({
    [STREAM] = stream, [FIELDS] = fields,
    method = pseudo[":method"], target = target, path = path,
    querystring = query, version = "2", scheme = pseudo[":scheme"], id = id,
  }, meta)
  local authority = pseudo[":authority"] or self:header "host"
  if authority and not self:header "host" then
    table.insert(fields, 1, authority)
    table.insert(fields, 1, "host")
  end
  self.host = authority and host_of(authority)
  self.length = length_of(self, stream)
  return self
end

return request
