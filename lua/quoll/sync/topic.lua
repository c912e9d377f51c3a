--- Topics: each value goes to every subscriber.
-- Publishing never waits: a subscriber that does not keep up is closed, or
-- loses the oldest values.
-- @module quoll.sync.topic

local core = require "quoll.core"
local finish = require("quoll.wait").finish
local iterator = require "quoll.iterator"

local raise, bad_argument = core.raise, core.bad_argument
local raw = core.channel
local offer, poll, core_receive = raw.offer, raw.poll, raw.receive
local close, closed = core.methods.channel.close, raw.closed

local MODES = { close = true, drop = true }

local Topic, Subscription = {}, {}
local topic = { methods = Topic, subscription_methods = Subscription }
local meta = { __index = Topic, __name = "topic", __metatable = "topic" }
local subscription_meta = {
  __index = Subscription,
  __name = "subscription",
  __metatable = "subscription",
}

-- Subscriptions are held weakly: nobody could receive from one that only the
-- topic knows.
local weak = { __mode = "v" }

--- Makes a topic without subscribers.
-- @treturn Topic
function topic.new()
  return setmetatable({
    subscriptions = setmetatable({}, weak),
    last = 0,
    crowded = 8,
  }, meta)
end

local function deliver(self, v)
  local channel = self.channel
  if offer(channel, v) or closed(channel) then
    return
  elseif self.drop then
    poll(channel)
    self.lost = self.lost + 1
    offer(channel, v)
  else
    self.slow = true
    close(channel)
  end
end

--- Gives a value to every subscriber; never waits.
-- @tparam any v anything but nil
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "closed"
-- @treturn[2] string CODE
function Topic:publish(v)
  if v == nil then
    bad_argument(v, "v", "publish", "any value but nil")
  elseif self.closed then
    return nil, "closed", "CLOSED"
  end
  local subscriptions = self.subscriptions
  for i = 1, self.last do
    local subscription = subscriptions[i]
    if subscription then
      deliver(subscription, v)
    end
  end
  return true
end

-- Closes the gaps in the list, when there may be as many as subscriptions.
local function sweep(self)
  local list, kept = self.subscriptions, 0
  for i = 1, self.last do
    local subscription = list[i]
    list[i] = nil
    if subscription and not closed(subscription.channel) then
      kept = kept + 1
      list[kept] = subscription
    end
  end
  self.last = kept
  self.crowded = math.max(2 * kept, 8)
end

--- Subscribes to what is published from now on.
-- @number n values kept until they are received
-- @string[opt="close"] mode what happens to one that is full: "close" closes
-- it, "drop" drops its oldest value
-- @treturn Subscription no task owns it
function Topic:subscribe(n, mode)
  if type(n) ~= "number" or n < 1 or n % 1 ~= 0 then
    bad_argument(n, "n", "subscribe", "a whole number from 1 up")
  elseif mode ~= nil and not MODES[mode] then
    bad_argument(mode, "mode", "subscribe", "'close' or 'drop'")
  end
  local self_channel = raw.new(n)
  local subscription = setmetatable({
    channel = self_channel,
    drop = mode == "drop",
    lost = 0,
  }, subscription_meta)
  if self.closed then
    close(self_channel)
    return subscription
  elseif self.last >= self.crowded then
    sweep(self)
  end
  self.last = self.last + 1
  self.subscriptions[self.last] = subscription
  return subscription
end

--- Nothing more is published: subscribers get what they have not received
-- yet, and then "closed".
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "closed": it was
-- @treturn[2] string CODE
function Topic:close()
  if self.closed then
    return nil, "closed", "CLOSED"
  end
  self.closed = true
  for i = 1, self.last do
    local subscription = self.subscriptions[i]
    if subscription then
      close(subscription.channel)
    end
  end
  return true
end

--- Takes the oldest value; waits for one.
-- @number[opt] s seconds at most; 0: only if there is one
-- @treturn[1] any the value
-- @treturn[1] number how many were dropped before it
-- @treturn[2] nil
-- @treturn[2] string "timeout", "closed" or "too slow": it has been closed
-- since it was full
-- @treturn[2] string CODE: TIMEOUT, CLOSED, OWNER_ENDED or SLOW
function Subscription:receive(s)
  local v, err, code = finish(core_receive(self.channel, s))
  if v ~= nil then
    local lost = self.lost
    self.lost = 0
    return v, lost
  elseif self.slow and code == "CLOSED" then
    return nil, "too slow", "SLOW"
  end
  return nil, err, code
end

local function next_value(self)
  local v, more, code = self:receive()
  if v == nil and code ~= "CLOSED" and code ~= "OWNER_ENDED" then
    raise(more)
  end
  return v
end

--- Iterates over what is received, until it or the topic is closed; raises
-- "too slow".
-- @treturn Iterator
function Subscription:values()
  return iterator.new(next_value, self)
end

--- Ends the subscription; what it has kept can still be received.
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "closed": it was
-- @treturn[2] string CODE
function Subscription:close()
  return close(self.channel)
end

return topic
