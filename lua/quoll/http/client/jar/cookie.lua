--- Cookies: what a Set-Cookie field says, and where it applies (RFC 6265).
-- @module quoll.http.client.jar.cookie

local date = require "quoll.http.client.jar.date"
local ip = require "quoll.net.ip"
local suffixes = require "quoll.http.client.jar.suffixes"
local url = require "quoll.http.client.url"
local trim = require "quoll.http.syntax.trim"

local cookie = {}

local LARGEST = 4096 -- bytes of name and value
-- Of a line in a file: domain, "all hosts of it", path, secure, expires, name,
-- value.
local FIELDS = "^%.?([^#\t][^\t]*)\t(%u+)\t(/[^\t]*)\t(%u+)\t(%d+)"
  .. "\t([^\t=;]+)\t([^\t;]*)$"
local FOR_EVER = 400 * 86400 -- s that a cookie may live

-- A path is as good as the directory that it is in.
local function default_path(path)
  return path:match "^(/.*)/[^/]*$" or "/"
end

local attributes = {}

function attributes.expires(made, value)
  local at = date.parse(value)
  if at and not made.by_age then
    made.expires = at
  end
end

attributes["max-age"] = function(made, value, now)
  if value:find "^-?%d+$" then
    made.by_age = true
    made.expires = math.max(tonumber(value), 0) + now
  end
end

function attributes.domain(made, value)
  made.domain = value:gsub("^%.", ""):lower()
end

function attributes.path(made, value)
  made.path = value:find "^/" and value or nil
end

function attributes.secure(made)
  made.secure = true
end

function attributes.httponly(made)
  made.httponly = true
end

--- Whether host is domain, or under it.
function cookie.under(host, domain)
  return host == domain or #host > #domain
    and host:sub(-#domain - 1) == "." .. domain and not ip.parse(host)
end

-- Whom it is for; nil, why: not for whom has sent it.
local function place(made, from, list)
  local domain = made.domain
  if not domain or domain == "" or domain == from.host then
    made.hostonly = not domain or domain == ""
      or suffixes.public(list, domain) or ip.parse(domain) ~= nil or nil
    made.domain = from.host
  elseif not cookie.under(from.host, domain) then
    return nil, "for another host"
  elseif suffixes.public(list, domain) then
    return nil, "for a public suffix"
  end
  made.path = made.path or default_path(from.path)
  return made
end

-- What the name and "Secure" promise.
local function promised(made, from, has_path)
  if made.secure and not url.secure(from) then
    return nil, "secure, from an insecure origin"
  elseif made.name:find "^__Secure%-" and not made.secure
    or made.name:find "^__Host%-" and not (made.secure and made.hostonly
    and has_path and made.path == "/") then
    return nil, "not what its name promises"
  end
  return made
end

local function parse_pair(line)
  local name, value = line:match "^([^;=]*)=([^;]*)"
  if not name then
    return nil, "no name"
  end
  name, value = trim(name), trim(value)
  if name == "" then
    return nil, "no name"
  elseif #name + #value > LARGEST then
    return nil, "too large"
  end
  return { name = name, value = value }
end

--- Parses what a Set-Cookie field says.
-- @string line
-- @tparam table from parsed URL of the answer
-- @number now seconds since 1970
-- @string list of public suffixes
-- @treturn[1] table name, value, domain, path, created and if there: expires
-- (seconds since 1970), hostonly, secure, httponly
-- @treturn[2] nil
-- @treturn[2] string why it is refused
function cookie.parse(line, from, now, list)
  if line:find "[%z\1-\8\10-\31\127]" then
    return nil, "control character"
  end
  local made, why = parse_pair(line)
  if not made then
    return nil, why
  end
  for text in line:gmatch ";([^;]*)" do
    local name, value = text:match "^([^=]*)=?(.*)$"
    local set = attributes[trim(name):lower()]
    if set then
      set(made, trim(value), now)
    end
  end
  local has_path = made.path ~= nil
  made.by_age, made.created = nil, now
  made.expires = made.expires and math.min(made.expires, now + FOR_EVER)
  made, why = place(made, from, list)
  if not made then
    return nil, why
  end
  return promised(made, from, has_path)
end

local function in_path(path, of)
  return path == of or path:sub(1, #of) == of
    and (of:sub(-1) == "/" or path:sub(#of + 1, #of + 1) == "/")
end

--- Whether a cookie of a domain that fits goes with a request.
-- @tparam table made parsed
-- @tparam table to parsed URL
-- @number now seconds since 1970
function cookie.applies(made, to, now)
  return not cookie.expired(made, now)
    and (not made.hostonly or made.domain == to.host)
    and (not made.secure or url.secure(to)) and in_path(to.path, made.path)
end

--- Whether its time is over.
function cookie.expired(made, now)
  return made.expires ~= nil and made.expires <= now
end

--- One line of a Netscape cookie file, as curl and wget keep them.
function cookie.write(made)
  local function flag(value)
    return value and "TRUE" or "FALSE"
  end
  return table.concat({
    (made.httponly and "#HttpOnly_" or "") .. (made.hostonly and "" or ".")
      .. made.domain,
    flag(not made.hostonly), made.path, flag(made.secure),
    ("%.0f"):format(made.expires or 0), made.name, made.value,
  }, "\t")
end

--- The cookie of a line of such a file.
-- @treturn ?table nil: it has none
function cookie.read(line, now)
  local httponly = line:find "^#HttpOnly_" ~= nil
  line = line:gsub("^#HttpOnly_", ""):gsub("\r$", "")
  local domain, all, path, secure, expires, name, value = line:match(FIELDS)
  if not domain or line:find "[%z\1-\8\10-\31\127]"
    or #name + #value > LARGEST then
    return nil
  end
  return {
    name = name, value = value, domain = domain:lower(), path = path,
    expires = tonumber(expires) > 0 and tonumber(expires) or nil,
    hostonly = all ~= "TRUE" or nil, secure = secure == "TRUE" or nil,
    httponly = httponly or nil, created = now,
  }
end

return cookie
