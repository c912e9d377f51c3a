--- The files of a folder, for GET and HEAD.
-- @module quoll.http.static

local core = require "quoll.core"
local codings = require "quoll.http.static.codings"
local conditions = require "quoll.http.static.conditions"
local files = require "quoll.http.static.files"
local listing = require "quoll.http.static.listing"
local options = require "quoll.options"
local part = require "quoll.http.part"
local path = require "quoll.http.static.path"
local ranges = require "quoll.http.static.ranges"

local bad_argument = core.bad_argument
local format = string.format

local static = {}

local OPTIONS = { index = true, listing = "boolean", dotfiles = "boolean",
  cache_control = true, types = "table", precompressed = "boolean",
  notfound = true, cache = true }

local TEXTS = { [400] = "bad request", [403] = "forbidden",
  [404] = "not found", [405] = "method not allowed",
  [301] = "moved permanently", [412] = "precondition failed",
  [416] = "range not satisfiable", [500] = "internal server error",
  [503] = "service unavailable" }

-- What it is that there is no such file: the rest is ours.
local STATUSES = { ENOENT = 404, ENOTDIR = 404, EISDIR = 404, EXDEV = 404,
  EINVAL = 404, ELOOP = 404, ENAMETOOLONG = 404, EACCES = 403, EPERM = 403,
  EMFILE = 503, ENFILE = 503, ENOMEM = 503, EAGAIN = 503 }

local boundary
do
  local count, start = 0, ("%x"):format(core.time() * 1e6)
  function boundary()
    count = count + 1
    return format("quoll-%s-%x", start, count)
  end
end

local function refuse(status, headers)
  headers = headers or {}
  headers["Content-Type"] = "text/plain; charset=utf-8"
  return status, TEXTS[status] .. "\n", headers
end

-- n bytes of a file from an offset on.
local function piece(entry, file, first, n)
  if file then
    return part.part(file, first, n)
  end
  return n == entry.size and entry.bytes
    or entry.bytes:sub(first + 1, first + n)
end

local function content_range(entry, range)
  return format("bytes %d-%d/%d", range.first, range.last, entry.size)
end

local function several(entry, file, list, headers)
  local mark, body = boundary(), {}
  for i, range in ipairs(list) do
    body[2 * i - 1] = format("%s--%s\r\nContent-Type: %s\r\n"
      .. "Content-Range: %s\r\n\r\n", i > 1 and "\r\n" or "", mark, entry.type,
      content_range(entry, range))
    body[2 * i] = piece(entry, file, range.first, range.last - range.first + 1)
  end
  body[#body + 1] = format("\r\n--%s--\r\n", mark)
  headers["Content-Type"] = "multipart/byteranges; boundary=" .. mark
  return 206, body, headers
end

local function ranged(entry, file, list, headers)
  local range = list[1]
  if not range then
    headers["Content-Encoding"] = nil
    headers["Content-Range"] = format("bytes */%d", entry.size)
    return refuse(416, headers)
  elseif list[2] then
    return several(entry, file, list, headers)
  end
  headers["Content-Range"] = content_range(entry, range)
  return 206, piece(entry, file, range.first, range.last - range.first + 1),
    headers
end

local function cache_control(self, entry)
  local value = self.cache_control
  if type(value) == "function" then
    return value(entry.name)
  end
  return value
end

local function whole(method, entry, file, headers)
  if method == "HEAD" then
    headers["Content-Length"] = entry.size
    return 200, nil, headers
  end
  return 200, piece(entry, file, 0, entry.size), headers
end

-- The request may ask for less than the whole file.
local function chosen(req, entry, file, headers)
  local status = conditions.check(req, entry)
  if status == 304 then
    headers["Content-Type"], headers["Accept-Ranges"] = nil, nil
    headers["Content-Encoding"] = nil
    return 304, nil, headers
  elseif status then
    return refuse(status)
  end
  local range = req.method == "GET" and req:header "range"
  if range and conditions.in_range(req, entry, core.time()) then
    local list = ranges.parse(range, entry.size)
    if list then
      return ranged(entry, file, list, headers)
    end
  end
  return whole(req.method, entry, file, headers)
end

-- An entry and what leads there, as an answer.
local function answer(self, req, method, plain, file)
  local entry, coding, varies = plain, nil, nil
  if self.precompressed then
    entry, file, coding, varies = codings.choose(self.files, plain, file, req)
  end
  -- All of their names at once: the table need not grow.
  local headers = { ["ETag"] = entry.etag, ["Last-Modified"] = entry.modified,
    ["Content-Type"] = plain.type, ["Accept-Ranges"] = "bytes",
    ["Content-Encoding"] = coding,
    ["Cache-Control"] = cache_control(self, plain),
    ["Vary"] = varies and "Accept-Encoding" or nil }
  if conditions.any(req) then
    return chosen(req, entry, file, headers)
  end
  return whole(method, entry, file, headers)
end

local function missing(self, req, status)
  if status == 404 and self.notfound then
    return self.notfound(req)
  end
  return refuse(status)
end

local function failed(self, req, code, err)
  local status = STATUSES[code] or 500
  if status == 500 then
    core.log("error", "static files: ", err)
  end
  return missing(self, req, status)
end

-- Relative: whatever the handler is mounted under, and never another host.
local function redirect(req, where)
  local query = req.querystring
  return refuse(301, { Location = "./" .. where:match "[^/]*$" .. "/"
    .. (query ~= "" and "?" .. query or "") })
end

-- Mounted at /a, asked for /a.
local function at_base(req)
  local base = req.base
  return req.path == "/" and base and base ~= ""
    and req.target:match "^[^?]*":sub(-1) ~= "/"
end

local function folder(self, req, method, name)
  if at_base(req) then
    return redirect(req, req.base)
  end
  for _, index in ipairs(self.index) do
    local entry, file, err = self.files:get(name .. index)
    if entry then
      return answer(self, req, method, entry, file)
    elseif file ~= "ENOENT" then
      return failed(self, req, file, err)
    end
  end
  if self.listing then
    local page, code, err = listing.page(self, name)
    if page then
      return 200, page, { ["Content-Type"] = "text/html; charset=utf-8" }
    end
    return failed(self, req, code, err)
  end
  return missing(self, req, 404)
end

-- What a path names. One that is spelled as its name is says so once.
local function name_of(self, raw)
  local entry = self.spelled[raw]
  if entry then
    return entry.name
  end
  return path.name(raw, self.dotfiles)
end

local function handle(self, req)
  local method, raw = req.method, req.path
  if method ~= "GET" and method ~= "HEAD" then
    return refuse(405, { Allow = "GET, HEAD" })
  end
  local name, status = name_of(self, raw)
  if not name then
    return missing(self, req, status)
  elseif name == "" or name:byte(-1) == 47 then
    return folder(self, req, method, name)
  end
  local entry, file, err = self.files:get(name)
  if not entry and file == "EISDIR" then
    return redirect(req, raw)
  elseif not entry then
    return failed(self, req, file, err)
  end
  if #name == #raw - 1 then
    self.spelled[raw] = entry
  end
  return answer(self, req, method, entry, file)
end

local function check_kind(value, name, expected, ...)
  for _, kind in ipairs { "nil", ... } do
    if type(value) == kind then
      return value
    end
  end
  bad_argument(value, name, "static", expected)
end

local function check_index(index)
  if index == nil then
    return { "index.html" }
  elseif index == false then
    return {}
  end
  check_kind(index, "index", "a name, an array of names or false", "string",
    "table")
  return type(index) == "table" and index or { index }
end

--- A handler that serves the regular files below a folder: never one outside,
-- neither by ".." nor by a symbolic link. Ranges, conditional requests and
-- files that lie compressed beside the plain ones (.br, .gz) are seen to.
-- @string dir the folder
-- @tparam ?table opts `index` ("index.html"; an array: the first that is
-- there; false: none); `listing` (false): a page of what a folder holds;
-- `dotfiles` (false): serve names that begin with a dot; `cache_control`: the
-- header's value, or fn(name) that gives it; `types`: ending -> Content-Type,
-- before the known ones, `default` for the unknown; `precompressed` (true);
-- `notfound`: a handler that answers instead of 404; `cache`: {`valid` (0):
-- seconds for which a kept file is taken for unchanged without a look at its
-- times (0: a turn of the loop), `small` (32768): files of at most so many
-- bytes are kept in memory, `memory` (16 MiB) of them all, `entries` (1000):
-- number of them, `open` (100): number of larger ones that are kept open}, or
-- false: keep nothing
-- @treturn function handler(req)
function static.static(dir, opts)
  if type(dir) ~= "string" or dir == "" or dir:find("\0", 1, true) then
    bad_argument(dir, "dir", "static", "a folder's path")
  end
  opts = options.check(opts, OPTIONS, "static")
  local cache = files.limits(check_kind(opts.cache, "cache",
    "a table or false", "table", "boolean"))
  cache.types = opts.types
  local self = {
    root = dir, files = files.new(dir, cache),
    spelled = setmetatable({}, { __mode = "v" }), -- path -> entry
    index = check_index(opts.index),
    listing = opts.listing, dotfiles = opts.dotfiles,
    precompressed = opts.precompressed ~= false,
    cache_control = check_kind(opts.cache_control, "cache_control",
      "a string or a function", "string", "function"),
    notfound = check_kind(opts.notfound, "notfound", "a handler", "function",
      "table"),
  }
  return function(req)
    return handle(self, req)
  end
end

return static
