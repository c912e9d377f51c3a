--- Text without the blanks around it.
-- @module quoll.http.syntax.trim

local find, match = string.find, string.match

--- Takes away spaces and tabs on both sides, in time that is linear: the
-- pattern "^%s*(.-)%s*$" takes seconds for a header of 32 KiB that is mostly
-- blanks.
-- @string text
-- @treturn string
return function(text)
  local from = find(text, "[^ \t]")
  return from and match(text, "^.*[^ \t]", from) or ""
end
