--- The handshake: at one end of a connection, as a step of `quoll.connect`, and
-- in front of a server's handlers.
-- @module quoll.tls.handshake

local core = require "quoll.core"
local content = require "quoll.fs.content"
local context = require "quoll.tls.context"
local settings = require "quoll.tls.settings"
local finish = require("quoll.wait").finish

local now = core.now

local handshake = {}

local HANDSHAKE = 10 -- seconds that it may take by default

local PLAIN = "The plain HTTP request was sent to HTTPS port\n"
local PLAIN_ANSWER = "HTTP/1.1 400 Bad Request\r\n"
  .. "Content-Type: text/plain\r\nContent-Length: " .. #PLAIN
  .. "\r\nConnection: close\r\n\r\n" .. PLAIN
local PLAIN_LINGER = 2 -- seconds without a byte
local PLAIN_MOST = 65536 -- bytes that are read behind the answer

local PER_CONNECTION = { context = true, server_name = "string",
  session = "string", timeout = "number" }

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

-- The certificate for the name that the client has asked for. When that fails,
-- so does the handshake, with an alert.
local function choose(conn, ctx, timeout)
  local raw = context.core()
  local ok, chosen = xpcall(ctx.certificate, core.kept, ctx, raw.name(conn))
  if not ok then
    if not core.iscancelled(chosen) then
      finish(raw.choose(conn, false, timeout))
    end
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

--- Puts TLS on conn. A failure, also before the handshake, closes it.
-- @tparam Connection conn
-- @tparam Context|table|boolean opts of `starttls`; true: none
-- @string host the name in the address; "": none
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function handshake.start(conn, opts, host)
  local ctx, own, code = resolve(opts, "starttls")
  if not ctx then
    conn:close()
    return nil, own, code
  end
  check_name(ctx.verify and not ctx.server, own, host, "starttls")
  local done, err, why = shake(conn, ctx, own, host)
  if why == "HTTP_REQUEST" then
    conn:close()
  end
  return done, err, why
end

--- Raises on options that `start` would raise on. A context's own were checked
-- when it was made.
function handshake.check(opts, host)
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

-- To one who speaks HTTP without TLS; what it still sends is read for a while,
-- or the system would take the answer back.
local function answer_plain(conn)
  if not conn:send(PLAIN_ANSWER) then
    return
  end
  conn:shutdown "send"
  conn:settimeout(PLAIN_LINGER)
  local left = PLAIN_MOST
  while left > 0 do
    local data = conn:receiveany(left)
    if not data then
      return
    end
    left = left - #data
  end
end

--- fn behind a handshake, which its connection has in the handler's task.
-- @func fn called with a connection
-- @tparam Context|table opts of a server
-- @treturn function
function handshake.serving(fn, opts)
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
    if code == "HTTP_REQUEST" then
      answer_plain(conn)
    end
  end
end

return handshake
