--- Bodies of requests: what they are made of, how long they are, and how they
-- leave.
-- @module quoll.http.client.request.body

local callable = require "quoll.callable"
local core = require "quoll.core"
local part = require "quoll.http.part"

local body = {}

local PIECE = 262144 -- bytes of a file or a string between two looks
local DEPTH = 16     -- of lists in lists

local function is_file(value)
  return type(value) == "userdata" and getmetatable(value) == "file"
end

local function bad(value)
  core.bad_argument(value, "body", "request",
    "a string, a number, a file, a part, a function or a list of these")
end

local function add(made, piece, n)
  made.pieces[#made.pieces + 1] = piece
  made.size = made.size and n and made.size + n
end

local function add_text(made, text)
  local last = made.pieces[#made.pieces]
  if type(last) == "string" and #last + #text < PIECE then
    made.pieces[#made.pieces] = last .. text
    made.size = made.size and made.size + #text
  elseif text ~= "" then
    add(made, text, #text)
  end
end

-- err, CODE when a file cannot say how long it is.
local function collect(made, value, depth)
  local kind = type(value)
  if kind == "string" or kind == "number" then
    add_text(made, tostring(value))
  elseif callable(value) then
    add(made, value, nil)
    made.replayable = false
  elseif is_file(value) then
    local piece, err, code = part.part(value)
    if not piece then
      return err, code
    end
    add(made, piece, piece.n)
  elseif kind == "table" and getmetatable(value) == part.type then
    add(made, value, value.n)
  elseif kind == "table" and depth < DEPTH then
    for i = 1, #value do
      local err, code = collect(made, value[i], depth + 1)
      if err then
        return err, code
      end
    end
  elseif kind == "userdata" and pcall(function() return #value end) then
    add_text(made, tostring(value)) -- a string.buffer
  else
    bad(value)
  end
end

--- What a body is made of; files are asked for their size.
-- @param value string|number|file|part|string.buffer|function, or a list of
-- these and of such lists
-- @treturn[1] table pieces, size (bytes; nil: not known), replayable
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function body.plan(value)
  local made = { pieces = {}, size = 0, replayable = true }
  local err, code = collect(made, value, 0)
  if err then
    return nil, err, code
  end
  return made
end

--- A body that is in memory: it can leave together with the head.
-- @treturn ?string nil: it is not
function body.text(made)
  local first = made.pieces[1]
  if first == nil or type(first) == "string" and not made.pieces[2] then
    return first or ""
  end
  return nil
end

local function count(out, n)
  out.sent = out.sent + n
  out.left = out.left and out.left - n
  if out.progress then
    out.progress(out.sent, out.total)
  end
  return true
end

-- One piece of the stream, n bytes: sent by send(conn).
local function framed(out, n, send)
  if out.left and n > out.left then
    return nil, "body longer than its Content-Length", "EMSGSIZE"
  end
  if out.chunked then
    out.conn:cork()
    out.conn:send(("%x\r\n"):format(n))
  end
  local ok, err, _, code = send(out.conn)
  if ok and out.chunked then
    ok, err, _, code = out.conn:send "\r\n"
    if ok then
      ok, err, code = out.conn:uncork()
    end
  end
  if not ok then
    return nil, err, code
  end
  return count(out, n)
end

local function send_text(out, text)
  for at = 1, #text, PIECE do
    if out.answered() then
      return false
    end
    local slice = #text > PIECE and text:sub(at, at + PIECE - 1) or text
    local ok, err, code = framed(out, #slice, function(conn)
      return conn:send(slice)
    end)
    if not ok then
      return nil, err, code
    end
  end
  return true
end

local function send_file(out, piece)
  local at, stop = piece.offset, piece.offset + piece.n
  while at < stop do
    if out.answered() then
      return false
    end
    local n = math.min(PIECE, stop - at)
    local ok, err, code = framed(out, n, function(conn)
      local sent, failure, partial, why = conn:sendfile(piece.file, at, n)
      if sent and sent < n then
        return nil, "file: no data available", sent, "ENODATA"
      end
      return sent, failure, partial, why
    end)
    if not ok then
      return nil, err, code
    end
    at = at + n
  end
  return true
end

local function pull(out, source)
  while true do
    local text, err, code = source()
    if text == nil then
      return err == nil or nil, err, code
    elseif type(text) ~= "string" and type(text) ~= "number" then
      bad(text)
    end
    local ok
    ok, err, code = send_text(out, tostring(text))
    if not ok then
      return ok, err, code
    end
  end
end

local function send_piece(out, piece)
  if type(piece) == "string" then
    return send_text(out, piece)
  elseif getmetatable(piece) == part.type then
    return send_file(out, piece)
  end
  return pull(out, piece)
end

--- Sends a body.
-- @tparam table made planned
-- @tparam table out `conn`; `chunked`; `total`: bytes, if known; `progress`:
-- called with the bytes sent and total; `answered`: says whether the server
-- has answered already, so that no more need be sent
-- @treturn[1] boolean true; false: it was answered before
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function body.send(made, out)
  out.sent, out.left = 0, out.total
  for _, piece in ipairs(made.pieces) do
    local ok, err, code = send_piece(out, piece)
    if not ok then
      return ok, err, code
    end
  end
  if out.left and out.left > 0 then
    return nil, "body shorter than its Content-Length", "EMSGSIZE"
  elseif out.chunked then
    local ok, err, _, code = out.conn:send "0\r\n\r\n"
    return ok and true, err, code
  end
  return true
end

--- Whoever made the stream is told that nobody pulls it any more.
function body.abandon(made)
  for _, piece in ipairs(made.pieces) do
    local kind = type(piece)
    if kind ~= "function" and kind ~= "string" and callable(piece)
      and piece.close then
      piece:close()
    end
  end
end

return body
