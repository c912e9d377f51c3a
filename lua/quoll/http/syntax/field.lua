--- Header fields: what may be a name, what a value (RFC 9110, section 5), and
-- lists of words in one.
-- @module quoll.http.syntax.field

local find, gmatch, lower = string.find, string.gmatch, string.lower

local field = {}

--- Whether a text is a token: a field's name, a method.
-- @string text
-- @treturn boolean
function field.is_token(text)
  return find(text, "^[%w!#$%%&'*+.^_`|~-]+$") ~= nil
end

--- Whether a text can be a field's value: it has no control character but tabs.
-- @string text
-- @treturn boolean
function field.is_value(text)
  return not find(text, "[%z\1-\8\10-\31\127]")
end

--- Whether a list, "keep-alive, Upgrade", has a word.
-- @tparam ?string list nil: an empty one
-- @string word in any case
-- @treturn boolean
function field.has(list, word)
  word = lower(word)
  for item in gmatch(list or "", "[^%s,]+") do
    if lower(item) == word then
      return true
    end
  end
  return false
end

return field
