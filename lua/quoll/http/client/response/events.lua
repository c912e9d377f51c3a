--- Server-Sent Events as a client reads them: the stream of an answer, event by
-- event.
-- @module quoll.http.client.response.events

local core = require "quoll.core"
local iterator = require "quoll.iterator"

local events = {}

local MAX = 2 ^ 20 -- bytes of an event, by default
local BOM = "\239\187\191"

local function more(state)
  state.piece, state.at = state.chunks(), 1
  if state.piece and state.skip and state.piece:sub(1, 1) == "\n" then
    state.at = 2
  end
  state.skip = state.skip and state.piece == ""
  return state.piece
end

local function grow(state, text)
  state.size = state.size + #text
  if state.size > state.max then
    core.raise "event too large"
  end
  return text
end

-- The next line, ended by CR, LF or both; nil: there is no whole one.
local function next_line(state)
  local parts = {}
  while state.piece or more(state) do
    local piece, from = state.piece, state.at
    local to = piece:find("[\r\n]", from)
    parts[#parts + 1] = grow(state, piece:sub(from, (to or 0) - 1))
    state.piece = nil
    if to then
      state.skip = piece:sub(to, to) == "\r" and to == #piece
      local crlf = piece:sub(to, to + 1) == "\r\n"
      if to < #piece then
        state.piece, state.at = piece, to + (crlf and 2 or 1)
      end
      return table.concat(parts)
    end
  end
  return nil
end

local set = {}

function set.data(event, value)
  event.data = event.data and event.data .. "\n" .. value or value
end

function set.event(event, value)
  event.event = value
end

function set.id(_, value, state)
  if not value:find "%z" then
    state.id = value
  end
end

function set.retry(event, value)
  event.retry = value:find "^%d+$" and tonumber(value) / 1000 or nil
end

local function take(state, event, line)
  local name, value = line:match "^([^:]*): ?(.*)$"
  name = name or line
  if set[name] then
    set[name](event, value or "", state)
  end
end

-- The event that the lines up to an empty one are; without data it is none.
local function next_event(state)
  local event = {}
  state.size = 0
  for line in next_line, state do
    if state.first then
      line, state.first = line:gsub("^" .. BOM, ""), nil
    end
    if line ~= "" then
      take(state, event, line)
    elseif event.data then
      event.event, event.id = event.event or "message", state.id
      return event
    else
      event, state.size = {}, 0
    end
  end
  return nil
end

--- Iterates over the events of a stream.
-- @func chunks gives the bytes as they come, nil at the end
-- @int[opt] max bytes of an event
-- @treturn Iterator gives tables: event ("message"), data, id (the last one
-- there was), retry (s); raises what chunks raises, and "event too large"
function events.read(chunks, max)
  return iterator.new(next_event, { chunks = chunks, max = max or MAX,
    size = 0, first = true })
end

return events
