--- What handlers return: status, body, headers.
-- @module quoll.http.answer

local core = require "quoll.core"
local json = require "quoll.http.syntax.json"
local reason = require("quoll.http.core").reason

local raise = core.raise

local answer = {}

local JSON = "application/json"
local HTML = "text/html; charset=utf-8"
local TEXT = "text/plain; charset=utf-8"

local REDIRECTS = { [301] = true, [302] = true, [303] = true, [307] = true,
  [308] = true }

local function check_status(status, method)
  if status ~= nil and not (type(status) == "number" and status >= 200
    and status <= 599 and status % 1 == 0)
  then
    core.bad_argument(status, "status", method, "200 to 599")
  end
  return status or 200
end

-- The handler's headers, and a Content-Type unless it has one.
local function typed(headers, kind, method)
  if headers == nil then
    return { ["content-type"] = kind }
  elseif type(headers) ~= "table" then
    core.bad_argument(headers, "headers", method, "a table")
  end
  local all = {}
  for name, value in pairs(headers) do
    all[name] = value
    if type(name) == "string" and name:lower() == "content-type" then
      kind = nil
    end
  end
  if kind then
    all["content-type"] = kind
  end
  return all
end

--- A value as JSON.
-- @tparam any value what lua-cjson encodes: no functions, no NaN, no cycles
-- @number[opt=200] status
-- @tparam ?table headers
-- @treturn number status
-- @treturn string body
-- @treturn table headers
function answer.json(value, status, headers)
  local body, err = json.encode(value)
  if not body then
    raise("bad argument 'value' to 'json' (" .. tostring(err) .. ")")
  end
  return check_status(status, "json"), body, typed(headers, JSON, "json")
end

--- A page.
-- @tparam any body as a handler's: a string, a list, ...
-- @number[opt=200] status
-- @tparam ?table headers
-- @treturn number status
-- @treturn any body
-- @treturn table headers
function answer.html(body, status, headers)
  return check_status(status, "html"), body, typed(headers, HTML, "html")
end

--- Plain text.
-- @tparam any body as a handler's: a string, a list, ...
-- @number[opt=200] status
-- @tparam ?table headers
-- @treturn number status
-- @treturn any body
-- @treturn table headers
function answer.text(body, status, headers)
  return check_status(status, "text"), body, typed(headers, TEXT, "text")
end

--- Sends the client elsewhere.
-- @string url absolute, or relative to the request's; non-empty
-- @number[opt=302] status 301, 302, 303, 307 or 308
-- @treturn number status
-- @treturn string body
-- @treturn table headers
function answer.redirect(url, status)
  if type(url) ~= "string" or url == "" or url:find "[%z\1-\32\127]" then
    raise("bad argument 'url' to 'redirect' (a URL without spaces and control "
      .. "characters expected, got " .. (type(url) == "string"
      and ("%q"):format(url) or type(url)) .. ")")
  elseif status ~= nil and not REDIRECTS[status] then
    core.bad_argument(status, "status", "redirect",
      "301, 302, 303, 307 or 308")
  end
  return status or 302, "", { location = url }
end

--- An error, in plain text.
-- @number status 400 to 599
-- @string[opt] text the status in words else: "Not Found"
-- @treturn number status
-- @treturn string body
-- @treturn table headers
function answer.fail(status, text)
  if type(status) ~= "number" or status < 400 then
    core.bad_argument(status, "status", "fail", "400 to 599")
  end
  check_status(status, "fail")
  return status, text or reason(status) .. "\n",
    { ["content-type"] = TEXT }
end

--- A handler's results in the one form that middleware works with:
-- `local status, body, headers = http.normal(next(req))`. Names of headers are
-- in lower case, and the table is a copy, which may be changed. A string is a
-- 200 in plain text.
-- @tparam any ... what the handler returned
-- @treturn[1] number status
-- @treturn[1] any body
-- @treturn[1] table headers
-- @treturn[2] nil the handler returned nothing: it has taken the connection,
-- and so must the middleware
function answer.normal(...)
  local status, body, headers = ...
  if status == nil then
    return nil
  elseif type(status) == "string" then
    return 200, status, { ["content-type"] = TEXT }
  end
  local copy = {}
  for name, value in pairs(headers or copy) do
    copy[type(name) == "string" and name:lower() or name] = value
  end
  return status, body, copy
end

return answer
