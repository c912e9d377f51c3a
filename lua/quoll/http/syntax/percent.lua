--- Percent-encoding (RFC 3986) of parts of a URL.
-- @module quoll.http.syntax.percent

local byte, char, find, gsub = string.byte, string.char, string.find,
  string.gsub

local percent = {}

local bytes = {} -- "41", "4a", "4A": what "%41", ... stand for
for code = 0, 255 do
  local digits = ("%02x"):format(code)
  for _, a in ipairs { digits:sub(1, 1), digits:sub(1, 1):upper() } do
    for _, b in ipairs { digits:sub(2), digits:sub(2):upper() } do
      bytes[a .. b] = char(code)
    end
  end
end

--- Decodes part of a path, strictly.
-- @string s
-- @treturn ?string nil: a "%" without two hexadecimal digits
function percent.decode(s)
  if not find(s, "%", 1, true) then
    return s
  elseif find(s, "%%%X") or find(s, "%%%x%X") or find(s, "%%%x?$") then
    return nil
  end
  return (gsub(s, "%%(%x%x)", bytes))
end

--- Decodes a name or a value of a query or of a form: "+" is a space, a "%"
-- without two hexadecimal digits stays.
-- @string s
-- @treturn string
function percent.decode_query(s)
  if find(s, "+", 1, true) then
    s = gsub(s, "%+", " ")
  end
  if find(s, "%", 1, true) then
    s = gsub(s, "%%(%x%x)", bytes)
  end
  return s
end

local function encode_byte(c)
  return ("%%%02X"):format(byte(c))
end

--- Encodes everything but letters, digits and "-._~": for a name or a value of
-- a query, or one segment of a path.
-- @string s
-- @treturn string
function percent.encode(s)
  return (gsub(s, "[^%w%-._~]", encode_byte))
end

return percent
