--- Middleware: functions mw(next) -> handler around a handler.
-- @module quoll.http.middleware.chain

local callable = require "quoll.callable"
local raise = require("quoll.core").raise

local chain = {}

local function check(value, what, method)
  if not callable(value) then
    raise(("bad argument '%s' to '%s' (a function expected, got %s)")
      :format(what, method, type(value)))
  end
end

--- Puts middleware around a handler; the first is the outermost. Each is called
-- once, here, with the handler that is next.
-- @string method the function that the script called
-- @tparam table list middleware, and behind it
-- @func handler
-- @treturn function handler
function chain.wrap(method, list, handler)
  check(handler, "handler", method)
  for i = #list, 1, -1 do
    check(list[i], "middleware", method)
    handler = list[i](handler)
    if not callable(handler) then
      raise(("bad argument 'middleware' to '%s' (number %d returned no "
        .. "handler)"):format(method, i))
    end
  end
  return handler
end

--- Puts middleware around a handler.
-- @func ... middleware mw(next) -> handler, the first is the outermost; behind
-- them the handler
-- @treturn function handler
function chain.chain(...)
  local list = { ... }
  local handler = table.remove(list, select("#", ...))
  return chain.wrap("chain", list, handler)
end

return chain
