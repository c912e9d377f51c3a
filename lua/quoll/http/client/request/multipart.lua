--- multipart/form-data: fields and files as the body of a request (RFC 7578).
-- @module quoll.http.client.request.multipart

local core = require "quoll.core"
local file = require "quoll.fs.file"
local options = require "quoll.options"

local multipart = {}

local PART = { name = "string", value = true, file = true, path = "string",
  filename = "string", type = "string" }

local ESCAPED = { ['"'] = "%22", ["\r"] = "%0D", ["\n"] = "%0A" }

-- As browsers write names.
local function quote(text)
  return '"' .. text:gsub('["\r\n]', ESCAPED) .. '"'
end

-- 128 bits that nobody can put into a part before.
local function new_boundary()
  local source = assert(io.open("/dev/urandom", "rb"))
  source:setvbuf "no"
  local bytes = source:read(16)
  source:close()
  return "quoll-" .. bytes:gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end)
end

local function check(one)
  if type(one) ~= "table" then
    core.bad_argument(one, "multipart", "request", "a list of tables")
  end
  options.check(one, PART, "multipart")
  local what = 0
  for _, name in ipairs { "value", "file", "path" } do
    what = what + (one[name] ~= nil and 1 or 0)
  end
  if not one.name or what ~= 1 then
    core.raise("bad argument 'multipart' to 'request' (a part has 'name' and "
      .. "one of 'value', 'file' and 'path')")
  end
  for _, text in ipairs { one.name, one.filename or "", one.type or "" } do
    if text:find "%z" or text == one.type and text:find "[%c]" then
      core.raise "bad argument 'multipart' to 'request' (control character)"
    end
  end
end

-- What one part carries: a body, and the handle that was opened for it.
local function content(one)
  if one.path then
    local opened, err, code = file.open(one.path)
    return opened, opened, err, code
  end
  return one.value == nil and one.file or one.value
end

local function head(one)
  local name = one.filename or one.path and one.path:match "[^/]*$"
  local kind = one.type or name and "application/octet-stream"
  return ("Content-Disposition: form-data; name=%s%s\r\n%s\r\n"):format(
    quote(one.name), name and "; filename=" .. quote(name) or "",
    kind and "Content-Type: " .. kind .. "\r\n" or "")
end

-- The parts in order: the list's, then what has a name, by name.
local function in_order(parts)
  local list, names = {}, {}
  for i, one in ipairs(parts) do
    list[i] = one
  end
  for name in pairs(parts) do
    if type(name) == "string" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    list[#list + 1] = { name = name, value = parts[name] }
  end
  return list
end

local function close_all(opened)
  for _, one in ipairs(opened) do
    one:close()
  end
end

--- Makes a body of fields and files. Files are opened, not read.
-- @tparam table parts name -> value, and a list of tables: `name` and one of
-- `value` (whatever a body may be), `file` (open) and `path`; `filename`,
-- `type` ("application/octet-stream" of what has a file name)
-- @treturn[1] table `body`, a list; `type`, for Content-Type; `close`: closes
-- what was opened
-- @treturn[2] nil
-- @treturn[2] string "path: no such file or directory"
-- @treturn[2] string CODE
function multipart.make(parts)
  local boundary, list, opened = new_boundary(), {}, {}
  local ordered = in_order(parts)
  for _, one in ipairs(ordered) do
    check(one)
  end
  for _, one in ipairs(ordered) do
    local value, handle, err, code = content(one)
    if err then
      close_all(opened)
      return nil, err, code
    end
    opened[#opened + 1] = handle
    list[#list + 1] = { "--", boundary, "\r\n", head(one) }
    list[#list + 1] = value
    list[#list + 1] = "\r\n"
  end
  list[#list + 1] = { "--", boundary, "--\r\n" }
  return { body = list, type = "multipart/form-data; boundary=" .. boundary,
    close = function() close_all(opened) end }
end

return multipart
