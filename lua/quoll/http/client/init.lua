--- The HTTP client.
--
-- An answer is returned as soon as its head is there; its body is read by the
-- methods of the answer. Failures are `nil, err, CODE`; an answer with a status
-- of 400 or more is none.
-- @module quoll.http.client

local core = require "quoll.core"
local fields = require "quoll.http.client.request.fields"
local follow = require "quoll.http.client.follow"
local jars = require "quoll.http.client.jar"
local options = require "quoll.options"
local origin = require "quoll.http.client.origin"
local request = require "quoll.http.client.request"
local retry = require "quoll.http.client.retry"
local scope = require "quoll.task.scope"

local client = {}

local Client = {}
local meta = { __index = Client, __name = "http client" }

local TIMEOUT = 30 -- s up to the head of the answer

-- What belongs to one request, and what a client has for all of them.
local ONE = { method = true, body = true, query = true, json = true,
  form = "table", multipart = "table", progress = true }
local SHARED = { headers = "table", timeout = "number", deadline = "number",
  redirects = true, downgrade = "boolean", tls = true, proxy = true,
  pool = true, retries = true, jar = true, unix = "string", max = "number",
  decompress = "boolean", expect = true, bind = "string",
  limits = "table", base = "string" }
local REQUEST = options.union(ONE, SHARED)

local LIMITS = { line = "number", head = "number", fields = "number" }
local RANGES = { line = { 16, 2 ^ 30 }, head = { 16, 2 ^ 30 },
  fields = { 1, 128 } }

local NOTHING = { opts = {}, headers = {} }

local function check_redirects(redirects)
  if redirects ~= nil and redirects ~= false and not (type(redirects)
    == "number" and redirects >= 0 and redirects % 1 == 0) then
    core.bad_argument(redirects, "redirects", "request",
      "a number, 0 or more, or false")
  end
end

local function check_seconds(opts, name)
  local s = opts[name]
  if s and s ~= true and not (type(s) == "number" and s >= 0) then
    core.bad_argument(s, name, "request", "seconds, 0 or more,")
  end
end

local function check_limits(limits)
  for name, value in pairs(options.check(limits, LIMITS, "request")) do
    local range = RANGES[name]
    if not (value >= range[1] and value <= range[2] and value % 1 == 0) then
      core.bad_argument(value, name, "request",
        ("a whole number from %d to %d"):format(range[1], range[2]))
    end
  end
end

local function check(opts)
  check_redirects(opts.redirects)
  options.check_timeout(opts.timeout, "request")
  check_seconds(opts, "deadline")
  check_seconds(opts, "expect")
  check_limits(opts.limits)
  retry.policy(opts.retries)
  if opts.jar and not jars.is(opts.jar) then
    core.bad_argument(opts.jar, "jar", "request", "a cookie jar")
  elseif opts.progress ~= nil and type(opts.progress) ~= "function" then
    core.bad_argument(opts.progress, "progress", "request", "a function")
  end
  return opts
end

-- The request's options before the client's.
local function merge(own, shared)
  local all = fields.copy(shared)
  for name, value in pairs(own) do
    all[name] = value
  end
  return check(all)
end

-- The deadline is ours: the caller knows it as a timeout.
local function timed(res, err, code)
  if not res and code == "DEADLINE" then
    return nil, "timeout", "TIMEOUT"
  end
  return res, err, code
end

local function closing(made, ok, ...)
  if made.close then
    made.close()
  end
  if not ok then
    error(..., 0)
  end
  return ...
end

local function run(made, opts)
  local timeout = opts.timeout or TIMEOUT
  local limit = math.min(timeout, opts.deadline or math.huge)
  made.timeout = timeout < math.huge and timeout or nil
  made.stop = opts.deadline and core.now() + opts.deadline
  made.ends = core.now() + limit
  if limit == math.huge then
    return follow.run(made)
  end
  return timed(scope.deadline(limit, follow.run, made))
end

local function perform(self, text, own)
  own = options.check(own, REQUEST, "request")
  local opts = merge(own, self.opts)
  local made, err, code = request.make(text, opts,
    fields.make(own.headers, self.headers))
  if not made then
    return nil, err, code
  end
  origin.check(made)
  return closing(made, pcall(run, made, opts))
end

local function with(opts, method, body)
  local own = fields.copy(options.check(opts, REQUEST, "request"))
  own.method = method
  if body ~= nil then
    own.body = body
  end
  return own
end

--- Sends a request and waits for the head of its answer.
-- @string url of http or https
-- @tparam ?table opts see docs/API.md
-- @treturn[1] Response
-- @treturn[2] nil
-- @treturn[2] string "timeout", "connection refused", "too many redirects", ...
-- @treturn[2] string CODE
function Client:request(url, opts)
  return perform(self, url, opts)
end

--- A GET request; results as of `request`.
-- @function Client:get
-- @string url of http or https
-- @tparam ?table opts as of `request`, without `method`
-- @treturn[1] Response
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE

--- A HEAD request; results as of `request`.
-- @function Client:head
-- @string url of http or https
-- @tparam ?table opts as of `request`, without `method`
-- @treturn[1] Response
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE

--- A DELETE request; results as of `request`.
-- @function Client:delete
-- @string url of http or https
-- @tparam ?table opts as of `request`, without `method`
-- @treturn[1] Response
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE

for name, method in pairs { get = "GET", head = "HEAD", delete = "DELETE" } do
  Client[name] = function(self, url, opts)
    return perform(self, url, with(opts, method))
  end
end

--- A POST request; results as of `request`.
-- @function Client:post
-- @string url of http or https
-- @tparam[opt] any body as the option `body` of `request`
-- @tparam ?table opts as of `request`, without `method`
-- @treturn[1] Response
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE

--- A PUT request; results as of `request`.
-- @function Client:put
-- @string url of http or https
-- @tparam[opt] any body as the option `body` of `request`
-- @tparam ?table opts as of `request`, without `method`
-- @treturn[1] Response
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE

--- A PATCH request; results as of `request`.
-- @function Client:patch
-- @string url of http or https
-- @tparam[opt] any body as the option `body` of `request`
-- @tparam ?table opts as of `request`, without `method`
-- @treturn[1] Response
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE

for name, method in pairs { post = "POST", put = "PUT", patch = "PATCH" } do
  Client[name] = function(self, url, body, opts)
    return perform(self, url, with(opts, method, body))
  end
end

for name, method in pairs(Client) do
  client[name] = function(...)
    return method(NOTHING, ...)
  end
end

--- A client with options of its own for all of its requests.
-- @tparam ?table opts those of `request` but what one request is about, and
-- `base`: a URL that others may be relative to
-- @treturn Client methods: request get head delete post put patch
function client.client(opts)
  opts = check(fields.copy(options.check(opts, SHARED, "client")))
  local headers = fields.make(opts.headers)
  opts.headers = nil
  return setmetatable({ opts = opts, headers = headers }, meta)
end

client.methods = Client

return client
