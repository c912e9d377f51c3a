--- Bodies that a function gives piece by piece: chunked, or up to the end of
-- the connection for a client of HTTP/1.0.
-- @module quoll.http.pull

local core = require "quoll.core"
local failure = require "quoll.http.failure"
local pieces = require "quoll.http.pieces"
local raw = require "quoll.http.core"
local shield = require("quoll.task.scope").shield

local chunk = raw.chunk

local pull = {}

--- Closes a body that is cut short, if it can be closed.
-- @param body
function pull.close(body)
  local kind = type(body)
  if kind ~= "table" and kind ~= "userdata" then
    return
  end
  local found, fn = pcall(function() return body.close end)
  if found and fn then
    shield(nil, fn, body)
  end
end

-- Sends a piece; its bytes | false: the client has gone | nil, why: it is none.
local function send(conn, piece, chunked)
  local kind = pieces.kind(piece)
  local list, length
  if kind and kind ~= "pull" and kind ~= "file" and kind ~= "part" then
    list, length = pieces.of(kind, piece)
  end
  if not list then
    return nil, "a body's function has returned a " .. type(piece)
  elseif length == 0 then
    return 0
  elseif chunked then
    table.insert(list, 1, chunk(length))
    list[#list + 1] = "\r\n"
  end
  return pieces.send(conn, list) and length
end

-- bytes | false, bytes: the client has gone | nil, bytes, why
local function run(conn, body, chunked)
  local bytes = 0
  while true do
    local piece, err = body()
    if piece == nil and err == nil then
      return bytes
    elseif piece == nil then
      return nil, bytes, err
    end
    local sent, why = send(conn, piece, chunked)
    if not sent then
      return sent, bytes, why
    end
    bytes = bytes + sent
  end
end

--- Sends an answer whose body is called until it returns nil. It is watched
-- meanwhile: the client's leaving cancels it.
-- @treturn[1] boolean true; false: it was cut short, the connection ends
-- @treturn[1] number bytes of the body that were sent
-- @treturn[2] nil nothing was gathered
-- @treturn[2] string why
function pull.send(conn, status, body, headers)
  local follows, chunked = raw.head(conn, status, headers, nil, true)
  if not follows then
    pull.close(body)
    return follows ~= nil or nil, chunked or 0
  end
  raw.watch(conn, true)
  local ok, done, bytes, why = xpcall(run, failure.describe, conn, body,
    chunked)
  raw.watch(conn, false)
  if ok and done then
    if chunked then
      raw.put(conn, "0\r\n\r\n")
    end
    return true, done
  end
  pull.close(body)
  if not ok and done.cancelled then
    error(done.err, 0)
  elseif not ok or done == nil then
    core.log_lines("error", "http: a body was cut short: ",
      tostring(not ok and (done.traceback or done.err) or why))
  end
  return false, bytes or 0
end

return pull
