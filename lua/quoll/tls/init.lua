--- TLS: contexts, and TLS on connections.
--
-- Failures are `nil, err, CODE`: OpenSSL's reason in lower case, its name as
-- CODE ("certificate has expired", `CERT_HAS_EXPIRED`). Certificates are
-- verified unless `verify = false`. TLS 1.2 and 1.3 only.
--
-- Source: bindings/tls/, runtime/tls/
-- @module quoll.tls

local core = require "quoll.core"
local content = require "quoll.fs.content"
local context = require "quoll.tls.context"
local settings = require "quoll.tls.settings"
local connect = require "quoll.net.connect"
local finish = require("quoll.wait").finish
local listener = require "quoll.net.listener"

local Connection = core.methods.connection
local now = core.now

local tls = {}

local HANDSHAKE = 10 -- seconds that a handshake may take by default

local PER_CONNECTION = { context = true, server_name = "string",
  session = "string", timeout = "number" }

--- Makes a context, which any number of connections may share: certificates
-- are read and parsed once, and a client's sessions are resumed.
-- @tparam ?table opts those of `starttls` without server_name, session and
-- timeout
-- @treturn[1] Context for `starttls`, `connect` and `serve`
-- @treturn[2] nil
-- @treturn[2] string "cert: no start line", "path: no such file ...", ...
-- @treturn[2] string CODE
function tls.context(opts)
  return context.make(settings.check(opts, "context"), "context")
end

-- The context's options, and the connection's.
local function split(opts)
  local shared, own = {}, {}
  for name, value in pairs(opts) do
    if PER_CONNECTION[name] then
      own[name] = value
    else
      shared[name] = value
    end
  end
  return shared, own
end

-- context, options of the connection | nil, err, CODE
local function resolve(opts, method)
  if context.is(opts) then
    return opts, {}
  end
  opts = settings.check(opts ~= true and opts or nil, method, PER_CONNECTION)
  local shared, own = split(opts)
  if own.context then
    if not context.is(own.context) then
      core.bad_argument(own.context, "context", method, "a TLS context")
    elseif next(shared) then
      core.raise(("bad argument 'options' to '%s' ('%s' beside 'context')")
        :format(method, tostring((next(shared)))))
    end
    return own.context, own
  end
  local made, err, code = context.shared(shared, method)
  if not made then
    return nil, err, code
  end
  return made, own
end

local function write_keylog(conn, where)
  local lines = context.core().keylog(conn)
  if lines and type(where) == "function" then
    where(lines)
  elseif lines then
    content.append(where, lines)
  end
end

-- The certificate for the name that the client has asked for.
local function choose(conn, ctx, timeout)
  local raw = context.core()
  local ok, chosen = pcall(ctx.certificate, ctx, raw.name(conn))
  if not ok then
    conn:close()
    error(chosen, 0)
  end
  return finish(raw.choose(conn, chosen and chosen.raw, timeout))
end

local function shake(conn, ctx, own, host)
  local limit = own.timeout or HANDSHAKE
  local began = now()
  local name = own.server_name or (host ~= "" and host or nil)
  local done, err, code = finish(context.core().start(conn, ctx.raw, name,
    ctx.verify and name or nil, own.session, limit))
  if done == false then
    done, err, code = choose(conn, ctx, math.max(limit - (now() - began), 0))
  end
  if not done then
    return nil, err, code
  end
  if ctx.keylog then
    write_keylog(conn, ctx.keylog)
  end
  return true
end

local function check_name(verify, own, host, method)
  if verify and not own.server_name and host == "" then
    core.raise(("bad argument 'options' to '%s' (verification needs "
      .. "'server_name')"):format(method))
  end
end

-- A failure before the handshake closes the connection too.
local function start(conn, opts, host)
  local ctx, own, code = resolve(opts, "starttls")
  if not ctx then
    conn:close()
    return nil, own, code
  end
  check_name(ctx.verify and not ctx.server, own, host, "starttls")
  return shake(conn, ctx, own, host)
end

--- Puts TLS on the connection: everything that is received and sent from now on
-- is encrypted. A failure closes it. Bytes received before that nobody has read
-- are a failure ("unread bytes").
-- @tparam Context|table opts a context, or its options and these: `context`;
-- `server_name`: the name to ask for and to verify; `session`: of
-- `tlssession`, to resume; `timeout`: seconds of the handshake (10)
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "certificate has expired", "timeout", ...
-- @treturn[2] string CODE
function Connection:starttls(opts)
  return start(self, opts, "")
end

--- What the handshake came to.
-- @treturn[1] table version, cipher, server_name, alpn, reused, verified,
-- ocsp_response, peer (subject, issuer, sans, not_before, not_after,
-- fingerprint)
-- @treturn[2] nil
-- @treturn[2] string "closed", "protocol not available": no TLS on it
-- @treturn[2] string CODE
function Connection:tlsinfo()
  return context.core().info(self)
end

--- The session, for `starttls`'s option of that name. With TLS 1.3 it comes
-- with the first bytes that are read.
-- @treturn[1] string
-- @treturn[2] nil
-- @treturn[2] string "no data available": none that can be resumed
-- @treturn[2] string CODE
function Connection:tlssession()
  return context.core().session(self)
end

connect.steps.tls = start

-- A context's own options were checked when it was made.
function connect.checks.tls(opts, host)
  local own = {}
  local ctx = context.is(opts) and opts
  if not ctx then
    own = settings.check(opts ~= true and opts or nil, "connect",
      PER_CONNECTION)
    ctx = context.is(own.context) and own.context
  end
  local verify = own.verify ~= false
  if ctx then
    verify = ctx.verify
  end
  check_name(verify, own, host, "connect")
end

-- A handler's connection has its handshake in the handler's task.
function listener.steps.tls(fn, opts)
  if opts == true then
    core.bad_argument(opts, "tls", "serve", "a table or a TLS context")
  end
  local ctx, own = resolve(context.is(opts) and opts
    or settings.for_server(opts), "serve")
  if not ctx then
    core.raise("cannot serve: " .. own)
  end
  return function(conn)
    local peer = conn:getpeername()
    local ok, err, code = shake(conn, ctx, own, "")
    if ok then
      return fn(conn)
    elseif code ~= "CLOSED" and code ~= "OWNER_ENDED" then
      core.log("info", ("tls: no handshake with %s: %s"):format(
        tostring(peer), err))
    end
  end
end

return tls
