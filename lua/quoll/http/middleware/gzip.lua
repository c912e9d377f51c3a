--- Answers compressed as they leave, by Debian's lua-zlib.
-- @module quoll.http.middleware.gzip

local accept = require "quoll.http.syntax.accept"
local callable = require "quoll.callable"
local core = require "quoll.core"
local deflate = require "quoll.http.middleware.deflate"
local normal = require("quoll.http.answer").normal
local options = require "quoll.options"
local vary = require "quoll.http.middleware.vary"

local OPTIONS = { level = "number", min = "number", types = "table" }
local LEVEL = 5
local MIN = 1024 -- bytes
local TYPES = { "text/*", "application/json", "application/javascript",
  "application/xml", "application/wasm", "image/svg+xml" }

local CODINGS = { "gzip" }
local EVENTS = "text/event-stream"

local gzip = {}

local function first(value)
  return type(value) == "table" and value[1] or value
end

local function kind_of(headers)
  local kind = tostring(first(headers["content-type"]) or "text/plain")
  return kind:match "^%s*([^;%s]*)":lower()
end

local function compressible(self, status, headers)
  if status == 204 or status == 206 or status == 304
    or headers["content-encoding"] or headers["content-range"]
    or tostring(first(headers["cache-control"]) or ""):find "no%-transform"
  then
    return false
  end
  local kind = kind_of(headers)
  return self.types[kind] or self.types[kind:match "^[^/]*" .. "/*"]
end

local function wanted(req)
  return accept.choose_for(req, CODINGS) == "gzip"
end

local function mark(headers)
  headers["content-encoding"] = "gzip"
  headers["content-length"] = nil
  headers["accept-ranges"] = nil
  local etag = first(headers.etag)
  if etag and etag:sub(1, 2) ~= "W/" then
    headers.etag = "W/" .. etag
  end
end

-- The body compressed; nil: it stays as it is.
local function compress(self, body, headers)
  local pieces, size = deflate.pieces(body)
  if pieces then
    return size >= self.min and deflate.whole(pieces, self.level) or nil
  elseif callable(body) then
    return deflate.stream(body, self.level, kind_of(headers) == EVENTS)
  end
end

local function transform(self, req, ...)
  local status, body, headers = normal(...)
  if not status or not compressible(self, status, headers) then
    return status, body, headers
  end
  vary.add(headers, "Accept-Encoding")
  local small = wanted(req) and compress(self, body, headers)
  if small then
    mark(headers)
    body = small
  end
  return status, body, headers
end

local function check_range(value, name, least, most)
  if value and not (value >= least and value <= most) then
    core.bad_argument(value, name, "gzip", ("%d to %s"):format(least,
      most == math.huge and "any number" or most))
  end
end

--- Compresses answers for clients that accept gzip: strings, lists of strings,
-- and functions, piece by piece; of an event stream each piece leaves at once.
-- Files, what is encoded already, a range, and Cache-Control: no-transform stay
-- as they are. A strong ETag becomes a weak one. Beware of answers that show a
-- secret beside what the client has sent: their size tells (BREACH).
-- @tparam ?table opts `level` 1 to 9 (5); `min` (1024): bytes of a body that is
-- not a stream; `types` (text/*, JSON, JavaScript, XML, WebAssembly, SVG): a
-- list, "text/*" means each of them
-- @treturn function middleware
function gzip.gzip(opts)
  opts = options.check(opts, OPTIONS, "gzip")
  check_range(opts.level, "level", 1, 9)
  check_range(opts.min, "min", 0, math.huge)
  deflate.load()
  local self = { level = opts.level or LEVEL, min = opts.min or MIN,
    types = {} }
  for _, kind in ipairs(opts.types or TYPES) do
    self.types[kind:lower()] = true
  end
  return function(next)
    return function(req)
      return transform(self, req, next(req))
    end
  end
end

return gzip
