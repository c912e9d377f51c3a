--- What a handler returns, as an answer of HTTP/2.
-- @module quoll.http.http2.respond

local core = require "quoll.core"
local failure = require "quoll.http.failure"
local field = require "quoll.http.syntax.field"
local format_date = require("quoll.http.syntax.date").format
local pieces = require "quoll.http.pieces"
local pull = require "quoll.http.pull"

local respond = {}

local INTERNAL_ERROR = 2 -- RFC 9113, section 7
local SLICE = 65536 -- bytes of a file at a time

-- Fields of the connection have no meaning here, and our own are ours.
local NOT_SENT = {
  connection = true, ["keep-alive"] = true, ["proxy-connection"] = true,
  ["transfer-encoding"] = true, upgrade = true, ["content-length"] = true,
}

local clock = { second = nil, text = nil }

local function date()
  local now = os.time()
  if now ~= clock.second then
    clock.second, clock.text = now, format_date(now)
  end
  return clock.text
end

local function add_field(fields, name, value)
  value = tostring(value)
  if not field.is_value(value) then
    return nil, ("the handler's header %s has a control character"):format(name)
  end
  fields[#fields + 1], fields[#fields + 2] = name, value
  return true
end

local function add_fields(fields, name, value)
  if type(value) ~= "table" then
    return add_field(fields, name, value)
  end
  for _, one in ipairs(value) do
    local ok, why = add_field(fields, name, one)
    if not ok then
      return nil, why
    end
  end
  return true
end

local function add_default(fields, names, name, value)
  if value ~= nil and names[name] == nil then
    fields[#fields + 1], fields[#fields + 2] = name, value
  end
end

-- The head's fields; nil, why. length: of a body that is known.
local function make_head(stream, status, headers, length, text)
  local fields, names = { ":status", tostring(status) }, {}
  for name, value in pairs(headers or names) do
    if type(name) ~= "string" or not field.is_token(name) then
      return nil, "the handler has returned a bad header name"
    end
    name = name:lower()
    names[name] = value
    if value ~= false and not NOT_SENT[name] then
      local ok, why = add_fields(fields, name, value)
      if not ok then
        return nil, why
      end
    end
  end
  local bodyless = stream.bodyless or status == 204 or status == 304
  add_default(fields, names, "content-type",
    text and (length > 0 or stream.bodyless) and "text/plain; charset=utf-8"
    or nil)
  add_default(fields, names, "date", date())
  add_default(fields, names, "server", stream.limits.server)
  length = bodyless and names["content-length"] or length
  if length and status ~= 204 and (status ~= 304 or length ~= 0) then
    fields[#fields + 1], fields[#fields + 2] = "content-length",
      ("%.0f"):format(length)
  end
  return fields, bodyless
end

local function send_file(stream, piece)
  local offset, left = piece.offset, piece.n
  while left > 0 do
    local bytes = piece.file:pread(math.min(left, SLICE), offset)
    if not bytes or not stream:write(bytes) then
      return false
    end
    offset, left = offset + #bytes, left - #bytes
  end
  return true
end

local function send_list(stream, list)
  for _, piece in ipairs(list) do
    local sent
    if type(piece) == "table" then
      sent = send_file(stream, piece)
    else
      sent = piece == "" or stream:write(piece)
    end
    if not sent then
      return false
    end
  end
  return true
end

-- true | false: nobody wants it any more | nil, why
local function send_pieces(stream, body)
  while true do
    local piece, err = body()
    if piece == nil then
      return err == nil or nil, err
    end
    local kind = pieces.kind(piece)
    local list, _, why = nil, nil, nil
    if kind and kind ~= "pull" then
      list, _, why = pieces.of(kind, piece)
    end
    if not list then
      return nil, why or "a body's function has returned a " .. type(piece)
    elseif not send_list(stream, list) then
      return false
    end
  end
end

local function send_pulled(stream, body)
  local ok, done, why = xpcall(send_pieces, failure.describe, stream, body)
  if ok and done then
    return true
  end
  pull.close(body)
  if not ok and done.cancelled then
    error(done.err, 0)
  elseif not ok or done == nil then
    core.log_lines("error", "http: a body was cut short: ",
      tostring(ok and why or done.traceback or done.err))
  end
  return false
end

-- Body -> what sends it, its length when it is known, whether it is text;
-- nil, why.
local function prepare(body)
  local kind = pieces.kind(body)
  if not kind then
    return nil, ("the handler has returned a body that is a %s")
      :format(type(body))
  elseif kind == "pull" then
    return function(stream) return send_pulled(stream, body) end, nil, false
  end
  local list, length, why = pieces.of(kind, body)
  if not list then
    return nil, why
  end
  return function(stream) return send_list(stream, list) end, length,
    kind == "text"
end

--- Sends one.
-- @treturn[1] boolean true; false: cut short
-- @treturn[2] nil
-- @treturn[2] string why nothing was sent
function respond.send(stream, status, body, headers)
  local send, length, text = prepare(body)
  if not send then
    return nil, length
  end
  local fields, bodyless = make_head(stream, status, headers, length, text)
  if not fields then
    return nil, bodyless
  end
  local follows = not bodyless and length ~= 0
  if not follows then
    pull.close(body)
  end
  if not stream:head(status, fields, follows) then
    return false
  elseif follows and not send(stream) then
    stream:reset(INTERNAL_ERROR)
    return false
  elseif follows then
    stream:finish()
  end
  return true
end

return respond
