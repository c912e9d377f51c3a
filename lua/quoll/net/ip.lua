--- IP addresses: texts and their bytes, and networks.
-- @module quoll.net.ip

local ip = {}

local DOTTED = "^(%d%d?%d?)" .. ("%.(%d%d?%d?)"):rep(3) .. "$"

local function parse4(text)
  local a, b, c, d = text:match(DOTTED)
  local bytes = {}
  for i, digits in ipairs { a, b, c, d } do
    local n = tonumber(digits)
    if n > 255 or digits:find "^0." then
      return nil
    end
    bytes[i] = string.char(n)
  end
  return a and table.concat(bytes)
end

-- "1:2:ab" -> six bytes; "" -> none; nil: there is something else.
local function groups(text)
  local bytes = {}
  if text == "" then
    return ""
  end
  for group in (text .. ":"):gmatch "(.-):" do
    if not group:find "^%x%x?%x?%x?$" then
      return nil
    end
    local n = tonumber(group, 16)
    bytes[#bytes + 1] = string.char(math.floor(n / 256), n % 256)
  end
  return table.concat(bytes)
end

-- An IPv4 address in the place of the last two groups becomes these.
local function without_dots(text)
  local head, tail = text:match "^(.*:)([%d.]+)$"
  if not head or not tail:find("%.") then
    return text
  end
  local bytes = parse4(tail)
  if not bytes then
    return nil
  end
  return head .. ("%x:%x"):format(bytes:byte(1) * 256 + bytes:byte(2),
    bytes:byte(3) * 256 + bytes:byte(4))
end

local function parse6(text)
  text = without_dots(text)
  if not text then
    return nil
  end
  local left, right = text:match "^(.-)::(.*)$"
  local head, tail = groups(left or text), groups(right or "")
  if not head or not tail then
    return nil
  end
  local missing = 16 - #head - #tail
  if left and missing < 2 or not left and missing ~= 0 then
    return nil
  end
  return head .. ("\0"):rep(missing) .. tail
end

--- The bytes of an address.
-- @string text "127.0.0.1", "::1"
-- @treturn ?string 4 or 16 bytes; nil: it is none
function ip.parse(text)
  return parse4(text) or text:find(":", 1, true) and parse6(text) or nil
end

-- Where the longest run of two zero groups or more begins, and its length.
local function longest_run(words)
  local best, length = 0, 1
  local start, n = 0, 0
  for i = 1, 8 do
    if words[i] ~= 0 then
      n = 0
    else
      start = n == 0 and i or start
      n = n + 1
      if n > length then
        best, length = start, n
      end
    end
  end
  return best, length
end

local function format6(bytes)
  local words, texts = {}, {}
  for i = 1, 8 do
    local high, low = bytes:byte(2 * i - 1, 2 * i)
    words[i] = high * 256 + low
    texts[i] = ("%x"):format(words[i])
  end
  local at, n = longest_run(words)
  if at == 0 then
    return table.concat(texts, ":")
  end
  return table.concat(texts, ":", 1, at - 1) .. "::"
    .. table.concat(texts, ":", at + n)
end

--- The address of bytes, in its usual form.
-- @string bytes 4 or 16
-- @treturn string
function ip.format(bytes)
  if #bytes == 4 then
    return ("%d.%d.%d.%d"):format(bytes:byte(1, 4))
  elseif bytes:find("^" .. ("%z"):rep(10) .. "\255\255") then
    return "::ffff:" .. ip.format(bytes:sub(13))
  end
  return format6(bytes)
end

local MAPPED = ("\0"):rep(10) .. "\255\255"

--- The 16 bytes of an address; of an IPv4 address those of its mapped one.
-- @string bytes 4 or 16
-- @treturn string
function ip.wide(bytes)
  return #bytes == 4 and MAPPED .. bytes or bytes
end

local function same_bits(a, b, n)
  local whole = math.floor(n / 8)
  if a:sub(1, whole) ~= b:sub(1, whole) then
    return false
  end
  local shift = 2 ^ (8 - n % 8)
  return n % 8 == 0 or math.floor(a:byte(whole + 1) / shift)
    == math.floor(b:byte(whole + 1) / shift)
end

--- A network, which says what is in it.
-- @string text "10.0.0.0/8", "2001:db8::/32", or one address
-- @treturn ?function f(bytes) -> boolean; nil: text is no network. "10.0.0.0/8"
-- has "::ffff:10.0.0.1" in it, too
function ip.network(text)
  local address, digits = text:match "^([^/]+)/(%d%d?%d?)$"
  local bytes = ip.parse(address or text)
  if not bytes then
    return nil
  end
  local bits = tonumber(digits) or 8 * #bytes
  if bits > 8 * #bytes then
    return nil
  end
  bits = bits + 128 - 8 * #bytes
  bytes = ip.wide(bytes)
  return function(other)
    return same_bits(ip.wide(other), bytes, bits)
  end
end

return ip
