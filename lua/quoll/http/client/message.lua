--- Answers as they come in: heads, and pieces of bodies.
--
-- Source: bindings/http/, runtime/http/
-- @module quoll.http.client.message

local finish = require("quoll.wait").finish

local message = {}

-- The C half of HTTP; raises where quoll was built without it.
local function core()
  local ok, module = pcall(require, "quoll.core.http")
  if not ok then
    local raise = require("quoll.core").raise
    raise(module:find("not found", 1, true) and "built without QL_HTTP"
      or module)
  end
  return module
end

--- Waits for the next head.
-- @tparam Connection conn
-- @string method of the request
-- @tparam ?table limits line, head (bytes), fields (how many)
-- @treturn[1] Message status, reason, version, headers, keepalive, header(),
-- header_values(), trailers()
-- @treturn[2] nil
-- @treturn[2] string "closed", "timeout", what is wrong with it, ...
-- @treturn[2] string CODE
function message.receive(conn, method, limits)
  return finish(core().response(conn, method, limits))
end

--- The next piece of the body.
-- @tparam Connection conn
-- @int[opt] max bytes
-- @treturn[1] ?string nil alone: it has ended
-- @treturn[2] nil
-- @treturn[2] string "closed": it was cut, "timeout", ...
-- @treturn[2] string CODE
function message.read(conn, max)
  return finish(core().read(conn, max))
end

return message
