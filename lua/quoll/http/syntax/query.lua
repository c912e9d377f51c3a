--- Names and values of a query, and of an urlencoded form.
-- @module quoll.http.syntax.query

local decode = require("quoll.http.syntax.percent").decode_query

local find, sub = string.find, string.sub

local query = {}

-- The pair at `at`: name, value, where the next one begins.
local function pair(s, at)
  local stop = (find(s, "&", at, true) or #s + 1) - 1
  local item = sub(s, at, stop)
  local equals = find(item, "=", 1, true)
  if equals then
    return decode(sub(item, 1, equals - 1)), decode(sub(item, equals + 1)),
      stop + 2
  end
  return decode(item), "", stop + 2
end

--- Parses `a=1&b=2`. A "+" is a space; a "%" without two hexadecimal digits
-- stays; a name without "=" has the value "".
-- @function parse_query
-- @string text
-- @number[opt] max pairs
-- @treturn[1] table name -> first value
-- @treturn[1] table name -> array of its values
-- @treturn[2] nil there are more than max
function query.parse_query(s, max)
  local first, all, at, left = {}, {}, 1, max or math.huge
  while at <= #s do
    local name, value, after = pair(s, at)
    if after > at + 1 then -- not empty
      left = left - 1
      if left < 0 then
        return nil
      elseif all[name] then
        all[name][#all[name] + 1] = value
      else
        first[name], all[name] = value, { value }
      end
    end
    at = after
  end
  return first, all
end

--- The values of one name.
-- @string s
-- @string name
-- @treturn table array
function query.values(s, name)
  local values, at = {}, 1
  while at <= #s do
    local found, value, after = pair(s, at)
    if found == name and after > at + 1 then
      values[#values + 1] = value
    end
    at = after
  end
  return values
end

return query
