--- Descriptors that travel over unix sockets, in order with the bytes.
--
-- Source: bindings/stream/sendfd.c, receivefd.c
-- @module quoll.net.passing

local core = require "quoll.core"
local finish = require("quoll.wait").finish

local raw = core.connection
local bad_argument = core.bad_argument

local Connection = core.methods.connection

core.methods.file.getfd = core.file.getfd

local HANDLES = { connection = true, listener = true, udp = true, file = true }

-- A number, or nil, err, CODE.
local function descriptor(what)
  if type(what) == "number" then
    return what
  elseif HANDLES[getmetatable(what)] then
    return what:getfd()
  end
  bad_argument(what, "what", "sendfd",
    "a descriptor, a connection, a listener, a udp or a file")
end

--- Sends data with descriptors attached to its first byte. The other process
-- gets duplicates; what is here stays open.
-- @tparam int|Connection|Listener|Udp|File|table what a descriptor, a
-- connection, listener, udp or file, or an array of up to 64 of these
-- @tparam[opt="\0"] string|number|table data at least one byte
-- @treturn[1] int bytes sent
-- @treturn[2] nil
-- @treturn[2] string err; "too many references: cannot splice": the system has
-- too many under way
-- @treturn[2] int bytes sent
-- @treturn[2] string CODE
function Connection:sendfd(what, data)
  local list = {}
  local many = type(what) == "table" and getmetatable(what) == nil
  for i, one in ipairs(many and what or { what }) do
    local fd, err, code = descriptor(one)
    if not fd then
      return nil, err, 0, code
    end
    list[i] = fd
  end
  return finish(raw.sendfd(self, list, data == nil and "\0" or data))
end

--- Waits for a descriptor. From the first call, or `keepfds`, on those that
-- come are kept until they are taken here, 64 at most, or the connection is
-- closed.
-- @int[opt=65536] max bytes that may come in front of it
-- @treturn[1] int the descriptor, close-on-exec, now the script's:
-- `quoll.adopt`, `quoll.udp{fd=}`
-- @treturn[1] string the bytes, not received yet, up to the end of the message
-- that it came with
-- @treturn[2] nil
-- @treturn[2] string err; "too many open files": there was no room for some
-- that came here; "message too long": more than max bytes without one, unread
-- @treturn[2] string CODE
function Connection:receivefd(max)
  return finish(raw.receivefd(self, max))
end

--- Keeps descriptors that come with bytes that are received by other methods,
-- for `receivefd`. Without it the system closes them.
-- @function Connection:keepfds
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "operation not supported": no unix socket
-- @treturn[2] string CODE
Connection.keepfds = raw.keepfds

--- The descriptor of a file; it stays the file's.
-- @function File:getfd
-- @treturn[1] int
-- @treturn[2] nil
-- @treturn[2] string "closed"
-- @treturn[2] string CODE
