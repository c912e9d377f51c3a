--- Connections: TCP and unix sockets, from `quoll.connect` or a listener.
--
-- Reads and writes behave like OpenResty's cosockets. They wait in the task
-- that calls them, one read and one write at a time; a second one gets
-- "busy reading" or "busy writing" (CODE `BUSY`). Times are in seconds.
--
-- Failures are `nil, err, CODE`; those of reads `nil, err, partial, CODE`,
-- where partial is what had come (and is used up), "" if nothing; those of
-- sends have the number of bytes sent in its place. err is "timeout",
-- "closed", "busy ..." or the system's words in lower case.
--
-- Source: bindings/stream/; bindings/net/sockopt.c, connect.c
-- @module quoll.net.connection

local core = require "quoll.core"
local finish = require("quoll.wait").finish
local iterator = require "quoll.iterator"
local mark, take = core.mark, core.take
local options = require "quoll.options"
require "quoll.block"

local raw = core.connection
local raise = core.raise
local boundary = raw.boundary
local receive, receiveany = raw.receive, raw.receiveany
local receiveuntil, peek, send = raw.receiveuntil, raw.peek, raw.send

local Connection = core.methods.connection

local CHUNK = 16384 -- bytes that chunks() gives at most by default

-- receive, receiveany and send are called once a message: what finish() does is
-- written out, since it costs less than passing varargs on.

local function refuse_more(method, value)
  raise(("bad argument #2 to '%s' (one argument expected, got a %s too)")
    :format(method, type(value)))
end

--- Reads.
-- @function Connection:receive
-- @tparam ?number|string pattern a number of bytes (0: "" at once), "*l" a line
-- without LF and any CR (the default), "*a" all up to the end of the stream
-- @treturn[1] string the bytes
-- @treturn[2] nil
-- @treturn[2] string err; "closed" at the end, "timeout" keeps the connection
-- @treturn[2] string partial
-- @treturn[2] string CODE
function Connection:receive(pattern, more)
  if more ~= nil then
    refuse_more("receive", more)
  end
  local data, err, partial, code = receive(self, pattern)
  if data == mark then
    return take(err)
  elseif data then
    return data
  end
  return nil, err, partial, code
end

--- Reads what is there, waiting only while there is nothing.
-- @int max bytes at most, 1 or more
-- @treturn[1] string 1 to max bytes
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string ""
-- @treturn[2] string CODE
function Connection:receiveany(max)
  local data, err, partial, code = receiveany(self, max)
  if data == mark then
    return take(err)
  elseif data then
    return data
  end
  return nil, err, partial, code
end

--- Makes a reader of what comes before a boundary.
-- @string pattern the boundary, plain text
-- @tparam ?table opts `inclusive`: the boundary belongs to the result
-- @treturn function f([size]): without size all up to the boundary; with it
-- pieces of at most size bytes, then one call that returns nil alone. Failures
-- are those of `receive`; after a timeout f goes on where it was.
function Connection:receiveuntil(pattern, opts)
  opts = options.check(opts, { inclusive = "boolean" }, "receiveuntil")
  local bound = boundary(pattern, opts.inclusive)
  return function(size)
    return finish(receiveuntil(bound, size, self))
  end
end

--- Reads n bytes and leaves them unread.
-- @int n bytes
-- @treturn[1] string n bytes
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string partial, which stays unread too
-- @treturn[2] string CODE
function Connection:peek(n)
  return finish(peek(self, n))
end

local function next_line(self)
  local line, err, partial, code = finish(receive(self, "*l"))
  if line then
    return line
  elseif code ~= "CLOSED" then
    raise(err)
  elseif partial ~= "" then
    return partial
  end
  return nil
end

--- Iterates over the lines up to the end of the stream, as `receive "*l"`
-- gives them; the last one may lack its LF. Raises err on any failure.
-- @function Connection:lines
-- @treturn Iterator an iterator; close() ends it early, the connection stays
function Connection:lines(format)
  if format ~= nil then
    raise(("bad argument #1 to 'lines' (no argument expected, got a %s)")
      :format(type(format)))
  end
  return iterator.new(next_line, self)
end

local function next_chunk(self, size)
  local chunk, err, _, code = finish(receiveany(self, size))
  if chunk == nil and code ~= "CLOSED" then
    raise(err)
  end
  return chunk
end

--- Iterates over the bytes as they come, to the end; raises err on a failure.
-- @tparam[opt=16384] int n bytes a piece at most
-- @treturn Iterator an iterator; close() ends it early, the connection stays
function Connection:chunks(n)
  local size = n or CHUNK
  if type(size) ~= "number" or size < 1 or size % 1 ~= 0 then
    core.bad_argument(n, "n", "chunks", "a number of bytes")
  end
  return iterator.new(next_chunk, self, size)
end

--- Sends all of data. A failure, timeout or cancellation after part of it has
-- gone breaks this direction: later sends get "closed". Strings, arrays and
-- structs are sent from where they are, and kept alive meanwhile; a cdata that
-- the script changes while its send waits is sent as it is when its turn comes.
-- Of a string.buffer what has to wait is copied: what it held at the call is
-- sent. A pointer's memory is the script's to keep.
-- @tparam string|number|table|cdata|buffer data a string, a number, a cdata, a
-- string.buffer, or an array of these and of such arrays
-- @int[opt] n bytes of a cdata; required for a pointer, all by default
-- @treturn[1] int bytes sent
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] int bytes sent
-- @treturn[2] string CODE
function Connection:send(data, n)
  if n ~= nil and type(data) ~= "cdata" then
    refuse_more("send", n)
  end
  local sent, err, partial, code = send(self, data, n)
  if sent == mark then
    return take(err, partial)
  elseif sent then
    return sent
  end
  return nil, err, partial, code
end

--- From now on what is sent is gathered, and leaves in one call: at uncork,
-- when no more fits (that send sends it and waits), when a file is sent, and
-- before the loop waits; it never waits for an uncork. Sends return at once;
-- the next send or uncork tells of a failure, which breaks this direction, and
-- within its timeout of a peer that does not read. `close` sends what the
-- system takes at once, and logs what not; `shutdown "send"` uncorks first.
-- @function Connection:cork
-- @int[opt=65536] n bytes gathered at most, up to 16 MiB
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
Connection.cork = raw.cork

--- Sends what is gathered, waits until the system has it, and gathers no more.
-- What a timeout or a cancellation leaves is still sent, by and by.
-- @treturn[1] boolean true; also when it was not corked
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function Connection:uncork()
  return finish(raw.uncork(self))
end

--- Sends a part of a file, without a copy where the page cache has it and
-- without ever waiting for the disk on the loop. The end of the file is that of
-- the call: fewer than n bytes only where the file ends before. Failures are
-- those of `send`, and "path: err" where the file is at fault: it could not be
-- read, was closed, or has been cut meanwhile (ENODATA).
-- @tparam File file
-- @int[opt=0] offset bytes from its start
-- @int[opt] n bytes; all there are by default
-- @treturn[1] int bytes sent
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] int bytes sent
-- @treturn[2] string CODE
function Connection:sendfile(file, offset, n)
  return finish(raw.sendfile(self, file, offset, n))
end

--- Limits how long each wait of a read or a send may last without progress.
-- @function Connection:settimeout
-- @tparam ?number s seconds; nil or math.huge: no limit (the default), 0: try
-- once and do not wait
Connection.settimeout = raw.settimeout

--- The same, for sends and reads apart.
-- @function Connection:settimeouts
-- @tparam ?number send seconds
-- @tparam ?number receive seconds
Connection.settimeouts = raw.settimeouts

--- Closes one half: the peer reads the end of the stream, or its data are
-- refused. What is gathered is sent before.
-- @string direction "send", "receive" or "both"
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function Connection:shutdown(direction)
  if raw.gathered(self) > 0 and direction ~= "receive" then
    local ok, err, code = self:uncork()
    if not ok then
      return nil, err, code
    end
  end
  return raw.shutdown(self, direction)
end

--- The address of the other end.
-- @function Connection:getpeername
-- @treturn[1] string IP address; "unix:/path" of a unix socket
-- @treturn[1] ?int port
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
Connection.getpeername = raw.getpeername

--- The address of this end; as `getpeername`.
-- @function Connection:getsockname
-- @treturn[1] string IP address; "unix:/path" of a unix socket
-- @treturn[1] ?int port
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
Connection.getsockname = raw.getsockname

--- A socket option.
-- @function Connection:getoption
-- @string option "keepalive" "reuseaddr" "oobinline" "tcp-nodelay"
-- "tcp-quickack" "tcp-fastopen" (booleans), "sndbuf" "rcvbuf"
-- "tcp-notsent-lowat" "tcp-maxseg" (bytes), "keepidle" "keepintvl" (seconds),
-- "keepcnt", "user-timeout" (ms), "tos" "ttl" "priority" "mark" (numbers),
-- "tcp-congestion" "bindtodevice" (names), "linger" (seconds or false),
-- "error" (the pending error's words or nil), "peercred" (of a unix socket's
-- peer: { pid=, uid=, gid= })
-- @treturn[1] any its value
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
Connection.getoption = raw.getoption

--- Sets a socket option; "error" and "peercred" can only be read.
-- @function Connection:setoption
-- @string option
-- @tparam any value
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
Connection.setoption = raw.setoption

--- The descriptor; it stays the connection's.
-- @function Connection:getfd
-- @treturn[1] int
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
Connection.getfd = raw.getfd

--- Closes the connection. Who waits on it gets "closed".
-- @function Connection:close
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "closed"
-- @treturn[2] string CODE
