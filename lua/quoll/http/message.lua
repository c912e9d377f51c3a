--- Requests and responses as scripts hold them: fields, the body.
--
-- Failures are `nil, err, CODE`. Source: bindings/http/held.c, message.c,
-- fields.c, read.c
-- @module quoll.http.message

local core = require "quoll.core"
local failure = require "quoll.http.failure"
local finish = require("quoll.wait").finish
local iterator = require "quoll.iterator"
local raw = require "quoll.http.core"
local request = require "quoll.http.request"

local current, field, get = raw.current, raw.field, raw.get
local raw_body, raw_read = raw.body, raw.read
local raw_header, raw_header_values = raw.header, raw.header_values

local message = {}

-- A message is a table of what `step` and `response` of C give: what is asked
-- for most lies there, all else is looked up in its head, or made once.
local SERIAL, KIND, HEAD, PATH, QUERY, CONNECTION = 1, 2, 3, 4, 5, 6
message.HEAD = HEAD -- key: the bytes, of what came by HTTP/1
local BODY = {} -- key: what body() gave
local TLS = 1024 -- beside the kind: a method's number, or a status

local METHODS = {}
for number, name in pairs(raw.methods) do
  METHODS[number], METHODS[number + TLS] = name, name
end

local Message = {}
local lazy = {}
local request_meta = { __metatable = "message" }
local response_meta = { __metatable = "message" }

-- A method, or what is made.
local function look(self, name)
  local value = Message[name]
  if value ~= nil then
    return value
  end
  local make = lazy[name]
  if not make then
    return get(self[HEAD], name)
  end
  value = make(self)
  rawset(self, name, value)
  return value
end

function request_meta.__index(self, name)
  if name == "path" then
    return self[PATH]
  elseif name == "method" then
    return METHODS[self[KIND]]
  elseif name == "querystring" then
    return self[QUERY]
  end
  return look(self, name)
end

function response_meta.__index(self, name)
  if name == "status" then
    return self[KIND] % TLS
  end
  return look(self, name)
end

function request_meta:__tostring()
  return ("request (%s %s)"):format(self.method, self.target)
end

function response_meta:__tostring()
  return ("response (%d)"):format(self.status)
end

--- What a handler gets: the results of `step`, or `answer`.
-- @tparam Connection conn
-- @int serial
-- @int kind
-- @string head
-- @string path
-- @string[opt] query
-- @treturn Request
function message.request(conn, serial, kind, head, path, query)
  return setmetatable({ serial, kind, head, path, query or "", conn },
    request_meta)
end

--- The same of a client's `response`; nil, err, CODE as they are.
-- @treturn Message
function message.response(conn, serial, kind, head)
  if not serial then
    return nil, kind, head
  end
  return setmetatable({ serial, kind, head, false, false, conn }, response_meta)
end

-- nil: it is over.
local function connection(self)
  return current(self[CONNECTION], self[SERIAL])
end

function lazy.headers(self)
  return raw.headers(self[HEAD])
end

function lazy.id(self)
  return self[SERIAL]
end

function lazy.scheme(self)
  return get(self[HEAD], "scheme") or self[KIND] < TLS and "http" or "https"
end

local function closed()
  return nil, "closed", "CLOSED"
end

--- The first value of a header field.
-- @string name in any case
-- @treturn ?string nil: there is none
function Message:header(name)
  return raw_header(self[HEAD], name)
end

--- Every value of a header field, in their order.
-- @string name in any case
-- @treturn table array of strings; empty: there is none
function Message:header_values(name)
  return raw_header_values(self[HEAD], name)
end

--- Iterates over the header fields in their order.
-- @treturn function an iterator: name as it was sent, value
function Message:each_header()
  local i = 0
  return function()
    i = i + 1
    return field(self[HEAD], i)
  end
end

--- Reads what is left of the body. What it gave once it gives again.
-- @int[opt] max bytes at most; by default what the server's `body` says
-- @treturn[1] string "" when there is none
-- @treturn[2] nil
-- @treturn[2] string "body too large" (EMSGSIZE), "timeout", "closed", "bad
-- message" (EBADMSG: not as it is to be coded)
-- @treturn[2] string CODE
function Message:body(max)
  local kept = rawget(self, BODY)
  if kept then
    return kept
  end
  local conn = connection(self)
  if not conn then
    return closed()
  end
  local body, err, code = finish(raw_body(conn, max))
  rawset(self, BODY, body)
  return body, err, code
end

local function next_chunk(self, max)
  local conn = connection(self)
  if not conn then
    core.raise "closed"
  end
  local piece, err, code = finish(raw_read(conn, max))
  if not piece and err then
    failure.body(err, code)
  end
  return piece
end

--- Iterates over the bytes of the body as they come. A failure is raised, and
-- is what the server answers: 400, 408 or 413; tostring gives its err.
-- @int[opt] n bytes a piece at most
-- @treturn Iterator an iterator; close() ends it early
function Message:chunks(n)
  if n ~= nil and (type(n) ~= "number" or n < 1 or n % 1 ~= 0) then
    core.bad_argument(n, "n", "chunks", "a number of bytes")
  end
  return iterator.new(next_chunk, self, n)
end

--- The fields that came behind a chunked body, once it has been read to its
-- end.
-- @treturn table as `headers`; empty: there were none
function Message:trailers()
  local conn = connection(self)
  return conn and raw.trailers(conn) or {}
end

--- Takes the connection out of the server's hands: nothing has been answered,
-- nothing will be. It is the request's, and closed when the handler has ended,
-- unless it is owned by another task by then (`conn:own()`).
-- @treturn[1] Connection what the client has sent already is read first
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function Message:hijack()
  local conn = connection(self)
  if not conn then
    return closed()
  end
  local ok, err, code = conn:uncork()
  if ok then
    ok, err, code = raw.hijack(conn)
  end
  return ok and conn or nil, err, code
end

--- A request, as a handler gets it. Fields are made when they are asked for;
-- scripts may set others. It stays valid as long as it is held; its body only
-- until it has been answered.
-- @table Request
-- @tfield string method "GET", ...
-- @tfield string target as it was sent
-- @tfield string path of the target, before "?", as it was sent; below a mount
-- what is behind that
-- @tfield string querystring what is behind "?"; ""
-- @tfield table query name to first value, decoded
-- @tfield table cookies name to first value
-- @tfield string version "1.0", "1.1" or "2"
-- @tfield string scheme "http" or "https"
-- @tfield string host in lower case, without its port; ""
-- @tfield table headers lower-case name to value; found in any case; repeated
-- ones joined by ", "
-- @tfield ?int length bytes of the body, 0 without one; nil: chunked, or HTTP/2
-- that does not say
-- @tfield ?string peer the client's address
-- @tfield ?int peerport the client's port
-- @tfield ?table tls as of `tlsinfo`
-- @tfield ?number deadline `quoll.now()` at which the server cuts the handler
-- @tfield table params the router's, decoded
-- @tfield ?string base the path of the mount that the handler is below
-- @tfield ?string user the name that `basic_auth` has let in
-- @tfield int id number of the connection's requests so far

--- Makes a WebSocket of the request's connection.
-- @tparam ?table opts see docs/API.md
-- @treturn[1] WebSocket
-- @treturn[2] nil
-- @treturn[2] int status of the answer that refuses it, which the handler is to
-- return
-- @treturn[2] string its body
-- @treturn[2] table its headers
function Message:websocket(opts)
  return require("quoll.http.websocket.server").accept(self, opts)
end

local function peer_of(self)
  local conn = connection(self)
  if conn then
    local peer, port = conn:getpeername()
    rawset(self, "peer", peer)
    rawset(self, "peerport", port)
  end
end

function lazy.peer(self)
  peer_of(self)
  return rawget(self, "peer")
end

function lazy.peerport(self)
  peer_of(self)
  return rawget(self, "peerport")
end

function lazy.tls(self)
  local conn = connection(self)
  return conn and self.scheme == "https" and conn:tlsinfo() or nil
end

function lazy.params()
  return {}
end

for name, method in pairs(request.methods) do
  Message[name] = method
end
for name, make in pairs(request.lazy) do
  lazy[name] = make
end

message.methods = {} -- what scripts can call
for name, method in pairs(Message) do
  if type(method) == "function" then
    message.methods[name] = method
  end
end

return message
