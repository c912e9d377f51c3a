--- Conditional requests (RFC 9110, section 13): whether a file is to be sent,
-- given what the client has of it.
-- @module quoll.http.static.conditions

local date = require "quoll.http.syntax.date"
local HEAD = require("quoll.http.message").HEAD
local selective = require("quoll.http.core").selective

local conditions = {}

-- A list, which may be sent in several lines.
local function list_of(req, name)
  local first = req:header(name)
  return first and table.concat(req:header_values(name), ",")
end

-- The header's list holds the tag: strongly, or whatever its strength.
local function listed(list, tag, strong)
  if list:find "^[ \t]*%*[ \t]*$" then
    return true
  elseif strong and tag:find("W/", 1, true) == 1 then
    return false
  end
  local opaque = tag:match '"[^"]*"$'
  for weak, other in list:gmatch '(W?/?)("[^"]*")' do
    if other == opaque and (weak == "" or weak == "W/" and not strong) then
      return true
    end
  end
  return false
end

-- The header's date is at or behind the file's; nil: it is no date.
local function not_newer(header, file)
  if header == file.modified then
    return true
  end
  local time = date.parse(header)
  return time and math.floor(file.mtime) <= time
end

--- Whether a request may ask for a part of a file, or on a condition: most do
-- not, and one look at their header tells.
-- @tparam table req
-- @treturn boolean
function conditions.any(req)
  local head = req[HEAD]
  return not head or selective(head)
end

--- What the preconditions of a request come to, in their order of precedence.
-- A header that is malformed is passed over.
-- @tparam table req with header(name) and header_values(name)
-- @tparam table file `etag` (as the header has it), `modified` (Last-Modified),
-- `mtime` (seconds)
-- @treturn ?number 412, 304, or nil: go on
function conditions.check(req, file)
  local header = list_of(req, "if-match")
  if header then
    if not listed(header, file.etag, true) then
      return 412
    end
  else
    header = req:header "if-unmodified-since"
    if header and not_newer(header, file) == false then
      return 412
    end
  end
  header = list_of(req, "if-none-match")
  if header then
    return listed(header, file.etag, false) and 304 or nil
  end
  header = req:header "if-modified-since"
  return header and not_newer(header, file) and 304 or nil
end

--- Whether a Range header counts: there is no If-Range, or it has the very
-- file, by its strong tag or by its date.
-- @tparam table req with header(name)
-- @tparam table file as check's
-- @number now wall clock: a date proves nothing of a file that is younger than
-- a second
-- @treturn boolean
function conditions.in_range(req, file, now)
  local header = req:header "if-range"
  if not header then
    return true
  elseif header:find('"', 1, true) then
    return header == file.etag and header:byte() == 34
  end
  return header == file.modified and now - file.mtime >= 1
end

return conditions
