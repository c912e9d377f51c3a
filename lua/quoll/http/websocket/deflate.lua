--- permessage-deflate (RFC 7692), by lua-zlib; without it, it is not offered.
-- @module quoll.http.websocket.deflate

local core = require "quoll.core"
local library = require "quoll.http.zlib"
local options = require "quoll.options"
local task = require "quoll.task"

local Deflate = {}
Deflate.__index = Deflate
local deflate = {}

local TAIL = "\0\0\255\255" -- of a flush, which messages go without
local RATIO = 1032          -- bytes that deflate makes of one at most
local LEAST = 64            -- bytes inflated at once however little may come
local PIECE = 32768         -- bytes compressed before others get on
local TURN = 262144         -- bytes inflated before others get on

local OPTIONS = {
  threshold = "number",
  level = "number",
  context = "boolean",
  bits = "number",
}

local zlib = library()

--- Checks the option `compress`; raises at the caller's line.
-- @tparam ?boolean|table given `threshold`: bytes of a message from which on it
-- is compressed (1024); `level` (6); `context`: messages may refer to those
-- before, which holds 300 KiB a connection (false); `bits`: 9 to 15, of the
-- window (15)
-- @string method
-- @treturn ?table settings; nil: not wanted, or there is no lua-zlib
function deflate.check(given, method)
  if given == false then
    return nil
  elseif given == true then
    given = nil
  end
  local set = options.check(given, OPTIONS, method)
  local level, bits = set.level or 6, set.bits or 15
  if level < 0 or level > 9 or level % 1 ~= 0 then
    core.bad_argument(level, "level", method, "0 to 9")
  elseif bits < 9 or bits > 15 or bits % 1 ~= 0 then
    core.bad_argument(bits, "bits", method, "9 to 15")
  end
  return zlib and { threshold = set.threshold or 1024, level = level,
    context = set.context or false, bits = bits }
end

--- Makes what compresses and inflates the messages of a connection. Windows and
-- contexts are made when they are needed, and kept only if they may be referred
-- to.
-- @tparam table set of `check`
-- @tparam table agreed `bits` and `reset` of what is sent, `peer_bits` and
-- `peer_reset` of what is received
-- @treturn Deflate
function deflate.new(set, agreed)
  return setmetatable({ threshold = set.threshold, level = set.level,
    bits = agreed.bits, reset = agreed.reset, peer_bits = agreed.peer_bits,
    peer_reset = agreed.peer_reset }, Deflate)
end

--- Is a message to be compressed? zlib knows no window of 8 bits.
-- @string data
-- @treturn boolean
function Deflate:worth(data)
  return #data >= self.threshold and #data > 0 and self.bits > 8
end

--- Compresses a message. Other tasks get on between its pieces.
-- @string data
-- @treturn string
function Deflate:compress(data)
  local stream = self.out or zlib.deflate(self.level, -self.bits)
  self.out = not self.reset and stream or nil
  local parts = {}
  for at = 1, #data, PIECE do
    local last = at + PIECE > #data
    parts[#parts + 1] = stream(data:sub(at, at + PIECE - 1),
      last and "sync" or nil)
    if not last then
      task.yield()
    end
  end
  return table.concat(parts):sub(1, -#TAIL - 1)
end

-- The pieces of a message, few enough bytes at a time that no more than max
-- come out (and what LEAST may make).
local function inflate(stream, data, max)
  local parts, total, turn, at, ended = {}, 0, 0, 1, false
  while at <= #data and not ended do
    local size = math.max(LEAST, math.floor((max - total) / RATIO))
    local piece
    piece, ended = stream(data:sub(at, at + size - 1))
    parts[#parts + 1] = piece
    total, turn, at = total + #piece, turn + #piece, at + size
    if total > max then
      return nil, "message too large", 1009
    elseif turn > TURN then
      turn = 0
      task.yield()
    end
  end
  return table.concat(parts), ended
end

--- Inflates a message. Other tasks get on between its pieces.
-- @string data
-- @int max bytes that it may come to
-- @treturn[1] string
-- @treturn[2] nil
-- @treturn[2] string why
-- @treturn[2] int close code
function Deflate:inflate(data, max)
  local stream = self.into or zlib.inflate(-self.peer_bits)
  self.into = nil
  local ok, message, ended, code = pcall(inflate, stream, data .. TAIL, max)
  if not ok then
    if core.iscancelled(message) then
      error(message, 0)
    end
    return nil, "bad compressed data", 1007
  elseif not message then
    return nil, ended, code
  end
  self.into = not self.peer_reset and not ended and stream or nil
  return message
end

return deflate
