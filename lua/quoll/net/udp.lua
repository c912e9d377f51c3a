--- Datagrams: UDP over IPv4 and IPv6, and unix datagram sockets.
--
-- One task may receive and one may send at a time; a second one gets "busy
-- reading" or "busy writing" (CODE `BUSY`). A datagram is received and sent as
-- a whole or not at all, an empty one is one like any other, and a failure
-- (CODE `ECONNREFUSED`: the peer has said that nobody listens) breaks nothing.
--
-- Failures are `nil, err, CODE`; those of `sendmany` have the number of
-- datagrams sent before CODE. Times are in seconds.
--
-- Source: bindings/udp
-- @module quoll.net.udp

local core = require "quoll.core"
local finish = require("quoll.wait").finish
local mark, take = core.mark, core.take
local named = require "quoll.net.named"
local options = require "quoll.options"

local raw = core.udp
local receive, receivefrom = raw.receive, raw.receivefrom
local send, sendto = raw.send, raw.sendto

local Udp = core.methods.udp
local udp = {}

local timeouts = setmetatable({}, { __mode = "k" }) -- of sockets, seconds

local SOCKET = {
  broadcast = "boolean", reuseaddr = "boolean", reuseport = "boolean",
  v6only = "boolean", rcvbuf = "number", sndbuf = "number", ttl = "number",
}
local OPTIONS = options.union(SOCKET,
  { bind = "string", family = "string", fd = "number" })

local function family_of(opts)
  local bind = opts.bind
  if opts.family or not bind then
    return opts.family or (next(opts) and "ipv4")
  end
  return bind:find "^unix:" and "unix" or bind:find "^%[" and "ipv6" or "ipv4"
end

local function prepare(self, opts)
  for name, value in pairs(opts) do
    if SOCKET[name] then
      local ok, err, code = raw.setoption(self, name, value)
      if not ok then
        return nil, err, code
      end
    end
  end
  if opts.bind then
    return raw.bind(self, opts.bind)
  end
  return true
end

local function adopt(opts)
  if next(opts, next(opts)) then
    core.raise "bad argument 'options' to 'udp' ('fd' is not alone)"
  end
  return raw.adopt(opts.fd)
end

--- Opens a datagram socket.
-- @tparam ?table opts `bind`: the address to receive at, "127.0.0.1:53",
-- "[::]:0", "unix:/path", "unix:@name" or "unix:" (a name of the system's
-- choice); `family`: "ipv4", "ipv6" or "unix", by default that of `bind`, else,
-- without any option, that of the first address it is given; `broadcast`,
-- `reuseaddr`, `reuseport`, `v6only` (booleans), `rcvbuf`, `sndbuf` (bytes),
-- `ttl`; or `fd` alone: a socket that was opened elsewhere, closed with this
-- one
-- @treturn[1] Udp the socket, owned by the running task
-- @treturn[2] nil
-- @treturn[2] string "address already in use", ...
-- @treturn[2] string CODE
function udp.udp(opts)
  opts = options.check(opts, OPTIONS, "udp")
  if opts.fd then
    return adopt(opts)
  end
  local self, err, code = raw.open(family_of(opts))
  if not self then
    return nil, err, code
  end
  local ok
  ok, err, code = prepare(self, opts)
  if not ok then
    self:close()
    return nil, err, code
  end
  return self
end

--- Receives a datagram and tells who sent it.
-- @int[opt] n bytes at most; the rest of a longer one is lost
-- @treturn[1] string the data
-- @treturn[1] ?string the sender's IP address; "unix:/path" of a unix socket,
-- nil of one without a name
-- @treturn[1] ?int its port
-- @treturn[1] ?int the datagram's length, when it was longer than the data
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function Udp:receivefrom(n)
  local data, address, port, size = receivefrom(self, n)
  if data == mark then
    return take(address, port)
  end
  return data, address, port, size
end

--- Receives a datagram.
-- @int[opt] n bytes at most; the rest of a longer one is lost
-- @treturn[1] string the data
-- @treturn[1] ?int the datagram's length, when it was longer than the data
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function Udp:receive(n)
  local data, err, code = receive(self, n)
  if data == mark then
    return take(err, code)
  end
  return data, err, code
end

--- Receives what there is, waiting only while there is nothing.
-- @int[opt] n datagrams at most
-- @treturn[1] table array of {data, address, port, size}, as `receivefrom`
-- gives them; `sendmany` takes it
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function Udp:receivemany(n)
  return finish(raw.receivemany(self, n))
end

--- Sends a datagram.
-- @tparam string|number|table data a string, a number, or an array of these
-- and of such arrays
-- @string address IP address or host name, or with its port "127.0.0.1:53",
-- "unix:/path"
-- @int[opt] port
-- @treturn[1] int bytes
-- @treturn[2] nil
-- @treturn[2] string err; "message too long": the system takes no datagram of
-- that length
-- @treturn[2] string CODE
function Udp:sendto(data, address, port)
  local sent, err, code = sendto(self, data, address, port)
  if sent == mark then
    return take(err, code)
  elseif sent then
    return sent
  elseif code == "ENOTFOUND" then
    return named.try(address, port, timeouts[self], function(...)
      return finish(sendto(self, data, ...))
    end)
  end
  return nil, err, code
end

--- Sends a datagram to the peer (see `setpeername`).
-- @tparam string|number|table data as for `sendto`
-- @treturn[1] int bytes
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function Udp:send(data)
  local sent, err, code = send(self, data)
  if sent == mark then
    return take(err, code)
  elseif sent then
    return sent
  end
  return nil, err, code
end

--- Sends many datagrams, in order, by few system calls. It ends at the first
-- that fails, which is list[first + sent]; `sendmany(list, first + sent + 1)`
-- goes on behind it.
-- @tparam table list array of data (to the peer) and of {data, address, port}
-- @int[opt=1] first where in the list to begin
-- @treturn[1] int datagrams sent: all
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] int datagrams sent
-- @treturn[2] string CODE
function Udp:sendmany(list, first)
  return finish(raw.sendmany(self, list, first))
end

--- Gives it a peer: sends go there, only what comes from there is received, and
-- the peer's refusals are told. Waits for the address of a host name.
-- @string address as for `sendto`; "*": no peer any more
-- @int[opt] port
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function Udp:setpeername(address, port)
  local ok, err, code = raw.setpeername(self, address, port)
  if not ok and code == "ENOTFOUND" then
    return named.try(address, port, timeouts[self], function(...)
      return raw.setpeername(self, ...)
    end)
  end
  return ok, err, code
end

--- Limits how long each wait of a receive, a send or a name may last.
-- @tparam ?number s seconds; nil or math.huge: no limit (the default), 0: try
-- once and do not wait
function Udp:settimeout(s)
  raw.settimeout(self, s)
  timeouts[self] = s
end

--- Its own address, as `receivefrom` gives one.
-- @function Udp:getsockname
-- @treturn[1] string IP address; "unix:/path" of a unix socket
-- @treturn[1] ?int port
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
Udp.getsockname = raw.getsockname

--- The peer's address, as `receivefrom` gives one.
-- @function Udp:getpeername
-- @treturn[1] string IP address; "unix:/path" of a unix socket
-- @treturn[1] ?int port
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
Udp.getpeername = raw.getpeername

--- A socket option.
-- @function Udp:getoption
-- @string option "broadcast" "reuseaddr" "reuseport" "dontroute" "v6only"
-- "multicast-loop" (booleans), "sndbuf" "rcvbuf" (bytes), "ttl" "tos"
-- "multicast-ttl" (numbers), "error" (the pending error's words or nil)
-- @treturn[1] any its value
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
Udp.getoption = raw.getoption

--- Sets a socket option, "multicast-interface" (a name or a number) too;
-- "error" can only be read.
-- @function Udp:setoption
-- @string option
-- @tparam any value
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
Udp.setoption = raw.setoption

--- The descriptor; it stays the socket's.
-- @function Udp:getfd
-- @treturn[1] int
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
Udp.getfd = raw.getfd

local MEMBERSHIP = { interface = true, source = "string" }

--- Hears what is sent to a multicast group.
-- @string group IP address
-- @tparam ?table opts `interface`: name or number of the one that hears it, by
-- default the system's choice; `source`: IP address of the only sender
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "address already in use": it hears it already, ...
-- @treturn[2] string CODE
function Udp:join(group, opts)
  opts = options.check(opts, MEMBERSHIP, "join")
  return raw.join(self, group, opts.interface, opts.source)
end

--- Hears it no more; the arguments are those of `join`.
-- @string group IP address
-- @tparam ?table opts `interface`, `source`
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function Udp:leave(group, opts)
  opts = options.check(opts, MEMBERSHIP, "leave")
  return raw.leave(self, group, opts.interface, opts.source)
end

return udp
