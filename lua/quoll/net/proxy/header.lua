--- The header of the PROXY protocol, versions 1 and 2, as bytes and as a table.
-- Knows nothing of connections.
-- @module quoll.net.proxy.header

local crc32c = require("quoll.net.crc32c").sum
local ip = require "quoll.net.ip"

local header = {}

header.SIGNATURE = "\r\n\r\n\0\r\nQUIT\n"
header.V1_MAX = 107 -- bytes, CRLF included
header.V2_FIXED = 16 -- bytes before what its length counts

-- Values of the second byte's halves, and of the third's.
local COMMANDS = { [0] = "LOCAL", "PROXY" }
local FAMILIES = { [0] = false, "inet", "inet6", "unix" }
local TRANSPORTS = { [0] = false, "stream", "datagram" }
local ADDRESS = { inet = 4, inet6 = 16, unix = 108 } -- bytes of one

-- Types of a TLV.
local NAMES = { [0x01] = "alpn", [0x02] = "authority", [0x05] = "uniqueid",
  [0x30] = "netns" }
local CRC32C, SSL = 0x03, 0x20
local SSL_NAMES = { [0x21] = "version", [0x22] = "cn", [0x23] = "cipher",
  [0x24] = "sig_alg", [0x25] = "key_alg" }
local UNIQUE_MAX = 128

-- ------------------------------------------------------------- numbers ----

local function u16(bytes, at)
  local high, low = bytes:byte(at, at + 1)
  return high * 256 + low
end

local function from_u16(n)
  return string.char(math.floor(n / 256), n % 256)
end

-- ----------------------------------------------------------- version 1 ----

local function v1_port(text)
  local n = tonumber(text)
  if #text <= 5 and not text:find "^0." and n <= 65535 then
    return n
  end
end

--- Reads a version 1 line.
-- @string line without its CRLF
-- @treturn[1] table see `Connection:getproxy`
-- @treturn[2] nil
-- @treturn[2] string what is wrong with it
function header.parse_v1(line)
  if line:find "^PROXY UNKNOWN$" or line:find "^PROXY UNKNOWN " then
    return { version = 1, command = "PROXY" }
  end
  local kind, source, destination, sport, dport =
    line:match "^PROXY TCP([46]) ([%x:.]+) ([%x:.]+) (%d+) (%d+)$"
  if not kind then
    return nil, "no such line"
  end
  local from, to = ip.parse(source), ip.parse(destination)
  local size = kind == "4" and 4 or 16
  if not (from and to and #from == size and #to == size) then
    return nil, "bad address"
  end
  sport, dport = v1_port(sport), v1_port(dport)
  if not (sport and dport) then
    return nil, "bad port"
  end
  return {
    version = 1, command = "PROXY", transport = "stream",
    family = size == 4 and "inet" or "inet6",
    source = ip.format(from), sourceport = sport,
    destination = ip.format(to), destinationport = dport,
  }
end

-- ----------------------------------------------------------- version 2 ----

-- Calls fn(type, value, at) for each TLV of bytes from..to; nil: it does not
-- end where it should.
local function each_tlv(bytes, from, to, fn)
  while from <= to do
    local size = from + 2 <= to and u16(bytes, from + 1)
    if not size or from + 2 + size > to then
      return nil, "a TLV that is cut"
    end
    local ok, why = fn(bytes:byte(from), bytes:sub(from + 3, from + 2 + size),
      from + 3)
    if ok == nil then
      return nil, why
    end
    from = from + 3 + size
  end
  return true
end

local function parse_ssl(value)
  if #value < 5 then
    return nil
  end
  local client = value:byte(1)
  local ssl = {
    ssl = client % 2 == 1,
    cert_conn = math.floor(client / 2) % 2 == 1,
    cert_sess = math.floor(client / 4) % 2 == 1,
    verified = value:sub(2, 5) == "\0\0\0\0",
  }
  local ok = each_tlv(value, 6, #value, function(kind, sub)
    if SSL_NAMES[kind] then
      ssl[SSL_NAMES[kind]] = sub
    end
    return true
  end)
  return ok and ssl
end

-- The checksum is that of the header with zeros in its place.
local function crc_matches(bytes, value, at)
  return #value == 4 and crc32c(bytes:sub(1, at - 1) .. "\0\0\0\0"
    .. bytes:sub(at + 4)) == value
end

local function parse_tlvs(bytes, from, info)
  info.tlvs = {}
  return each_tlv(bytes, from, #bytes, function(kind, value, at)
    info.tlvs[kind] = value
    if NAMES[kind] then
      info[NAMES[kind]] = value
    elseif kind == SSL then
      info.ssl = parse_ssl(value)
    end
    if kind == CRC32C and not crc_matches(bytes, value, at) then
      return nil, "bad checksum"
    elseif kind == SSL and not info.ssl or #(info.uniqueid or "") > UNIQUE_MAX
    then
      return nil, "a TLV that is wrong"
    end
    return true
  end)
end

local function parse_addresses(bytes, info)
  local size = ADDRESS[info.family]
  local from, to = bytes:sub(17, 16 + size), bytes:sub(17 + size, 16 + 2 * size)
  if info.family == "unix" then
    info.source = "unix:" .. from:match "^%z?[^%z]*":gsub("^%z", "@")
    info.destination = "unix:" .. to:match "^%z?[^%z]*":gsub("^%z", "@")
    return 17 + 2 * size
  end
  info.source, info.destination = ip.format(from), ip.format(to)
  info.sourceport = u16(bytes, 17 + 2 * size)
  info.destinationport = u16(bytes, 19 + 2 * size)
  return 21 + 2 * size
end

--- Reads the fixed part of a version 2 header.
-- @string bytes its 16 bytes, signature checked
-- @treturn[1] int bytes that follow
-- @treturn[1] table version, command; family and transport where known
-- @treturn[1] int bytes of an address
-- @treturn[2] nil
-- @treturn[2] string what is wrong with it
function header.parse_v2_start(bytes)
  local first, second = bytes:byte(13, 14)
  local command = math.floor(first / 16) == 2 and COMMANDS[first % 16]
  local family = FAMILIES[math.floor(second / 16)]
  local transport = TRANSPORTS[second % 16]
  if not command then
    return nil, "bad version or command"
  elseif family == nil or transport == nil then
    return nil, "bad address family"
  end
  local info = { version = 2, command = command }
  if family and transport and command == "PROXY" then
    info.family, info.transport = family, transport
  end
  return u16(bytes, 15), info, family and ADDRESS[family] or 0
end

--- Reads a whole version 2 header.
-- @string bytes
-- @treturn[1] table see `Connection:getproxy`
-- @treturn[2] nil
-- @treturn[2] string what is wrong with it
function header.parse_v2(bytes)
  local _, info, size = header.parse_v2_start(bytes)
  if info.command == "LOCAL" then
    return info -- whatever follows
  end
  local ports = (size == 0 or size == 108) and 0 or 4
  local at = 17 + 2 * size + ports
  if #bytes < at - 1 then
    return nil, "too short for its addresses"
  end
  if info.family then
    parse_addresses(bytes, info)
  end
  local ok, why = parse_tlvs(bytes, at, info)
  if not ok then
    return nil, why
  end
  return info
end

-- ------------------------------------------------------------- writing ----

--- Makes a version 1 line.
-- @tparam table info `source`, `sourceport`, `destination`, `destinationport`;
-- without a source it says UNKNOWN
-- @treturn string
function header.v1(info)
  local from = info.source and ip.parse(info.source)
  local to = info.destination and ip.parse(info.destination)
  if not (from and to) then
    return "PROXY UNKNOWN\r\n"
  end
  if #from ~= #to then
    from, to = ip.wide(from), ip.wide(to)
  end
  return ("PROXY TCP%d %s %s %d %d\r\n"):format(#from == 4 and 4 or 6,
    ip.format(from), ip.format(to), info.sourceport, info.destinationport)
end

local function tlv(kind, value)
  return string.char(kind) .. from_u16(#value) .. value
end

local function unix_path(address)
  local path = address:sub(6):gsub("^@", "\0")
  return path .. ("\0"):rep(108 - #path)
end

-- The family's byte and the addresses; nothing is known without them.
local function v2_addresses(info)
  local source, destination = info.source, info.destination
  if not source then
    return "\0", ""
  elseif source:find "^unix:" then
    return "\49", unix_path(source) .. unix_path(destination)
  end
  local from, to = ip.parse(source), ip.parse(destination)
  if #from ~= #to then
    from, to = ip.wide(from), ip.wide(to)
  end
  return #from == 4 and "\17" or "\33", from .. to .. from_u16(info.sourceport)
    .. from_u16(info.destinationport)
end

--- Makes a version 2 header, checksum included.
-- @tparam table info as of `header.v1`, and `alpn`, `authority`, `uniqueid`,
-- `tlvs` ({[type] = value}); `command` "LOCAL": no addresses
-- @treturn string
function header.v2(info)
  local family, addresses = v2_addresses(info)
  local parts = { addresses }
  for kind, name in pairs(NAMES) do
    if info[name] then
      parts[#parts + 1] = tlv(kind, info[name])
    end
  end
  for kind, value in pairs(info.tlvs or {}) do
    parts[#parts + 1] = tlv(kind, value)
  end
  local rest = table.concat(parts)
  local head = header.SIGNATURE .. (info.command == "LOCAL" and "\32" or "\33")
    .. family .. from_u16(#rest + 7) .. rest .. tlv(CRC32C, "\0\0\0\0")
  return head:sub(1, -5) .. crc32c(head)
end

return header
