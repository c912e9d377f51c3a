--- Options of a call: a table whose keys are known.
-- @module quoll.options

local raise = require("quoll.core").raise

local options = {}

local function names(known)
  local list = {}
  for name in pairs(known) do
    list[#list + 1] = name
  end
  table.sort(list)
  return table.concat(list, ", ")
end

--- Checks the options of a call; raises at the caller's line.
-- @tparam ?table given what the script passed
-- @tparam table known {name = Lua type, or true: checked elsewhere}
-- @string method name of the function the script called
-- @treturn table given, or an empty table
function options.check(given, known, method)
  if given == nil then
    return {}
  end
  if type(given) ~= "table" then
    raise(("bad argument 'options' to '%s' (a table expected, got %s)")
      :format(method, type(given)))
  end
  for name, value in pairs(given) do
    local expected = known[name]
    if not expected then
      raise(("bad argument 'options' to '%s' (no option '%s'; there are: %s)")
        :format(method, tostring(name), names(known)))
    elseif expected ~= true and type(value) ~= expected then
      raise(("bad argument '%s' to '%s' (a %s expected, got %s)")
        :format(name, method, expected, type(value)))
    end
  end
  return given
end

return options
