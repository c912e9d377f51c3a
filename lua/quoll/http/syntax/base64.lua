--- Base64 (RFC 4648): what Authorization carries.
-- @module quoll.http.syntax.base64

local bit = require "bit"

local base64 = {}

local ALPHABET =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local values = {}
for i = 1, #ALPHABET do
  values[ALPHABET:byte(i)] = i - 1
end

local function group(a, b, c, d)
  local n = bit.bor(bit.lshift(values[a], 18), bit.lshift(values[b], 12),
    bit.lshift(values[c] or 0, 6), values[d] or 0)
  return string.char(bit.rshift(n, 16), bit.band(bit.rshift(n, 8), 255),
    bit.band(n, 255))
end

local function digits(n, count)
  local out = {}
  for i = 1, count do
    local value = bit.band(bit.rshift(n, 24 - 6 * i), 63)
    out[i] = ALPHABET:sub(value + 1, value + 1)
  end
  return table.concat(out) .. ("="):rep(4 - count)
end

--- Encodes.
-- @string s
-- @treturn string
function base64.encode(s)
  local out = {}
  for i = 1, #s, 3 do
    local a, b, c = s:byte(i, i + 2)
    local n = bit.bor(bit.lshift(a, 16), bit.lshift(b or 0, 8), c or 0)
    out[#out + 1] = digits(n, c and 4 or b and 3 or 2)
  end
  return table.concat(out)
end

--- Decodes, strictly.
-- @string s
-- @treturn ?string nil: it is not base64
function base64.decode(s)
  local body, padding = s:match "^([%w+/]*)(=*)$"
  if not body or #padding > 2 or #s % 4 ~= 0 then
    return nil
  end
  local out = {}
  for i = 1, #s, 4 do
    out[#out + 1] = group(s:byte(i, i + 3))
  end
  local all = table.concat(out)
  return all:sub(1, #all - #padding)
end

return base64
