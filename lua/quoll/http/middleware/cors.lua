--- Cross-origin requests (the Fetch standard's CORS protocol).
-- @module quoll.http.middleware.cors

local callable = require "quoll.callable"
local core = require "quoll.core"
local normal = require("quoll.http.answer").normal
local options = require "quoll.options"
local vary = require "quoll.http.middleware.vary"

local raise = core.raise

local OPTIONS = { origins = true, methods = "table", headers = "table",
  expose = "table", credentials = "boolean", max_age = "number" }
local METHODS = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" }

local cors = {}

-- origins as a function(origin, req) -> boolean; nil: any origin.
local function compile(origins, credentials)
  if origins == nil or origins == "*" then
    if credentials then
      raise("bad argument 'credentials' to 'cors' (with credentials the "
        .. "origins must be named)")
    end
    return nil
  elseif callable(origins) then
    return origins
  elseif type(origins) ~= "table" and type(origins) ~= "string" then
    core.bad_argument(origins, "origins", "cors",
      "\"*\", an origin, a list of them or a function")
  end
  local known = {}
  for _, origin in ipairs(type(origins) == "table" and origins
    or { origins }) do
    known[origin] = true
  end
  return function(origin)
    return known[origin]
  end
end

local function allow(self, req, headers)
  local origin = req:header "origin"
  if self.allowed then
    vary.add(headers, "Origin")
    if not origin or not self.allowed(origin, req) then
      return false
    end
  end
  headers["access-control-allow-origin"] = self.allowed and origin or "*"
  if self.credentials then
    headers["access-control-allow-credentials"] = "true"
  end
  return origin ~= nil
end

local function preflight(self, req)
  local headers = {}
  vary.add(headers, "Access-Control-Request-Method",
    "Access-Control-Request-Headers")
  if allow(self, req, headers) then
    headers["access-control-allow-methods"] = self.methods
    headers["access-control-allow-headers"] = self.headers
      or req:header "access-control-request-headers"
    headers["access-control-max-age"] = self.max_age
  end
  return 204, nil, headers
end

local function add(self, req, ...)
  local status, body, headers = normal(...)
  if status then
    allow(self, req, headers)
    headers["access-control-expose-headers"] = self.expose
  end
  return status, body, headers
end

local function list(values)
  return values and table.concat(values, ", ")
end

--- Lets scripts of other sites make requests. Preflights are answered, without
-- the handler.
-- @tparam ?table opts `origins`: "*" (the default), an origin
-- ("https://a.example"), a list of them, or a function(origin, req) -> boolean;
-- `methods` (GET, HEAD, POST, PUT, PATCH, DELETE); `headers` that may be sent
-- (what is asked for); `expose`: headers that scripts may see; `credentials`
-- (false): with cookies, origins must be named then; `max_age`: seconds that a
-- preflight holds
-- @treturn function middleware
function cors.cors(opts)
  opts = options.check(opts, OPTIONS, "cors")
  local self = {
    allowed = compile(opts.origins, opts.credentials),
    methods = list(opts.methods or METHODS), headers = list(opts.headers),
    expose = list(opts.expose), credentials = opts.credentials,
    max_age = opts.max_age,
  }
  return function(next)
    return function(req)
      if req.method == "OPTIONS" and req:header "origin"
        and req:header "access-control-request-method"
      then
        return preflight(self, req)
      end
      return add(self, req, next(req))
    end
  end
end

return cors
