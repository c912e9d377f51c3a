--- Cookies (RFC 6265): of a request, and to be set.
-- @module quoll.http.syntax.cookies

local core = require "quoll.core"
local options = require "quoll.options"
local trim = require "quoll.http.syntax.trim"

local raise = core.raise

local cookies = {}

--- Parses a Cookie header. Values stay as they are, but for quotes around
-- them; what has no "=" or no name is left out.
-- @string header
-- @treturn table name -> first value
function cookies.parse(header)
  local found = {}
  for item in header:gmatch "[^;]+" do
    local name, value = item:match "^[ \t]*([^=%s]+)[ \t]*=(.*)$"
    if name and found[name] == nil then
      value = trim(value)
      found[name] = value:match '^"(.*)"$' or value
    end
  end
  return found
end

local OPTIONS = { path = "string", domain = "string", max_age = "number",
  secure = "boolean", httponly = "boolean", samesite = "string",
  partitioned = "boolean" }
local SAMESITE = { strict = "Strict", lax = "Lax", none = "None" }

local function check(value, pattern, name)
  if type(value) ~= "string" or not value:find(pattern) then
    raise(("bad argument '%s' to 'cookie' (%q cannot stand in a cookie)")
      :format(name, tostring(value)))
  end
end

local function samesite(value)
  local word = SAMESITE[value:lower()]
  if not word then
    raise(("bad argument 'samesite' to 'cookie' (\"strict\", \"lax\" or "
      .. "\"none\" expected, got %q)"):format(value))
  end
  return word
end

--- A value for Set-Cookie. The browser's own scripts do not see the cookie
-- (`httponly`), and other sites do not send it with what they post
-- (`samesite`), unless the options say so.
-- @string name a token
-- @string value without control characters, spaces, and any of `",;\`
-- @tparam ?table opts path ("/"), domain, max_age (s; none: until the browser
-- ends; 0: removes it), secure (false), httponly (true), samesite ("lax",
-- "strict", "none"), partitioned (false)
-- @treturn string
function cookies.cookie(name, value, opts)
  opts = options.check(opts, OPTIONS, "cookie")
  check(name, "^[%w!#$%%&'*+%-.^_`|~]+$", "name")
  check(value, '^[^%c%s",;\\\128-\255]*$', "value")
  check(opts.path or "/", "^[^%c;]*$", "path")
  check(opts.domain or "", "^[%w.-]*$", "domain")
  local parts = { name .. "=" .. value, "Path=" .. (opts.path or "/") }
  local function add(part)
    parts[#parts + 1] = part or nil
  end
  add(opts.domain and "Domain=" .. opts.domain)
  add(opts.max_age and ("Max-Age=%d"):format(opts.max_age))
  add(opts.secure and "Secure")
  add(opts.httponly ~= false and "HttpOnly")
  add("SameSite=" .. samesite(opts.samesite or "lax"))
  add(opts.partitioned and "Partitioned")
  return table.concat(parts, "; ")
end

return cookies
