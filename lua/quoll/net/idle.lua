--- The wait between two requests.
--
-- Source: bindings/stream/idle.c
-- @module quoll.net.idle

local core = require "quoll.core"
local finish = require("quoll.wait").finish

local core_idle = core.connection.idle

local Connection = core.methods.connection

--- Waits until there is something to read, and reads nothing. `quoll.stop` ends
-- the wait: for a connection that is kept open for the next request. Its limit
-- is the connection's timeout.
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "closed", "timeout", "stopping", "busy reading", ...
-- @treturn[2] string CODE
function Connection:idle()
  return finish(core_idle(self))
end

return Connection
