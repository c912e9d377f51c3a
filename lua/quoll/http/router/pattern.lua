--- Patterns of routes: "/users/:id/files/*path".
-- @module quoll.http.router.pattern

local raise = require("quoll.core").raise

local pattern = {}

local function refuse(text, method, why)
  raise(("bad argument 'pattern' to '%s' (%s: %q)"):format(method, why, text))
end

-- ":name" or "*name": adds the name, which must be new.
local function add_name(names, segment, text, method)
  local name = segment:sub(2)
  if not name:find "^[%a_][%w_]*$" then
    refuse(text, method, "a name expected behind '" .. segment:sub(1, 1) .. "'")
  end
  for _, other in ipairs(names) do
    if other == name then
      refuse(text, method, "'" .. name .. "' is there twice")
    end
  end
  names[#names + 1] = name
end

--- Parses one.
-- @string text
-- @string method the function that the script called
-- @treturn table array of segments: a string; or {param = true}, or, as the
-- last one, {rest = true}
-- @treturn table array of the names of params and rest
function pattern.parse(text, method)
  if type(text) ~= "string" or text:sub(1, 1) ~= "/" then
    refuse(tostring(text), method, "a path that begins with '/' expected")
  elseif text:find("[?#%c ]") then
    refuse(text, method, "a path without query, spaces and controls expected")
  end
  local segments, names = {}, {}
  for segment in text:gmatch "/([^/]*)" do
    local first, last = segment:sub(1, 1), segments[#segments]
    if last and last.rest then
      refuse(text, method, "'*' is not the last segment")
    end
    local kind = first == ":" and "param" or first == "*" and "rest" or "text"
    if kind ~= "text" then
      add_name(names, segment, text, method)
    end
    segments[#segments + 1] = { [kind] = kind ~= "text" or segment }
  end
  return segments, names
end

return pattern
