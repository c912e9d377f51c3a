--- Bodies whose length is known: strings, numbers, files and parts of files,
-- string.buffers, lists of these.
-- @module quoll.http.pieces

local callable = require "quoll.callable"
local part = require "quoll.http.part"

local pieces = {}

local SPLIT = 1024 -- strings that leave in one send at most

local function is_buffer(value)
  return type(value) == "userdata"
    and tostring(getmetatable(value)) == "buffer"
end

--- What kind of body it is: "text", "file", "part", "buffer", "list", "pull"
-- (called until it returns nil); nil: none.
function pieces.kind(body)
  local kind = type(body)
  if kind == "nil" or kind == "string" or kind == "number" then
    return "text"
  elseif kind == "function" then
    return "pull"
  elseif kind == "userdata" then
    return getmetatable(body) == "file" and "file"
      or is_buffer(body) and "buffer" or nil
  elseif kind == "table" then
    return getmetatable(body) == part.type and "part"
      or callable(body) and "pull" or "list"
  end
  return nil
end

local function add_file(list, file)
  local size, err = file:size()
  if not size then
    return nil, err
  end
  list[#list + 1] = { file = file, offset = 0, n = size }
  return size
end

local add

local function add_list(list, body)
  local length = 0
  for i = 1, #body do
    local n, why = add(list, pieces.kind(body[i]), body[i])
    if not n then
      return nil, why
    end
    length = length + n
  end
  return length
end

-- Appends what body consists of; its bytes, or nil, why.
function add(list, kind, body)
  if kind == "text" then
    local text = tostring(body or "")
    list[#list + 1] = text
    return #text
  elseif kind == "buffer" then
    local text = body:tostring()
    list[#list + 1] = text
    return #text
  elseif kind == "part" then
    list[#list + 1] = { file = body.file, offset = body.offset, n = body.n }
    return body.n
  elseif kind == "file" then
    return add_file(list, body)
  elseif kind == "list" then
    return add_list(list, body)
  end
  return nil, "a body's list has a " .. type(body) .. " in it"
end

--- A body as a flat list of strings and { file, offset, n }.
-- @treturn[1] table
-- @treturn[1] int bytes of all
-- @treturn[2] nil
-- @treturn[2] nil
-- @treturn[2] string why
function pieces.of(kind, body)
  local list = {}
  local length, why = add(list, kind, body)
  if not length then
    return nil, nil, why
  end
  return list, length
end

local function send_file(conn, piece)
  if piece.n == 0 then
    return true
  end
  return conn:sendfile(piece.file, piece.offset, piece.n) == piece.n
end

local function send_strings(conn, list, from, to)
  if from == to then
    return list[from] == "" or conn:send(list[from])
  end
  local run = {}
  for i = from, to do
    run[#run + 1] = list[i]
  end
  return conn:send(run)
end

--- Sends what `of` gave.
-- @treturn boolean false: it could not be sent whole
function pieces.send(conn, list)
  local from = 1
  while from <= #list do
    local to = from
    local sent
    if type(list[from]) == "table" then
      sent = send_file(conn, list[from])
    else
      while type(list[to + 1]) == "string" and to - from < SPLIT do
        to = to + 1
      end
      sent = send_strings(conn, list, from, to)
    end
    if not sent then
      return false
    end
    from = to + 1
  end
  return true
end

return pieces
