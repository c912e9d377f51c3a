--- Answers as they come in: heads, and pieces of bodies.
--
-- Source: bindings/http/response.c, read.c, hijack.c
-- @module quoll.http.client.message

local finish = require("quoll.wait").finish
local raw = require "quoll.http.core"
local made = require("quoll.http.message").response

local message = {}

local DEFAULTS = {}

-- Limits as the parser takes them, by the table that the caller has.
local configs = setmetatable({}, { __mode = "k" })

local function config(limits)
  limits = limits or DEFAULTS
  if not configs[limits] then
    configs[limits] = raw.config(limits)
  end
  return configs[limits]
end

--- Waits for the next head.
-- @tparam Connection conn
-- @string method of the request
-- @tparam ?table limits line, head (bytes), fields (how many)
-- @treturn[1] Message status, reason, version, headers, keepalive, header(),
-- header_values()
-- @treturn[2] nil
-- @treturn[2] string "closed", "timeout", "bad response: ...", ...
-- @treturn[2] string CODE
function message.receive(conn, method, limits)
  return made(conn, finish(raw.response(conn, config(limits), method)))
end

--- The next piece of the body.
-- @tparam Connection conn
-- @int[opt] max bytes
-- @treturn[1] ?string nil alone: it has ended
-- @treturn[2] nil
-- @treturn[2] string "closed": it was cut, "timeout", ...
-- @treturn[2] string CODE
function message.read(conn, max)
  return finish(raw.read(conn, max))
end

--- The body has been read to its end.
-- @tparam Connection conn
-- @treturn boolean whether another request can be sent on it
-- @treturn table what came behind the body
function message.release(conn)
  local trailers = raw.trailers(conn)
  return raw.release(conn), trailers
end

--- The connection is no longer HTTP's; what is unread stays so.
-- @tparam Connection conn
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function message.leave(conn)
  return raw.hijack(conn)
end

return message
