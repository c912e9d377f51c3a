--- CRC-32C (Castagnoli).
-- @module quoll.net.crc32c

local bit = require "bit"

local crc32c = {}

local crc_table

local function make_crc_table()
  crc_table = {}
  for i = 0, 255 do
    local c = i
    for _ = 1, 8 do
      local shifted = bit.rshift(c, 1)
      c = bit.band(c, 1) == 1 and bit.bxor(shifted, 0x82f63b78) or shifted
    end
    crc_table[i] = c
  end
end

--- The checksum.
-- @string bytes
-- @treturn string its four bytes, in network order
function crc32c.sum(bytes)
  if not crc_table then
    make_crc_table()
  end
  local c = bit.bnot(0)
  for i = 1, #bytes do
    local index = bit.band(bit.bxor(c, bytes:byte(i)), 0xff)
    c = bit.bxor(bit.rshift(c, 8), crc_table[index])
  end
  c = bit.bnot(c)
  return string.char(bit.band(bit.rshift(c, 24), 255),
    bit.band(bit.rshift(c, 16), 255), bit.band(bit.rshift(c, 8), 255),
    bit.band(c, 255))
end

return crc32c
