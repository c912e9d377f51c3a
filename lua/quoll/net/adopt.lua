--- Connections of descriptors that were opened elsewhere.
-- @module quoll.net.adopt

local core = require "quoll.core"
local options = require "quoll.options"

local adopt = {}

--- Makes a connection of a descriptor: a connected stream socket, a pipe, a
-- terminal, whatever can be polled. It becomes nonblocking, for everybody who
-- shares the open file.
-- @int fd the descriptor, closed with the connection
-- @tparam ?table opts `dup`: a duplicate is taken, fd stays the caller's
-- @treturn[1] Connection the connection, owned by the running task
-- @treturn[2] nil
-- @treturn[2] string err; fd is still open
-- @treturn[2] string CODE EPERM for regular files and directories, EINVAL for
-- datagram and listening sockets, EBADF, ...
function adopt.adopt(fd, opts)
  opts = options.check(opts, { dup = "boolean" }, "adopt")
  return core.adopt(fd, opts.dup)
end

return adopt
