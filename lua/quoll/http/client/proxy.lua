--- HTTP proxies: which one a request goes through, if any.
-- @module quoll.http.client.proxy

local base64 = require "quoll.http.syntax.base64"
local core = require "quoll.core"
local ip = require "quoll.net.ip"
local options = require "quoll.options"
local url = require "quoll.http.client.url"

local proxy = {}

local PROXY = { url = "string", no_proxy = "string" }

-- In capitals http_proxy is what a CGI server makes of a client's header.
local function environment(target)
  local name = url.secure(target) and "https_proxy" or "http_proxy"
  local upper = url.secure(target) and os.getenv "HTTPS_PROXY" or nil
  return os.getenv(name) or upper or os.getenv "all_proxy"
    or os.getenv "ALL_PROXY",
    os.getenv "no_proxy" or os.getenv "NO_PROXY"
end

local function matches(entry, target)
  local name, port = entry:match "^(.-):(%d+)$"
  if name and not name:find(":", 1, true) then
    if tonumber(port) ~= target.port then
      return false
    end
    entry = name
  end
  local network = ip.network(entry)
  local address = ip.parse(target.host)
  if network and address then
    return network(address)
  end
  entry = entry:gsub("^%*?%.", "")
  return entry == target.host or not address
    and target.host:sub(-#entry - 1) == "." .. entry
end

--- Whether a list of hosts, as no_proxy has it, names the target: "*",
-- "example.org" with all hosts of it, addresses and networks, each with a port
-- or without.
-- @string list
-- @tparam table target parsed URL
function proxy.bypassed(list, target)
  for entry in list:lower():gmatch "[^,%s]+" do
    if entry == "*" or matches(entry, target) then
      return true
    end
  end
  return false
end

local function refuse(why)
  core.raise(("bad argument 'proxy' to 'request' (%s)"):format(why))
end

local function parse(text)
  local parsed, why = url.parse(text:find "://" and text or "http://" .. text)
  if not parsed then
    refuse(why)
  elseif parsed.scheme ~= "http" then
    refuse "a URL of http: expected"
  end
  return parsed
end

--- The proxy for a target.
-- @tparam nil|boolean|string|table setting true: what the environment says
-- (http_proxy, https_proxy, all_proxy, no_proxy); a URL; `url` and `no_proxy`
-- @tparam table target parsed URL
-- @treturn ?table parsed URL; nil: none
function proxy.choose(setting, target)
  local text, without = setting, nil
  if setting == true then
    text, without = environment(target)
  elseif type(setting) == "table" then
    options.check(setting, PROXY, "request")
    text, without = setting.url, setting.no_proxy
  elseif setting and type(setting) ~= "string" then
    core.bad_argument(setting, "proxy", "request", "true, a URL or a table")
  end
  if not text or text == "" or without and proxy.bypassed(without, target) then
    return nil
  end
  return parse(text)
end

--- Whether what goes to a target through a proxy is hidden from it, behind a
-- CONNECT: all that is not plain HTTP.
-- @tparam table target parsed URL
-- @treturn boolean
function proxy.tunnels(target)
  return target.scheme ~= "http"
end

--- What an Authorization field says of a URL's user.
-- @tparam table parsed URL
-- @treturn ?string nil: it has none
function proxy.credentials(parsed)
  return parsed.user and "Basic " .. base64.encode(parsed.user .. ":"
    .. parsed.password)
end

return proxy
