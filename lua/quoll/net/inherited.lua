--- Sockets that whoever started the process has opened for it.
-- systemd's socket activation, and every starter that does the same:
-- LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES.
--
-- Source: bindings/net/inherited.c
-- @module quoll.net.inherited

local core = require "quoll.core"

local inherited = {}

local sockets -- the environment is read once

local function all()
  sockets = sockets or core.inherited()
  return sockets
end

--- The descriptors that this process was started with, in order. The first call
-- takes the three variables out of the environment.
-- @treturn table array of {fd = number, name = string}; name is "unknown" where
-- the starter gave none
function inherited.inherited()
  local list = {}
  for i, socket in ipairs(all()) do
    list[i] = { fd = socket.fd, name = socket.name }
  end
  return list
end

--- The descriptor of an address "fd:3" or "fd:name".
-- @string address
-- @treturn ?number nil: it is another form, or nothing has that name
function inherited.find(address)
  local name = address:match "^fd:(.+)$"
  local fd = name and tonumber(name:match "^%d+$")
  if fd then
    all()
    return fd
  end
  for _, socket in ipairs(name and all() or {}) do
    if socket.name == name then
      return socket.fd
    end
  end
end

return inherited
