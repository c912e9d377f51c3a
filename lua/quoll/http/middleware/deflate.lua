--- Bodies of answers as gzip: whole, and piece by piece.
-- @module quoll.http.middleware.deflate

local library = require "quoll.http.zlib"
local task = require "quoll.task"

local PIECE = 32768 -- bytes that are compressed before others have a turn
local GZIP = 31     -- zlib's window bits: 32 KiB, with gzip's head and end

local deflate = {}

local zlib = library()

--- Raises an error that names the package where there is no lua-zlib.
function deflate.load()
  if not zlib then
    error("quoll.http: gzip needs lua-zlib (apt install lua-zlib)", 0)
  end
end

local function flatten(body, into)
  local kind, size = type(body), 0
  if kind == "string" or kind == "number"
    or getmetatable(body) == "buffer" -- a string.buffer
  then
    into[#into + 1] = tostring(body)
    return #into[#into]
  elseif kind ~= "table" or getmetatable(body) then
    return nil
  end
  for i = 1, #body do
    local n = flatten(body[i], into)
    if not n then
      return nil
    end
    size = size + n
  end
  return size
end

--- The strings of a body.
-- @param body a string, a number, or nested lists of them
-- @treturn[1] table array of strings
-- @treturn[1] number bytes
-- @treturn[2] nil there is something else in it
function deflate.pieces(body)
  local pieces = {}
  local size = flatten(body, pieces)
  if size then
    return pieces, size
  end
end

-- Compresses data; between pieces of it others have their turn.
local function feed(stream, data, out, since)
  for at = 1, #data, PIECE do
    local piece = #data <= PIECE and data or data:sub(at, at + PIECE - 1)
    since = since + #piece
    if since > PIECE then
      task.yield()
      since = #piece
    end
    out[#out + 1] = (stream(piece))
  end
  return since
end

--- Compresses strings.
-- @tparam table pieces array
-- @number level
-- @treturn string
function deflate.whole(pieces, level)
  local stream = zlib.deflate(level, GZIP)
  local out, since = {}, 0
  for _, piece in ipairs(pieces) do
    since = feed(stream, piece, out, since)
  end
  out[#out + 1] = (stream("", "finish"))
  return table.concat(out)
end

-- A body that is pulled, and closed when nobody pulls it to its end.
local Stream = {}
local meta = { __index = Stream, __name = "gzip stream" }

local function step(self)
  local data, err, code = self.body()
  if data == nil and err ~= nil then
    return nil, err, code
  elseif data == nil then
    self.ended = true
    return (self.stream("", "finish"))
  end
  local pieces = assert(deflate.pieces(data), "a piece of a body is no string")
  local out = {}
  for _, piece in ipairs(pieces) do
    feed(self.stream, piece, out, 0)
  end
  if self.flushing then
    out[#out + 1] = (self.stream("", "sync"))
  end
  return table.concat(out)
end

function meta:__call()
  while not self.ended do
    local data, err, code = step(self)
    if data ~= "" then
      return data, err, code
    end
  end
end

function Stream:close()
  self.ended = true
  local body = self.body
  if type(body) ~= "function" and body.close then
    return body:close()
  end
  return true
end

--- Compresses a body that is pulled.
-- @param body called until it returns nil
-- @number level
-- @tparam boolean flushing each piece leaves at once
-- @return a body that is pulled, with close()
function deflate.stream(body, level, flushing)
  return setmetatable({ body = body, flushing = flushing,
    stream = zlib.deflate(level, GZIP) }, meta)
end

return deflate
