--- A name and a password for a site (RFC 7617).
-- @module quoll.http.middleware.basic

local bit = require "bit"
local answer = require "quoll.http.answer"
local base64 = require "quoll.http.syntax.base64"
local callable = require "quoll.callable"
local core = require "quoll.core"

local basic = {}

-- In a time that depends on nothing but the length of what was given.
local function same(given, secret)
  local n = math.max(#secret, 1)
  local differ = bit.bxor(#given, #secret)
  for i = 1, #given do
    differ = bit.bor(differ, bit.bxor(given:byte(i),
      secret:byte((i - 1) % n + 1) or 0))
  end
  return differ == 0
end

-- Of somebody unknown a password is compared too.
local function checker(users)
  if callable(users) then
    return users
  elseif type(users) ~= "table" then
    core.bad_argument(users, "users", "basic_auth", "a table or a function")
  end
  return function(name, password)
    local secret = users[name]
    return same(password, secret or "?") and secret ~= nil
  end
end

local function credentials(req)
  local text = (req:header "authorization" or "")
    :match "^[Bb][Aa][Ss][Ii][Cc] +(%S+) *$"
  text = text and base64.decode(text)
  if text then
    return text:match "^([^:%z\1-\31\127]*):([^%z\1-\31\127]*)$"
  end
end

--- Asks for a name and a password; the name becomes req.user. Only over TLS is
-- it a secret.
-- @string realm what the browser shows
-- @tparam table|function users {[name] = password}, or a function(name,
-- password, req) -> boolean, which may wait
-- @treturn function middleware
function basic.basic_auth(realm, users)
  if type(realm) ~= "string" or realm:find '[%c"\\]' then
    core.bad_argument(realm, "realm", "basic_auth",
      "a string without quotes and controls")
  end
  local check = checker(users)
  local challenge = ('Basic realm="%s", charset="UTF-8"'):format(realm)
  return function(next)
    return function(req)
      local name, password = credentials(req)
      if name and check(name, password, req) then
        req.user = name
        return next(req)
      end
      local status, body, headers = answer.fail(401)
      headers["www-authenticate"] = challenge
      return status, body, headers
    end
  end
end

return basic
