--- The settings of quoll.dns: the script's own, and resolv.conf's for what the
-- script leaves open.
-- @module quoll.dns.settings

local core = require "quoll.core"

local raise, bad_argument = core.raise, core.bad_argument

local settings = {}

local DEFAULTS = {
  resolv_conf = "/etc/resolv.conf",
  hosts = "/etc/hosts",
  check = 1,
  cache = 1000,
  min_ttl = 0,
  max_ttl = 86400,
  negative_ttl = 300,
}

--- What the script has set, and defaults of what resolv.conf does not know.
settings.own = {}
for name, value in pairs(DEFAULTS) do
  settings.own[name] = value
end

local function number(min, max, whole)
  local words = ("%s from %s to %s"):format(
    whole and "a whole number" or "a number", min, max)
  return function(value)
    return type(value) == "number" and value >= min and value <= max
      and (not whole or value % 1 == 0), words
  end
end

local function is(kind)
  return function(value)
    return type(value) == kind, "a " .. kind
  end
end

-- "1.2.3.4", "1.2.3.4:53", "::1", "[::1]:53" -> "[::1]:53"
local function server(text)
  local family = require("quoll.core.dns").family
  local host, port = text:match "^%[(.*)%]:(%d+)$"
  if not host then
    host, port = text:match "^([^:]+):(%d+)$"
  end
  host, port = host or text, tonumber(port or 53)
  local kind = family(host)
  if not kind or port < 1 or port > 65535 then
    return nil
  end
  return (kind == "inet6" and "[%s]:%d" or "%s:%d"):format(host, port)
end

local function strings(check, words)
  return function(value)
    if type(value) ~= "table" then
      return false, words
    end
    for i = 1, #value do
      if type(value[i]) ~= "string" or not check(value[i]) then
        return false, words
      end
    end
    return check ~= server or #value > 0, words
  end
end

local KNOWN = {
  servers = strings(server, "an array of IP addresses, maybe with ports,"),
  search = strings(function() return true end, "an array of names"),
  ndots = number(0, 15, true),
  timeout = number(0.001, 30),
  tries = number(1, 5, true),
  rotate = is "boolean",
  edns = is "boolean",
  resolv_conf = is "string",
  hosts = is "string",
  check = number(0, 86400),
  cache = number(0, 1e6, true),
  min_ttl = number(0, 86400),
  max_ttl = number(0, 604800),
  negative_ttl = number(0, 86400),
}

--- Takes the script's settings, all or none; raises at its line.
function settings.set(given)
  if type(given) ~= "table" then
    bad_argument(given, "settings", "configure", "a table")
  end
  for name, value in pairs(given) do
    if not KNOWN[name] then
      raise(("bad argument 'settings' to 'configure' (no setting '%s')")
        :format(tostring(name)))
    end
    local fits, expected = KNOWN[name](value)
    if value == false then
      fits = true
    end
    if not fits then
      bad_argument(value, name, "configure", expected)
    end
  end
  for name, value in pairs(given) do
    settings.own[name] = value ~= false and value or DEFAULTS[name]
  end
end

--- What applies: the script's before resolv.conf's.
-- @tparam table given resolv.conf's
-- @treturn table
function settings.merge(given)
  local conf = {}
  for name, value in pairs(given) do
    conf[name] = value
  end
  for name, value in pairs(settings.own) do
    conf[name] = value
  end
  return conf
end

--- The list of servers as c-ares takes it.
function settings.join_servers(servers)
  local list = {}
  for i, text in ipairs(servers) do
    list[i] = server(text)
  end
  return table.concat(list, ",")
end

return settings
