--- How WebSockets end.
-- A close frame is answered by one; who refuses what came says why, and lets
-- the peer read it: a connection that is closed with bytes unread is reset, and
-- the close frame lost.
-- @module quoll.http.websocket.closing

local raw = require "quoll.core.websocket"
local event = require "quoll.sync.event"
local finish = require("quoll.wait").finish
local scope = require "quoll.task.scope"
local sending = require "quoll.http.websocket.sending"

local closing = {}

local CLOSE = 0x88    -- FIN and the opcode
local NONE = 1005     -- the code of a close frame without one
local LOST = 1006     -- of a connection that ended without a close frame
local PATIENCE = 5    -- s that a close frame, and its answer, may take
local LINGER = 1      -- s for the peer to read why

local CODES = { [1002] = "EPROTO", [1007] = "EILSEQ", [1009] = "EMSGSIZE" }

local function say(self, code, reason)
  local body = ""
  if code ~= NONE then
    body = string.char(math.floor(code / 256), code % 256) .. reason
  end
  return scope.deadline(PATIENCE, sending.frame, self, body, CLOSE)
end

-- Notes what the peer said, closes, and wakes who waits for that in close().
local function over(self, code, reason)
  local state = raw.fields(self)[2]
  state.code, state.reason = state.code or code, state.reason or reason
  raw.shut(self)
  if state.gone then
    state.gone:set()
  end
  return nil, "closed", state.code, state.reason
end

--- The peer's close frame has come.
-- @treturn nil
-- @treturn string "closed"
-- @treturn int code
-- @treturn string reason
function closing.answer(self, code, reason)
  say(self, code, "")
  return over(self, code, reason)
end

--- Nothing comes any more.
-- @treturn nil
-- @treturn string "closed"
-- @treturn int code
-- @treturn string reason
function closing.ended(self)
  return over(self, LOST, "")
end

--- Refuses what the peer sent.
-- @tparam WebSocket self
-- @int code of the close frame that tells it
-- @string why
-- @treturn nil
-- @treturn string why
-- @treturn string CODE
function closing.fail(self, code, why)
  if say(self, code, why) then
    finish(raw.drain(self, LINGER))
  end
  over(self, LOST, "")
  return nil, why, CODES[code]
end

-- The peer's close frame, or the end, whoever receives.
local function await(self)
  while true do
    local message, code, third = finish(raw.receive(self, PATIENCE))
    if message == false and code then
      over(self, code, third)
      return true
    elseif third == "BUSY" then
      local state = raw.fields(self)[2]
      state.gone = state.gone or event.new()
      state.gone:wait()
      return true
    elseif message == nil then
      return nil, code, third
    end
  end
end

--- Closes with a code and a reason.
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function closing.close(self, code, reason)
  local ok, err, why = say(self, code, reason)
  if ok then
    ok, err, why = scope.deadline(PATIENCE, await, self)
  end
  if why == "DEADLINE" then
    why = "TIMEOUT"
  end
  over(self, LOST, "")
  if ok then
    return true
  end
  return nil, err, why
end

return closing
