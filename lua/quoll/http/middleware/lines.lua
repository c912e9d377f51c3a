--- Lines of an access log: one a request, which nothing that a client sends can
-- break or forge.
-- @module quoll.http.middleware.lines

local core = require "quoll.core"

local date, find, format, gsub = os.date, string.find, string.format,
  string.gsub

local lines = {}

-- Nothing but bytes that stand for themselves: most values. The likely ones
-- come first, as a class is searched in its order.
local HARMLESS = "^[%]-~#-%[ !]*$"

-- Bytes that could end a field, a line, or command a terminal.
local function escape_byte(c)
  return format("\\x%02X", c:byte())
end

local KEPT = 512  -- values whose escaped form is kept: most come again
local LONG = 256  -- bytes of one that is not

local function kept(escape)
  local known, count = {}, 0
  return function(value)
    local done = known[value]
    if not done then
      done = escape(value)
      if #value < LONG then
        if count == KEPT then
          known, count = {}, 0
        end
        known[value], count = done, count + 1
      end
    end
    return done
  end
end

local escape_text = kept(function(value)
  if find(value, HARMLESS) then
    return value
  end
  return (gsub(value, '[%z\1-\31"\\\127-\255]', escape_byte))
end)

local function text(value)
  if value == nil or value == "" then
    return "-"
  end
  return escape_text(value)
end

local function json_byte(c)
  return format("\\\\x%02X", c:byte())
end

local escape_json = kept(function(value)
  if not find(value, HARMLESS) then
    value = gsub(value, '["\\]', "\\%0")
    value = gsub(value, "[%z\1-\31\127-\255]", json_byte)
  end
  return '"' .. value .. '"'
end)

local function json(value)
  return value == nil and "null" or escape_json(value)
end

-- The clock in words, made once a second.
local function clock(pattern)
  local second, words
  return function()
    local now = math.floor(core.time())
    if now ~= second then
      second, words = now, date(pattern, now)
    end
    return words
  end
end

function lines.common()
  local now = clock "%d/%b/%Y:%H:%M:%S %z"
  return function(req, status, bytes)
    return text(req.peer) .. " - " .. text(req.user) .. " [" .. now()
      .. '] "' .. text(req.method) .. " " .. text(req.target) .. " HTTP/"
      .. text(req.version) .. '" ' .. status .. " "
      .. (bytes > 0 and bytes or "-")
  end
end

function lines.combined()
  local first = lines.common()
  return function(req, status, bytes)
    return first(req, status, bytes) .. ' "' .. text(req:header "referer")
      .. '" "' .. text(req:header "user-agent") .. '"'
  end
end

function lines.json()
  local now = clock "!%Y-%m-%dT%H:%M:%SZ"
  return function(req, status, bytes, seconds)
    return format('{"time":"%s","peer":%s,"user":%s,"method":%s,"host":%s,'
      .. '"target":%s,"version":%s,"status":%d,"bytes":%d,"seconds":%.6f,'
      .. '"referer":%s,"agent":%s}', now(), json(req.peer), json(req.user),
      json(req.method), json(req.host), json(req.target), json(req.version),
      status, bytes, seconds, json(req:header "referer"),
      json(req:header "user-agent"))
  end
end

return lines
