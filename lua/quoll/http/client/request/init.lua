--- Requests: what the caller wants, checked, and the head that says so.
-- @module quoll.http.client.request

local body = require "quoll.http.client.request.body"
local core = require "quoll.core"
local decode = require "quoll.http.client.response.decode"
local field = require "quoll.http.syntax.field"
local fields = require "quoll.http.client.request.fields"
local json = require "quoll.http.syntax.json"
local multipart = require "quoll.http.client.request.multipart"
local proxy = require "quoll.http.client.proxy"
local url = require "quoll.http.client.url"

local request = {}

-- A request that may come twice without harm.
local IDEMPOTENT = { GET = true, HEAD = true, PUT = true, DELETE = true,
  OPTIONS = true, TRACE = true }
local WITH_BODY = { POST = true, PUT = true, PATCH = true }

local function refuse(what, why)
  core.raise(("bad argument '%s' to 'request' (%s)"):format(what, why))
end

local function relative(base, text)
  local from, why = url.parse(base)
  if not from then
    refuse("base", why)
  elseif text:find "[%z\1-\32\127]" then
    return nil, "space or control character"
  end
  return url.resolve(from, text)
end

local function add_query(to, given)
  local query = type(given) == "table" and url.query(given) or tostring(given)
  if query:find "[^!-~]" or query:find "#" then
    refuse("query", "no query")
  end
  to.query = to.query and to.query .. "&" .. query or query
end

local function locate(text, opts)
  if type(text) ~= "string" then
    core.bad_argument(text, "url", "request", "a string")
  end
  local to, why
  if opts.base then
    to, why = relative(opts.base, text)
  else
    to, why = url.parse(text)
  end
  if not to then
    refuse("url", why)
  elseif opts.query then
    add_query(to, opts.query)
  end
  return to
end

local function method_of(opts)
  local method = opts.method or "GET"
  if type(method) ~= "string" or not field.is_token(method)
    or method == "CONNECT" then
    core.bad_argument(method, "method", "request", "a method")
  end
  return method
end

local forms = {}

function forms.body(value)
  return value
end

function forms.json(value)
  local text, why = json.encode(value)
  if not text then
    refuse("json", why)
  end
  return text, "application/json"
end

function forms.form(value)
  return url.query(value), "application/x-www-form-urlencoded"
end

function forms.multipart(value, made)
  local parts, err, code = multipart.make(value)
  if not parts then
    return nil, err, code
  end
  made.close = parts.close
  return parts.body, parts.type
end

-- In which form the body is given.
local function form_of(opts)
  local found
  for _, name in ipairs { "body", "json", "form", "multipart" } do
    if opts[name] ~= nil and found then
      refuse("options", ("'%s' beside '%s'"):format(name, found))
    end
    found = opts[name] ~= nil and name or found
  end
  return found
end

-- How long the body is, as far as it is known.
local function length_of(made)
  local given = made.headers["content-length"]
  if given then
    local digits = (given[2] or ""):match "^%d+$"
    if not made.body or made.body.size or not digits then
      refuse("headers", "Content-Length is for a function as body")
    end
    return tonumber(digits)
  elseif made.body then
    return made.body.size
  end
  return WITH_BODY[made.method] and 0 or nil
end

local function plan_body(made, opts)
  local form = form_of(opts)
  if form then
    local value, what, code = forms[form](opts[form], made)
    if value == nil then
      return nil, what, code
    end
    fields.default(made.headers, "Content-Type", what)
    local err
    made.body, err, code = body.plan(value)
    if not made.body then
      return nil, err, code
    end
  end
  made.length = length_of(made)
  return made
end

--- Checks what a caller wants; raises on misuse.
-- @string text the URL
-- @tparam table opts
-- @tparam table headers of fields.make
-- @treturn[1] table url, method, headers, body, length, close
-- @treturn[2] nil
-- @treturn[2] string err: files could not be opened
-- @treturn[2] string CODE
function request.make(text, opts, headers)
  local made = { url = locate(text, opts), method = method_of(opts),
    headers = headers, opts = opts, downgrade = opts.downgrade }
  proxy.choose(opts.proxy, made.url) -- raises before anything is opened
  return plan_body(made, opts)
end

--- Whether it may be sent again when nobody knows whether it has arrived.
function request.idempotent(made)
  return IDEMPOTENT[made.method] ~= nil
    and (not made.body or made.body.replayable)
end

--- Whether the body goes in chunks.
function request.chunked(made)
  return made.body ~= nil and made.length == nil
end

local function add_framing(headers, made)
  if made.length then
    headers["content-length"] = { "Content-Length",
      ("%.0f"):format(made.length) }
  elseif made.body then
    headers["transfer-encoding"] = { "Transfer-Encoding", "chunked" }
  end
  if made.opts.expect and made.body then
    fields.default(headers, "Expect", "100-continue")
  end
end

local function complete(made, via)
  local headers, opts = fields.copy(made.headers), made.opts
  fields.default(headers, "Host", url.authority(made.url))
  fields.default(headers, "User-Agent", "quoll/" .. core.version)
  fields.default(headers, "Accept", "*/*")
  fields.default(headers, "Authorization", proxy.credentials(made.url))
  if opts.decompress ~= false and not headers.range then
    fields.default(headers, "Accept-Encoding", decode.accepted())
  end
  if opts.pool == false then
    fields.default(headers, "Connection", "close")
  end
  if opts.jar then
    fields.default(headers, "Cookie", opts.jar:get(made.url))
  end
  add_framing(headers, made)
  if via and not proxy.tunnels(made.url) then
    fields.default(headers, "Proxy-Authorization", proxy.credentials(via))
  end
  return headers
end

--- The head of the request.
-- @tparam table made
-- @tparam ?table via parsed URL of the proxy that it goes through
-- @treturn string
function request.head(made, via)
  local target = url.target(made.url)
  if via and not proxy.tunnels(made.url) then
    target = "http://" .. url.authority(made.url) .. target
  end
  return table.concat { made.method, " ", target, " HTTP/1.1\r\n",
    fields.write(complete(made, via)), "\r\n" }
end

return request
