--- Frames out, one after the other, whoever sends.
-- @module quoll.http.websocket.sending

local core = require "quoll.core"
local raw = require "quoll.core.websocket"
local finish = require("quoll.wait").finish

local mark, take = core.mark, core.take
local core_send, fields = raw.send, raw.fields
local lock, unlock = core.mutex.lock, core.mutex.unlock

local sending = {}

local COMPRESSED = 0x40
local TEXT = 0x81

local function plain(self, data, first)
  local sent, err, code = core_send(self, data, first)
  if sent == mark then
    return take(err, code)
  end
  return sent, err, code
end

local function compressed(self, data, first, deflate)
  if first == TEXT and not raw.utf8(data) then
    return nil, nil, "EILSEQ"
  end
  return plain(self, deflate:compress(data), first + COMPRESSED)
end

local function send(self, how, data, first, deflate)
  local gate = fields(self)[2].lock
  finish(lock(gate))
  local ok, sent, err, code = pcall(how, self, data, first, deflate)
  unlock(gate)
  if not ok then
    error(sent, 0)
  elseif sent then
    return true
  end
  return nil, code == "EILSEQ" and "text is no UTF-8" or err, code
end

--- Sends a frame.
-- @tparam WebSocket self
-- @string data
-- @int first its first byte
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function sending.frame(self, data, first)
  return send(self, plain, data, first)
end

--- Sends a message, compressed where that was agreed and is worth it.
-- @tparam WebSocket self
-- @string data
-- @int first as of a frame that is not compressed
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function sending.message(self, data, first)
  local deflate = fields(self)[2].deflate
  if deflate and deflate:worth(data) then
    return send(self, compressed, data, first, deflate)
  end
  return send(self, plain, data, first)
end

return sending
