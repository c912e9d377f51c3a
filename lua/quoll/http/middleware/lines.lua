--- Lines of an access log: one a request, which nothing that a client sends can
-- break or forge.
-- @module quoll.http.middleware.lines

local core = require "quoll.core"

local date, format, gsub = os.date, string.format, string.gsub

local lines = {}

-- Text bytes that could end a field, a line, or command a terminal.
local function escape_byte(c)
  return format("\\x%02X", c:byte())
end

local function text(value)
  if value == nil or value == "" then
    return "-"
  end
  return (gsub(value, '[%z\1-\31"\\\127-\255]', escape_byte))
end

local function json_byte(c)
  return format("\\\\x%02X", c:byte())
end

local function json(value)
  if value == nil then
    return "null"
  end
  value = gsub(value, '["\\]', "\\%0")
  return '"' .. gsub(value, "[%z\1-\31\127-\255]", json_byte) .. '"'
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

local function request_line(req)
  return format("%s %s HTTP/%s", req.method, req.target, req.version)
end

local function common(now)
  return function(req, status, bytes)
    return format('%s - %s [%s] "%s" %d %s', text(req.peer), text(req.user),
      now(), text(request_line(req)), status, bytes > 0 and bytes or "-")
  end
end

function lines.common()
  return common(clock "%d/%b/%Y:%H:%M:%S %z")
end

function lines.combined()
  local first = lines.common()
  return function(req, status, bytes)
    return format('%s "%s" "%s"', first(req, status, bytes),
      text(req:header "referer"), text(req:header "user-agent"))
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
