--- URLs: parsed, resolved against each other (RFC 3986), written.
-- What is parsed can go into a request as it is: no control characters, no
-- spaces, nothing but ASCII.
-- @module quoll.http.client.url

local ip = require "quoll.net.ip"
local percent = require "quoll.http.syntax.percent"

local url = {}

local PORTS = { http = 80, https = 443, ws = 80, wss = 443 }

local function hex(byte)
  return ("%%%02X"):format(byte:byte())
end

-- As browsers send what has no place in a URL.
local function escape(text)
  return text and (text:gsub('[\128-\255"<>\\^`{|}]', hex))
end

local function cut(text, mark)
  local at = text:find(mark, 1, true)
  if not at then
    return text
  end
  return text:sub(1, at - 1), text:sub(at + 1)
end

-- RFC 3986, appendix B.
local function split(text)
  local scheme, rest = text:match "^(%a[%w+.-]*):(.*)$"
  local fragment, query
  rest, fragment = cut(rest or text, "#")
  rest, query = cut(rest, "?")
  local authority, path = rest:match "^//([^/]*)(.*)$"
  return { scheme = scheme and scheme:lower(), authority = authority,
    path = path or rest, query = query, fragment = fragment }
end

-- RFC 3986, 5.2.4: the segments, without dots and what they take away.
local function without_dots(path)
  local kept, last = {}, nil
  for segment in (path:sub(2) .. "/"):gmatch "([^/]*)/" do
    last = segment
    if segment == ".." then
      kept[#kept] = nil
    elseif segment ~= "." then
      kept[#kept + 1] = segment
    end
  end
  if last == "." or last == ".." then
    kept[#kept + 1] = ""
  end
  return "/" .. table.concat(kept, "/")
end

local function parse_host(text)
  local six = text:match "^%[(.*)%]$"
  if six then
    if not ip.parse(six) or not six:find ":" then
      return nil, "bad IPv6 address"
    end
    return six:lower()
  elseif text == "" then
    return nil, "no host"
  elseif text:find "[\128-\255]" then
    return nil, "host not in ASCII: its form with xn-- is needed"
  elseif text:find "[^%w._-]" then
    return nil, "bad host"
  end
  return text:lower()
end

local function parse_port(digits, scheme)
  if digits == "" then
    return PORTS[scheme]
  end
  local port = digits:find "^%d%d?%d?%d?%d?$" and tonumber(digits)
  if not port or port < 1 or port > 65535 then
    return nil, "bad port"
  end
  return port
end

local function parse_user(parsed, text)
  local user, password = cut(text, ":")
  user, password = percent.decode(user), percent.decode(password or "")
  if not user or not password then
    return nil, "bad escape in user name or password"
  elseif user:find ":" then
    return nil, "colon in user name"
  end
  parsed.user, parsed.password = user, password
  return true
end

local function parse_authority(parsed, text)
  local user, place = text:match "^([^@]*)@(.*)$"
  local ok, why = true, nil
  if user then
    ok, why = parse_user(parsed, user)
  end
  local host, digits = (place or text):match "^(.-):(%d*)$"
  if ok and (place or text):find "^%[" then
    host, digits = (place or text):match "^(%[[^%]]*%]):?(%d*)$"
  end
  if ok then
    parsed.host, why = parse_host(host or place or text)
  end
  if parsed.host then
    parsed.port, why = parse_port(digits or "", parsed.scheme)
  end
  return parsed.port and parsed, why
end

local function build(parts)
  if not parts.scheme or not PORTS[parts.scheme] then
    return nil, "no http or https URL"
  elseif not parts.authority then
    return nil, "no host"
  end
  local path = parts.path == "" and "/" or parts.path
  return parse_authority({
    scheme = parts.scheme,
    path = escape(without_dots(path)),
    query = escape(parts.query),
    fragment = escape(parts.fragment),
  }, parts.authority)
end

local function clean(text)
  if text:find "[%z\1-\32\127]" then
    return nil, "space or control character"
  end
  return text
end

--- Parses an absolute URL of http, https, ws or wss.
-- @string text
-- @treturn[1] table scheme, host (lower case, of IPv6 without brackets), port,
-- path ("/" at least), and if there: user and password (decoded), query,
-- fragment
-- @treturn[2] nil
-- @treturn[2] string what is wrong with it
function url.parse(text)
  local ok, why = clean(text)
  if not ok then
    return nil, why
  end
  return build(split(text))
end

local function merge(base, path)
  return base.path:match "^(.*/)" .. path
end

local function absolute(base, parts)
  parts.scheme = parts.scheme or base.scheme
  local to, why = build(parts)
  if to and not to.user and url.origin(to) == url.origin(base) then
    to.user, to.password = base.user, base.password
  end
  return to, why
end

--- What a reference means in a document (RFC 3986, 5.2).
-- @tparam table base parsed
-- @string reference "/b", "../c?d", "//host/", "http://host/"; spaces in it
-- are escaped, since servers send such
-- @treturn[1] table as `parse` gives it; without a user unless it has one, or
-- is of the same origin
-- @treturn[2] nil
-- @treturn[2] string what is wrong with it
function url.resolve(base, reference)
  local ok, why = clean(reference:gsub(" ", "%%20"))
  if not ok then
    return nil, why
  end
  local parts = split(ok)
  if parts.scheme or parts.authority then
    return absolute(base, parts)
  end
  local resolved = setmetatable({ fragment = escape(parts.fragment) or false },
    { __index = base })
  if parts.path ~= "" then
    local path = parts.path:find "^/" and parts.path or merge(base, parts.path)
    resolved.path = escape(without_dots(path))
    resolved.query = escape(parts.query) or false
  elseif parts.query then
    resolved.query = escape(parts.query)
  end
  return url.copy(resolved)
end

--- A copy, to be changed.
-- @tparam table from parsed
-- @treturn table
function url.copy(from)
  return { scheme = from.scheme, host = from.host, port = from.port,
    user = from.user, password = from.password, path = from.path,
    query = from.query or nil, fragment = from.fragment or nil }
end

--- "host:port" as quoll.connect takes it.
function url.address(parsed)
  local form = parsed.host:find(":", 1, true) and "[%s]:%d" or "%s:%d"
  return form:format(parsed.host, parsed.port)
end

--- What a Host field says: without the scheme's own port.
function url.authority(parsed)
  if parsed.port ~= PORTS[parsed.scheme] then
    return url.address(parsed)
  end
  return parsed.host:find(":", 1, true) and "[" .. parsed.host .. "]"
    or parsed.host
end

--- What two URLs have in common when they may know each other's secrets.
function url.origin(parsed)
  return parsed.scheme .. "://" .. url.address(parsed)
end

--- Path and query, as a request asks for it.
function url.target(parsed)
  return parsed.query and parsed.path .. "?" .. parsed.query or parsed.path
end

--- The URL as text; never with its user and password.
function url.text(parsed)
  local fragment = parsed.fragment and "#" .. parsed.fragment or ""
  return parsed.scheme .. "://" .. url.authority(parsed) .. url.target(parsed)
    .. fragment
end

--- Whether what is sent to it is encrypted.
function url.secure(parsed)
  return parsed.scheme == "https" or parsed.scheme == "wss"
end

-- "a=1&a=2" of one name.
local function pair(name, value)
  if value == true then
    return percent.encode(tostring(name))
  end
  return percent.encode(tostring(name)) .. "="
    .. percent.encode(tostring(value))
end

--- Pairs as a query, or the body of a form: in the order of their names.
-- @tparam table values name -> string|number|boolean (true: the name alone,
-- false: left out) or a list of these
-- @treturn string "a=1&b=x%20y"
function url.query(values)
  local names, pairs_of = {}, {}
  for name in pairs(values) do
    names[#names + 1] = tostring(name)
    names[tostring(name)] = name
  end
  table.sort(names)
  for _, text in ipairs(names) do
    local value = values[names[text]]
    for _, one in ipairs(type(value) == "table" and value or { value }) do
      if one ~= false then
        pairs_of[#pairs_of + 1] = pair(text, one)
      end
    end
  end
  return table.concat(pairs_of, "&")
end

return url
