--- The header of a part: its fields, and what Content-Disposition says.
-- @module quoll.http.multipart.headers

local parameters = require "quoll.http.syntax.parameters"
local trim = require "quoll.http.syntax.trim"

local headers = {}

--- Parses a part's header.
-- @string text its lines, each ended by CRLF
-- @treturn ?table name in lower case -> value; nil: malformed
function headers.parse(text)
  local found, at = {}, 1
  while at <= #text do
    local _, last, name, value =
      text:find("^([%w!#$%%&'*+%-.^_`|~]+):[ \t]*([^\r\n]*)\r\n", at)
    if not last or value:find "[%z\1-\8\10-\31\127]"
      or found[name:lower()]
    then
      return nil
    end
    found[name:lower()] = trim(value)
    at = last + 1
  end
  return found
end

-- Some browsers send the path of the file on the client's disk.
local function base_name(filename)
  local name = filename and filename:match "[^/\\]*$"
  if name == "." or name == ".." then
    return ""
  end
  return name
end

--- What a part is.
-- @tparam table fields of its header
-- @treturn ?table name, filename (without folders; nil: no file; "": none was
-- chosen), type, headers; nil: it is no field of a form
function headers.describe(fields)
  local kind, found = parameters.parse(fields["content-disposition"] or "")
  if kind ~= "form-data" or not found.name
    or (found.filename or ""):find("%z") or found.name:find("%z")
  then
    return nil
  end
  return {
    name = found.name, filename = base_name(found.filename),
    type = fields["content-type"], headers = fields,
  }
end

return headers
