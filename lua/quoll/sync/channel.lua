--- Channels: values from task to task, in order.
-- Source: bindings/sync/channel.c
-- @module quoll.sync.channel

local core = require "quoll.core"
local finish = require("quoll.wait").finish
local iterator = require "quoll.iterator"

local raw = core.channel
local raise = core.raise
local core_send, core_receive = raw.send, raw.receive

local Channel = core.methods.channel
local channel = {}

--- Makes a channel.
-- @number[opt] n values that are kept without a receiver; 0 (the default): a
-- send ends when a receiver has taken the value
-- @treturn Channel no task owns it
-- @function channel
channel.new = raw.new

--- Sends a value; waits for room, or without a buffer for a receiver. First
-- come, first served.
-- @tparam any v anything but nil
-- @number[opt] s seconds at most; 0: only if it need not wait
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "timeout" or "closed": the value was not sent
-- @treturn[2] string CODE
function Channel:send(v, s)
  return finish(core_send(self, v, s))
end

--- Takes the oldest value; waits for one. First come, first served. What was
-- sent before the channel was closed can still be taken.
-- @number[opt] s seconds at most; 0: only if there is one
-- @treturn[1] any the value
-- @treturn[2] nil
-- @treturn[2] string "timeout" or "closed"
-- @treturn[2] string CODE
function Channel:receive(s)
  return finish(core_receive(self, s))
end

local function next_value(self)
  local v, err, code = finish(core_receive(self))
  if v == nil and code ~= "CLOSED" and code ~= "OWNER_ENDED" then
    raise(err)
  end
  return v
end

--- Iterates over what is received, until the channel is closed.
-- @treturn Iterator
function Channel:values()
  return iterator.new(next_value, self)
end

--- Names it: `quoll.tasks()` and the dump tell who waits for it by its name,
-- else by the line that made it.
-- @function Channel:name
-- @string[opt] text 23 bytes of which are kept
-- @treturn ?string its name
Channel.name = core.channel.name

return channel
