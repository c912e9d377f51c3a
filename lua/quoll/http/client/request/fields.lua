--- Header fields of requests: checked when they are given, so that nothing gets
-- into a head that is not one field.
-- @module quoll.http.client.request.fields

local core = require "quoll.core"
local field = require "quoll.http.syntax.field"

local fields = {}

-- They say how long the body is: that is known here.
local OURS = { ["transfer-encoding"] = true }

local function refuse(text)
  core.raise(("bad argument 'headers' to 'request' (%s)"):format(text))
end

local function check_value(name, value)
  if type(value) ~= "string" and type(value) ~= "number" then
    refuse(("%s: a string, a number, a list of these or false expected, got %s")
      :format(name, type(value)))
  end
  value = tostring(value)
  if not field.is_value(value) then
    refuse(name .. ": control character")
  end
  return value
end

local function values(name, given)
  local list = { name }
  for _, value in ipairs(type(given) == "table" and given or { given }) do
    list[#list + 1] = check_value(name, value)
  end
  return list
end

--- Checks fields and puts them into one table.
-- @tparam ?table given name -> string|number|list of these; false: not sent,
-- whatever the defaults say
-- @tparam ?table defaults the same, checked before
-- @treturn table lower-case name -> { name, value, ... } | false
function fields.make(given, defaults)
  local made = fields.copy(defaults or {})
  for name, value in pairs(given or {}) do
    if type(name) ~= "string" or not field.is_token(name) then
      refuse(("bad name '%s'"):format(tostring(name)))
    end
    local lower = name:lower()
    if OURS[lower] then
      refuse(name .. " is sent as the body needs it")
    end
    made[lower] = value ~= false and values(name, value)
  end
  return made
end

function fields.copy(from)
  local copy = {}
  for name, value in pairs(from) do
    copy[name] = value
  end
  return copy
end

--- Sets a field unless the caller has, or wants none.
function fields.default(made, name, value)
  local lower = name:lower()
  if made[lower] == nil and value then
    made[lower] = { name, value }
  end
end

--- The lines of a head, "Host" first, the others in the order of their names.
-- @treturn string
function fields.write(made)
  local names, lines = {}, {}
  for name, list in pairs(made) do
    if list then
      names[#names + 1] = name
    end
  end
  table.sort(names, function(a, b)
    if a == "host" or b == "host" then
      return a == "host" and b ~= "host"
    end
    return a < b
  end)
  for _, name in ipairs(names) do
    local list = made[name]
    for i = 2, #list do
      lines[#lines + 1] = list[1] .. ": " .. list[i] .. "\r\n"
    end
  end
  return table.concat(lines)
end

return fields
