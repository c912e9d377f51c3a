--- Redirects: what is asked for next, and what it may not carry there.
-- @module quoll.http.client.redirect

local fields = require "quoll.http.client.request.fields"
local url = require "quoll.http.client.url"

local redirect = {}

local TO_GET = { [301] = true, [302] = true, [303] = true }
local SAME = { [307] = true, [308] = true }

-- They describe a body that is no longer there.
local OF_BODY = { "content-type", "content-encoding", "content-language",
  "content-location", "content-length", "transfer-encoding", "expect" }
-- They are for one origin.
local SECRETS = { "authorization", "cookie", "host", "proxy-authorization" }

local function without(request, names)
  request.headers = fields.copy(request.headers)
  for _, name in ipairs(names) do
    request.headers[name] = nil
  end
end

local function change_method(request, status)
  if TO_GET[status] and request.method ~= "GET"
    and request.method ~= "HEAD" then
    request.method, request.body, request.length = "GET", nil, nil
    without(request, OF_BODY)
  end
end

local function target(request, location)
  local to, why = url.resolve(request.url, location)
  if not to then
    return nil, "bad redirect: " .. why, "EBADMSG"
  elseif url.secure(request.url) and not url.secure(to)
    and not request.downgrade then
    return nil, "redirect from https to http", "EPERM"
  end
  to.fragment = to.fragment or request.url.fragment
  return to
end

--- The request that an answer asks for instead. A `Location` leads from https
-- to http only if request.downgrade says so.
-- @tparam table request method, url, headers, body
-- @int status of the answer
-- @tparam ?string location what it says
-- @treturn[1] ?table another request; nil: the answer is no redirect, or the
-- body cannot be sent again
-- @treturn[2] nil
-- @treturn[2] string "bad redirect: ...", "redirect from https to http"
-- @treturn[2] string CODE
function redirect.follow(request, status, location)
  if not location or not TO_GET[status] and not SAME[status]
    or SAME[status] and request.body and not request.body.replayable then
    return nil
  end
  local to, err, code = target(request, location)
  if not to then
    return nil, err, code
  end
  local following = {}
  for name, value in pairs(request) do
    following[name] = value
  end
  following.url = to
  change_method(following, status)
  if url.origin(to) ~= url.origin(request.url) then
    without(following, SECRETS)
  end
  return following
end

return redirect
