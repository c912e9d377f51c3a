--- What both sides of the opening handshake (RFC 6455, section 4) share.
-- @module quoll.http.websocket.handshake

local core = require "quoll.core"
local deflate = require "quoll.http.websocket.deflate"
local field = require "quoll.http.syntax.field"
local options = require "quoll.options"

local raise, bad_argument = core.raise, core.bad_argument

local handshake = {}

local MAX = 2 ^ 30

local COMMON = {
  protocols = "table",
  headers = "table",
  max = "number",
  ping = true,
  send_timeout = "number",
  compress = true,
}

local function check_protocols(list, method)
  for _, name in ipairs(list) do
    if type(name) ~= "string" or not field.is_token(name) then
      bad_argument(name, "protocols", method, "an array of names")
    end
  end
end

-- Fields of a message that scripts give: { "Name: value", ... }.
local function lines(headers, method)
  local list = {}
  for name, given in pairs(headers) do
    for _, value in ipairs(type(given) == "table" and given or { given }) do
      value = tostring(value)
      if type(name) ~= "string" or not field.is_token(name)
        or not field.is_value(value)
      then
        raise(("bad argument 'headers' to '%s' (bad field '%s')"):format(method,
          tostring(name)))
      end
      list[#list + 1] = name .. ": " .. value
    end
  end
  table.sort(list)
  return list
end

--- Checks the options of both sides; raises at the caller's line.
-- @tparam ?table given
-- @tparam table known further ones
-- @string method
-- @treturn table opts, with their defaults; `lines`: of `headers`; `deflate`:
-- settings or nil
function handshake.check(given, known, method)
  given = options.check(given, options.union(COMMON, known), method)
  local opts = setmetatable({}, { __index = given })
  opts.protocols = given.protocols or {}
  check_protocols(opts.protocols, method)
  opts.lines = lines(given.headers or {}, method)
  opts.max = given.max or 2 ^ 20
  if opts.max < 1 or opts.max > MAX or opts.max % 1 ~= 0 then
    bad_argument(opts.max, "max", method, "bytes, 1 to 1073741824,")
  end
  opts.ping = given.ping == nil and 30 or given.ping
  if opts.ping and (type(opts.ping) ~= "number" or opts.ping <= 0) then
    bad_argument(opts.ping, "ping", method, "seconds or false")
  end
  opts.send_timeout = given.send_timeout or 60
  options.check_timeout(opts.send_timeout, method)
  opts.deflate = deflate.check(given.compress, method)
  return opts
end

return handshake
