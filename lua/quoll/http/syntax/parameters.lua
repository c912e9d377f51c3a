--- Values with parameters, as of Content-Type and Content-Disposition:
-- `form-data; name="a"; filename="b.txt"` (RFC 9110, section 5.6.6).
-- @module quoll.http.syntax.parameters

local find, gsub, lower, sub = string.find, string.gsub, string.lower,
  string.sub

local parameters = {}

local TOKEN = "^([%w!#$%%&'*+%-.^_`|~]+)"

-- Browsers escape neither a backslash nor, as "\"", a quote: only the two
-- escapes that cannot be meant otherwise are undone.
local function unquote(s)
  return (gsub(s, '\\(["\\])', "%1"))
end

-- The quoted string that begins at `at`: its text, and where it ends.
local function quoted(s, at)
  local from = at + 1
  local i = from
  while true do
    i = find(s, '[\\"]', i)
    if not i then
      return nil
    elseif sub(s, i, i) == '"' then
      return unquote(sub(s, from, i - 1)), i
    end
    i = i + (find(s, '^["\\]', i + 1) and 2 or 1)
  end
end

local function value_at(s, at)
  if sub(s, at, at) == '"' then
    return quoted(s, at)
  end
  local _, last, token = find(s, TOKEN, at)
  return token, last
end

-- One `; name=value` at `at`: the two, and where it ends; nothing for ";".
local function parameter(s, at)
  local _, last, name = find(s, "^;[ \t]*([^%s=;\"]*)=?", at)
  if not last then
    return nil
  elseif name == "" then
    return "", nil, last
  end
  local value, finish = value_at(s, last + 1)
  return value and lower(name), value, finish
end

--- Parses a value.
-- @string s
-- @treturn[1] string what stands before the first ";", in lower case
-- @treturn[1] table name in lower case -> value
-- @treturn[2] nil malformed, or a parameter is there twice
function parameters.parse(s)
  local _, at, first = find(s, "^[ \t]*([^;\"%s]+)[ \t]*")
  if not at then
    return nil
  end
  local found = {}
  at = at + 1
  while at <= #s do
    local name, value, last = parameter(s, at)
    if not name or value and found[name] then
      return nil
    elseif value then
      found[name] = value
    end
    _, at = find(s, "^[ \t]*", last + 1)
    at = at + 1
  end
  return lower(first), found
end

return parameters
