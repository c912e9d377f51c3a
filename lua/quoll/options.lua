--- Options of a call: a table whose keys are known.
-- @module quoll.options

local core = require "quoll.core"

local raise, bad_argument = core.raise, core.bad_argument

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
    bad_argument(given, "options", method, "a table")
  end
  for name, value in pairs(given) do
    local expected = known[name]
    if not expected then
      raise(("bad argument 'options' to '%s' (no option '%s'; there are: %s)")
        :format(method, tostring(name), names(known)))
    elseif expected ~= true and type(value) ~= expected then
      bad_argument(value, name, method, "a " .. expected)
    end
  end
  return given
end

--- Several tables of known options as one.
-- @tparam table ... {name = Lua type or true}
-- @treturn table
function options.union(...)
  local all = {}
  for _, known in ipairs { ... } do
    for name, kind in pairs(known) do
      all[name] = kind
    end
  end
  return all
end

--- Checks a `timeout`: seconds, 0 or more; raises at the caller's line.
-- @tparam ?number timeout nil: there is none
-- @string method name of the function the script called
function options.check_timeout(timeout, method)
  if timeout and (timeout < 0 or timeout ~= timeout) then
    bad_argument(timeout, "timeout", method, "seconds, 0 or more,")
  end
end

return options
