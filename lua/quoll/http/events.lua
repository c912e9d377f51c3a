--- Server-Sent Events: a stream of events to a page's EventSource.
-- @module quoll.http.events

local callable = require "quoll.callable"
local core = require "quoll.core"
local options = require "quoll.options"
local channel = require "quoll.sync.channel"
local select_ready = require("quoll.sync.select").select
local stop = require "quoll.stop"
local stopped = require("quoll.sync.event").new()
local task = require "quoll.task"

local raise = core.raise

local OPTIONS = { keepalive = "number", headers = "table", retry = "number" }
local KEEPALIVE = 15 -- seconds

local events = {}

local FIELDS = { data = true, event = true, id = true, retry = true,
  comment = true }

-- Each line of a value becomes a line of the field.
local function add(out, field, value)
  value = tostring(value):gsub("\r\n?", "\n")
  for line in (value .. "\n"):gmatch "(.-)\n" do
    out[#out + 1] = field .. ": " .. line .. "\n"
  end
end

-- A field that is one line: a line end in it would begin another field.
local function add_line(out, field, value)
  if value ~= nil then
    value = tostring(value)
    if value:find "[%z\r\n]" then
      raise(("bad event ('%s' with a line end or NUL)"):format(field))
    end
    out[#out + 1] = field .. ": " .. value .. "\n"
  end
end

--- One event as its lines.
-- @tparam string|table event the data; or a table of data, event, id, retry
-- (s), comment
-- @treturn string
function events.format(event)
  if type(event) ~= "table" then
    event = { data = event }
  end
  for name in pairs(event) do
    if not FIELDS[name] then
      raise(("bad event (no field '%s')"):format(tostring(name)))
    end
  end
  local out = {}
  if event.comment then
    add(out, "", event.comment)
  end
  add_line(out, "event", event.event)
  add_line(out, "id", event.id)
  if event.retry then
    add_line(out, "retry", ("%d"):format(event.retry * 1000))
  end
  if event.data ~= nil then
    add(out, "data", event.data)
  end
  out[#out + 1] = "\n"
  return table.concat(out)
end

stop.hook(function() stopped:set() end)

-- The next of a channel, unless a stop comes first.
local function receive(self, from)
  local ready, err, code = select_ready({ from = from, stop = stopped },
    self.keepalive)
  if ready == "from" then
    return from:receive(0)
  elseif ready then
    return nil, "closed", "CLOSED"
  end
  return nil, err, code
end

local function closed(code)
  return code == "CLOSED" or code == "OWNER_ENDED"
end

-- What receives; ends, quietly, when it is closed.
local function from_channel(self)
  local event, err, code = receive(self, self.source)
  if event ~= nil then
    return events.format(event)
  elseif code == "TIMEOUT" then
    return ":\n\n"
  elseif not closed(code) then
    return nil, err, code
  end
end

local function produce(fn, to)
  local ok, event, err
  repeat
    ok, event, err = xpcall(fn, task.traceback)
    if ok and event ~= nil then
      to:send { event = event }
    end
  until not ok or event == nil
  if not ok and task.iscancelled(event) then
    error(event, 0)
  end
  to:send { failed = not ok or err ~= nil, err = not ok and event or err }
end

-- The function runs in a task of its own: it may wait for as long as it likes
-- while comments keep the connection alive.
local function from_function(self)
  if not self.task then
    self.from = channel.new()
    self.task = core.spawn(produce, self.source, self.from):detach()
  end
  local got, _, code = receive(self, self.from)
  if code == "TIMEOUT" then
    return ":\n\n"
  elseif not got then
    self:close()
  elseif got.event ~= nil then
    return events.format(got.event)
  elseif got.failed then
    return nil, got.err
  end
end

local function receives(source)
  local kind = type(source)
  return (kind == "userdata" or kind == "table") and source.receive
end

local Stream = {}
local meta = { __index = Stream, __name = "event stream" }

function meta:__call()
  if self.first then
    local first = self.first
    self.first = nil
    return first
  elseif core.stopping() then -- the client comes back, to another server
    self:close()
    return nil
  end
  return self:step()
end

--- Ends it: the client has left.
function Stream:close()
  if self.task then
    self.task:cancel()
  end
  return true
end

--- An answer that is a stream of events.
-- @tparam function|Channel|Subscription source a function called for the next
-- event, in a task of its own, until it returns nil; or a channel or a topic's
-- subscription, until it is closed. An event is its data, or a table: `data`,
-- `event` (its type), `id` (comes back as Last-Event-ID), `retry` (s),
-- `comment`
-- @tparam ?table opts `keepalive` (15): seconds of silence after which a
-- comment is sent; `retry`: seconds after which a browser comes back;
-- `headers`. A stream ends at `quoll.stop`
-- @treturn number status
-- @treturn any body
-- @treturn table headers
function events.events(source, opts)
  opts = options.check(opts, OPTIONS, "events")
  if not core.stopping() then
    stopped:clear()
  end
  local self = { source = source, keepalive = opts.keepalive or KEEPALIVE }
  if callable(source) then
    self.step = from_function
  elseif receives(source) then
    self.step = from_channel
  else
    core.bad_argument(source, "source", "events",
      "a function, a channel or a subscription")
  end
  if opts.retry then
    self.first = events.format { retry = opts.retry }
  end
  local headers = { ["cache-control"] = "no-cache" }
  for name, value in pairs(opts.headers or {}) do
    headers[name] = value
  end
  headers["content-type"] = "text/event-stream"
  return 200, setmetatable(self, meta), headers
end

return events
