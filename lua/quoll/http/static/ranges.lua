--- The Range header (RFC 9110, section 14).
-- @module quoll.http.static.ranges

local ranges = {}

local MAX = 16         -- more ranges than a reader has use for: the whole
local HEADER_MAX = 512 -- bytes: 16 ranges of 15 digits fit

-- One range-spec: first and last; false: it lies behind the end; nil: it is
-- none. A position beyond 2^53 is not exact, and behind the end of any file.
local function read(spec, size)
  local first, last = spec:match "^[ \t]*(%d*)%-(%d*)[ \t]*$"
  if not first or first == "" and last == "" then
    return nil
  end
  first, last = tonumber(first), tonumber(last)
  if not first then
    return last > 0 and size > 0 and math.max(size - last, 0), size - 1
  elseif last and last < first then
    return nil
  end
  return first < size and first, math.min(last or size, size - 1)
end

local function by_first(a, b)
  return a.first < b.first
end

local function overlap(list)
  local sorted = { unpack(list) }
  table.sort(sorted, by_first)
  for i = 2, #sorted do
    if sorted[i].first <= sorted[i - 1].last then
      return sorted
    end
  end
end

-- In the order asked for, unless some overlap: then each byte once.
local function merge(list)
  local sorted = overlap(list)
  if not sorted then
    return list
  end
  local merged = { sorted[1] }
  for i = 2, #sorted do
    local before, range = merged[#merged], sorted[i]
    if range.first <= before.last + 1 then
      before.last = math.max(before.last, range.last)
    else
      merged[#merged + 1] = range
    end
  end
  return merged
end

--- Reads a Range header.
-- @string header its value
-- @int size bytes of what it is a range of
-- @treturn[1] table array of {first, last}: offsets, both inclusive; no two
-- overlap
-- @treturn[2] table an empty array: all of them lie behind the end (416)
-- @treturn[3] nil the whole is to be sent: no ranges of bytes, malformed, or
-- more than 16
function ranges.parse(header, size)
  local set = #header <= HEADER_MAX
    and header:match "^[bB][yY][tT][eE][sS]=(.+)"
  if not set or size == 0 and set:find "^[ \t,]*%-%d*[1-9]" then
    return nil
  end
  local list, count = {}, 0
  for spec in set:gmatch "[^,]+" do
    if spec:find "[^ \t]" then
      local first, last = read(spec, size)
      count = count + 1
      if first == nil or count > MAX then
        return nil
      elseif first then
        list[#list + 1] = { first = first, last = last }
      end
    end
  end
  return count > 0 and merge(list) or nil
end

return ranges
