--- A body that comes in pieces, cut at a delimiter that may lie across them.
-- @module quoll.http.multipart.source

local find, sub = string.find, string.sub

local Source = {}
Source.__index = Source
local source = {}

--- Makes one.
-- @func pull pull() -> piece | nil at the end; raises on failure
-- @string delimiter
-- @treturn Source
function source.new(pull, delimiter)
  return setmetatable({ pull = pull, delimiter = delimiter, rest = "" },
    Source)
end

--- Reads one more piece.
-- @treturn boolean false at the end
function Source:more()
  local piece = self.pull()
  if not piece then
    return false
  end
  self.rest = self.rest == "" and piece or self.rest .. piece
  return true
end

--- Takes n bytes.
-- @number n
-- @treturn ?string nil: it ends before
function Source:take(n)
  while #self.rest < n do
    if not self:more() then
      return nil
    end
  end
  local data = sub(self.rest, 1, n)
  self.rest = sub(self.rest, n + 1)
  return data
end

--- Takes everything up to a text, and drops the text.
-- @string text
-- @number max bytes, the text included
-- @treturn[1] string
-- @treturn[2] nil
-- @treturn[2] boolean true: it is longer than max; false: it ends before
function Source:take_until(text, max)
  local from = 1
  while true do
    local at, last = find(self.rest, text, from, true)
    if at and last <= max then
      local data = sub(self.rest, 1, at - 1)
      self.rest = sub(self.rest, last + 1)
      return data
    elseif at or #self.rest > max then
      return nil, true
    end
    from = math.max(1, #self.rest - #text + 2)
    if not self:more() then
      return nil, false
    end
  end
end

--- What comes before the delimiter, piece by piece.
-- @treturn[1] string
-- @treturn[2] nil
-- @treturn[2] boolean true: the delimiter has come, and is dropped; false: it
-- ends before
function Source:piece()
  while true do
    local rest = self.rest
    local at, last = find(rest, self.delimiter, 1, true)
    local safe = at and at - 1 or #rest - #self.delimiter + 1
    if safe > 0 then
      self.rest = sub(rest, safe + 1)
      return sub(rest, 1, safe)
    elseif at then
      self.rest = sub(rest, last + 1)
      return nil, true
    elseif not self:more() then
      return nil, false
    end
  end
end

return source
