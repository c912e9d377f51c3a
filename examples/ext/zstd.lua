--- Zstandard, which threads compute. The Lua half of zstd.c.
--
--     local small = assert(zstd.compress(text, { level = 19 }))
--     local text = assert(zstd.decompress(small, { limit = 2 ^ 20 }))
--
--     local stream = assert(zstd.compressor())
--     for piece in file:chunks(2 ^ 18) do conn:send(stream:push(piece)) end
--     conn:send(stream:finish())
--
-- Failures are nil, err, CODE: ZSTD_UNKNOWN (no zstd), ZSTD_CORRUPT,
-- ZSTD_CHECKSUM, ZSTD_TRUNCATED, ZSTD_LIMIT, ZSTD_ERROR; a stream goes on
-- failing after one, and is closed by a cancelled call.

local core = require "zstd_core"
local finish = require("quoll.wait").finish

local CONTINUE, FLUSH, END = 0, 1, 2 -- ZSTD_EndDirective
local MOST = 2 ^ 53
local LEVEL = { name = "level", default = 3, min = -7, max = 22 }
local LIMIT = { name = "limit", default = 64 * 2 ^ 20, min = 0, max = MOST }

local Stream = core.methods -- close, own and disown are in it

-- The one option that there is, checked.
local function option(opts, known)
  if opts ~= nil and type(opts) ~= "table" then
    error("bad options: a table is expected, got " .. type(opts), 3)
  end
  for name in pairs(opts or {}) do
    if name ~= known.name then
      error(("no option '%s'; there is '%s'"):format(name, known.name), 3)
    end
  end
  local value = opts and opts[known.name] or known.default
  if type(value) ~= "number" or value ~= value or value < known.min
    or value > known.max and value ~= math.huge then
    error(("bad %s: a number from %d to %d is expected"):format(known.name,
      known.min, known.max), 3)
  end
  return math.min(math.floor(value), known.max)
end

local function check(data)
  if type(data) ~= "string" then
    error("bad data: a string is expected, got " .. type(data), 3)
  end
end

-- All of data by one stream, which is made for it.
local function at_once(data, stream, err, code)
  if not stream then
    return nil, err, code
  end
  local result
  result, err, code = finish(core.code(stream, data, END))
  stream:close()
  return result, err, code
end

--- Takes a piece; what comes out of it and those before, which may be "".
-- Waits; one task at a time, a second one gets BUSY.
function Stream:push(data)
  check(data)
  return finish(core.code(self, data, CONTINUE))
end

--- All that the other side needs to have what was pushed so far.
function Stream:flush()
  return finish(core.code(self, "", FLUSH))
end

--- The end of the frame, or proof that it has come. Another one may follow.
function Stream:finish()
  return finish(core.code(self, "", END))
end

return {
  --- A stream that compresses. opts: level, -7 (fast) to 22 (small); 3.
  compressor = function(opts)
    return core.new(option(opts, LEVEL), MOST)
  end,
  --- A stream that decompresses. opts: limit, bytes that may come out of it
  -- until it is finished: 64 MiB; math.huge.
  decompressor = function(opts)
    return core.new(nil, option(opts, LIMIT))
  end,
  --- The bytes of data, compressed. opts: as of compressor.
  compress = function(data, opts)
    local level = option(opts, LEVEL)
    check(data)
    return at_once(data, core.new(level, MOST))
  end,
  --- What was compressed, one frame or several. opts: as of decompressor.
  decompress = function(data, opts)
    local limit = option(opts, LIMIT)
    check(data)
    return at_once(data, core.new(nil, limit))
  end,
}
