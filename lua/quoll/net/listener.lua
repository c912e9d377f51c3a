--- Listening sockets and servers.
--
-- Failures are `nil, err, CODE`. Source: bindings/net/listener.c
-- @module quoll.net.listener

local core = require "quoll.core"
local finish = require("quoll.wait").finish
local handshake = require "quoll.tls.handshake"
local inherited = require "quoll.net.inherited"
local options = require "quoll.options"
local proxy = require "quoll.net.proxy"
local stop = require "quoll.stop"

local raw = core.listener
local raise, bad_argument = core.raise, core.bad_argument
local core_accept = raw.accept
local iscancelled = core.iscancelled
local spawn, serve_one = core.spawn, core.serve_one
local task_own = core.task_own
local task_room, task_wait = core.task_room, core.task_wait

local Listener = core.methods.listener
local listener = {}

local LISTEN = {
  backlog = "number",
  reuseport = "boolean",
  exclusive = "boolean",
  v6only = "boolean",
  freebind = "boolean",
  transparent = "boolean",
  max_connections = "number",
  max_per_peer = "number",
  deferred = "number",
  fastopen = "number",
  permissions = "number",
  uid = "number",
  gid = "number",
  options = "table",
  proxy = true,
}
local SERVE = { max = "number", onerror = "function", proxy = true,
  tls = true }
local SERVE_ADDRESS = options.union(LISTEN, SERVE)

-- Listener -> what proxy.check gave for it, or true.
local listening = setmetatable({}, { __mode = "k" })

-- At the first address of a host that this machine has.
local function listen_named(address, opts)
  local host, port = address:match "^(.*):(%d+)$"
  local addresses, err, code = require("quoll.dns").resolve(host)
  local self
  for _, ip in ipairs(addresses or {}) do
    local form = ip:find(":", 1, true) and "[%s]:%s" or "%s:%s"
    self, err, code = raw.listen(form:format(ip, port), opts)
    if code ~= "EADDRNOTAVAIL" then
      break
    end
  end
  return self, err, code
end

local function listen(address, opts)
  local from = address
  if address:find "^fd:" then
    from = inherited.find(address)
    if not from then
      return nil, ("bad address '%s': no such socket was inherited")
        :format(address), "EINVAL"
    end
    if opts.exclusive == nil then
      opts = setmetatable({ exclusive = true }, { __index = opts })
    end
  end
  local header = not opts.proxy or proxy.check(opts.proxy, "listen")
  local self, err, code = raw.listen(from, opts)
  if code == "ENOTFOUND" then
    self, err, code = listen_named(from, opts)
  end
  if self then
    listening[self] = header
  end
  return self, err, code
end

stop.hook(function()
  for self in pairs(listening) do
    raw.stop(self)
  end
end)

--- Listens.
-- @string address "127.0.0.1:8080", "[::1]:8080", ":8080" (any IPv4 address),
-- "unix:/path" or "unix:@name"; port 0 lets the system choose; "name:8080": the
-- first of that host's addresses that this machine has, see `quoll.dns`; "fd:3"
-- or "fd:name": a listening socket that was inherited
-- @tparam ?table opts `backlog`: connections the kernel keeps (511);
-- `reuseport`: other sockets may listen on the same port; `exclusive`: other
-- processes accept on the socket too: one wakes, and takes what it waits for;
-- `v6only`: no IPv4 on "[::]"; and more, see docs/API.md
-- @treturn[1] Listener the listener, owned by the running task
-- @treturn[2] nil
-- @treturn[2] string "address already in use", "bad address ...", ...
-- @treturn[2] string CODE
function listener.listen(address, opts)
  if type(address) ~= "string" then
    bad_argument(address, "address", "listen", "an address")
  elseif type(opts) == "table" and opts.tls ~= nil then
    raise("bad argument 'options' to 'listen' ('tls' is one of 'serve'; what "
      .. "'accept' returns has 'starttls')")
  end
  return listen(address, options.check(opts, LISTEN, "listen"))
end

--- Waits for the next connection. Several tasks may wait: first come, first
-- served.
-- @tparam ?number s seconds at most; 0: only if there is one
-- @treturn[1] Connection the connection, owned by the running task
-- @treturn[2] nil
-- @treturn[2] string "timeout" or "closed"
-- @treturn[2] string CODE
function Listener:accept(s)
  return finish(core_accept(self, s))
end

--- Where it listens.
-- @function Listener:address
-- @treturn[1] string "127.0.0.1:8080": as `quoll.connect` takes it
-- @treturn[2] nil
-- @treturn[2] string "closed"
-- @treturn[2] string CODE
Listener.address = raw.address

--- Its descriptor, for a process that is to share it.
-- @function Listener:getfd
-- @treturn[1] number
-- @treturn[2] nil
-- @treturn[2] string "closed"
-- @treturn[2] string CODE
Listener.getfd = raw.getfd

local function describe(err)
  return {
    err = err,
    cancelled = iscancelled(err),
    traceback = core.traceback(err),
  }
end

-- A failed handler's error goes to onerror; when that raises too, both are in
-- the log. A cancellation goes on.
local function guarded(conn, fn, onerror)
  local ok, failure = xpcall(fn, describe, conn)
  if ok then
    return
  elseif failure.cancelled then
    error(failure.err, 0)
  end
  local told, why = xpcall(onerror, core.kept, failure.err, failure.traceback)
  if not told then
    core.log_lines("error", "serve: a handler failed: ", failure.traceback)
    error(why, 0)
  end
end

local function accept_loop(self, fn, opts)
  while true do
    if opts.max then
      finish(task_room(opts.max))
    end
    local conn, err, code = finish(core_accept(self))
    if conn then
      if opts.onerror then
        serve_one(guarded, conn, fn, opts.onerror)
      else
        serve_one(fn, conn)
      end
    elseif code == "CLOSED" or code == "OWNER_ENDED" then
      return
    else
      error("cannot accept: " .. err, 0)
    end
  end
end

local function run_server(self, fn, opts, ours)
  core.check_wait()
  if core.is_root() then
    core.stop_over()
  end
  local header = opts.proxy and proxy.check(opts.proxy, "serve")
    or listening[self]
  if header ~= true then
    fn = proxy.handler(fn, header)
  end
  local server = spawn(accept_loop, self, fn, opts)
  if ours then
    task_own(self, server)
  end
  return finish(task_wait(server))
end

local function check_where(where, expected)
  if getmetatable(where) ~= "listener" then
    bad_argument(where, "where", "serve", expected)
  end
end

local function check_serve(fn, opts, known)
  if type(fn) ~= "function" then
    bad_argument(fn, "fn", "serve", "a function")
  end
  opts = options.check(opts, known, "serve")
  if opts.max and not (opts.max >= 1 and opts.max % 1 == 0) then
    bad_argument(opts.max, "max", "serve", "a whole number from 1 up")
  end
  return opts
end

local function with_tls(fn, opts)
  return opts.tls and handshake.serving(fn, opts.tls) or fn
end

--- Accepts connections until the listener is closed, each in a task of its
-- own that runs fn(conn) and closes conn when it ends. An error in fn ends
-- that task only, and is logged. Returns when the last handler has ended. After
-- `quoll.stop` what has come before is served still.
-- @func fn called with each connection
-- @tparam ?table opts `max`: handlers at work at most; `onerror`: called with
-- a handler's error and its traceback instead of the log; `proxy`: "v1", "v2",
-- true or a table: connections begin with a header of the PROXY protocol
function Listener:serve(fn, opts)
  check_where(self, "a listener")
  opts = check_serve(fn, opts, SERVE)
  return run_server(self, with_tls(fn, opts), opts, false)
end

--- Listens and serves; see `Listener:serve`. Raises when it cannot listen.
-- @tparam string|Listener where an address (see `listen`) or a listener
-- @func fn called with each connection
-- @tparam ?table opts those of `Listener:serve` and of `listen`
function listener.serve(where, fn, opts)
  if type(where) ~= "string" then
    check_where(where, "an address or a listener")
    return Listener.serve(where, fn, opts)
  end
  opts = check_serve(fn, opts, SERVE_ADDRESS)
  fn = with_tls(fn, opts)
  local self, err = listen(where, opts)
  if not self then
    raise(("cannot listen on %s: %s"):format(where, err))
  end
  return run_server(self, fn, opts, true)
end

return listener
