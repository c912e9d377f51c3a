--- Compressed bodies, taken apart piece by piece.
-- No piece of input is larger than PIECE, so that a piece of output is no
-- larger than some 1,000 times that, whatever a server sends.
-- @module quoll.http.client.response.decode

local library = require "quoll.http.zlib"

local decode = {}

local PIECE = 1024 -- bytes of input at a time
local LAYERS = 2   -- of codings at most

local GZIP, ZLIB, RAW = 31, 15, -15 -- windowBits, as zlib knows them

--- What can be decoded here, for Accept-Encoding; nil: nothing.
function decode.accepted()
  return library() and "gzip, deflate" or nil
end

-- "deflate" is zlib's format; some send what is inside it alone.
local function window(coding, input)
  if coding == "gzip" then
    return GZIP
  end
  local a, b = input:byte(1, 2)
  return a % 16 == 8 and (a * 256 + (b or -a * 256)) % 31 == 0 and ZLIB or RAW
end

local function bad()
  return nil, "bad compressed body", "EBADMSG"
end

-- One step: what a piece of the input comes to.
local function inflate(state)
  if not state.stream then
    state.stream = library().inflate(window(state.coding, state.input))
    state.used = 0
  end
  local input = state.input:sub(1, PIECE)
  local ok, output, ended, used = pcall(state.stream, input)
  if not ok then
    return bad()
  end
  state.input = state.input:sub((ended and used - state.used or #input) + 1)
  state.used = state.used + #input
  if ended then
    state.stream, state.members = nil, true
  end
  return output
end

-- More input; false: there is none.
local function fill(state)
  local input, err, code = state.source()
  if input then
    state.input = state.input .. input
    return true
  elseif err then
    return nil, err, code
  elseif state.stream or state.input ~= "" then
    return nil, "compressed body cut", "EBADMSG"
  end
  return false
end

local function wanted(state)
  return #state.input == 0 or not state.stream and #state.input < 2
end

local function step(state)
  while true do
    if wanted(state) then
      local more, err, code = fill(state)
      if not more then
        return nil, err, code
      end
    elseif state.members and not state.stream and state.coding ~= "gzip" then
      return bad()
    else
      local output, err, code = inflate(state)
      if output ~= "" then
        return output, err, code
      end
    end
  end
end

local function layer(source, coding)
  local state = { source = source, coding = coding, input = "" }
  return function()
    return step(state)
  end
end

local KNOWN = { gzip = "gzip", ["x-gzip"] = "gzip", deflate = "deflate" }

--- Makes a source of decoded pieces out of one of encoded ones.
-- @func source () -> string | nil at the end | nil, err, CODE
-- @string codings of Content-Encoding
-- @treturn ?function as source, whose failures are also "bad compressed body"
-- and "compressed body cut", EBADMSG; nil: a coding that is not known here
function decode.source(source, codings)
  local list = {}
  for coding in codings:lower():gmatch "[^, \t]+" do
    if coding ~= "identity" then
      list[#list + 1] = KNOWN[coding] or coding
    end
  end
  if #list > LAYERS or not list[1] or not library() then
    return nil
  end
  for i = #list, 1, -1 do
    if list[i] ~= "gzip" and list[i] ~= "deflate" then
      return nil
    end
    source = layer(source, list[i])
  end
  return source
end

return decode
