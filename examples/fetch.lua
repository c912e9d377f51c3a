--- Asks for a URL and writes what it gets: a small curl.
--
--   luajit examples/fetch.lua [options] URL
--     -o FILE    writes the body there, and how far it is to stderr
--     -I  -i     the head only; the head, too
--     -X METHOD  -H "Name: value"  -d DATA (POST)  -T FILE (PUT)
--     -F NAME=VALUE or NAME=@FILE  (POST of a form with files)
--     -x PROXY   -k (no verification)   -m SECONDS (for all of it)

local quoll = require "quoll"

local opts = { headers = {}, proxy = true, retries = 2 }
local url, out, show

local function form(text)
  local name, at, value = text:match "^([^=]+)=(@?)(.*)$"
  opts.method, opts.multipart = "POST", opts.multipart or {}
  table.insert(opts.multipart, { name = assert(name, "-F NAME=VALUE"),
    value = at == "" and value or nil, path = at == "@" and value or nil })
end

local flags = {
  ["-I"] = function() opts.method, show = "HEAD", true end,
  ["-i"] = function() show = true end,
  ["-k"] = function() opts.tls = { verify = false } end,
}
local settings = {
  ["-o"] = function(value) out = value end,
  ["-X"] = function(value) opts.method = value end,
  ["-x"] = function(value) opts.proxy = value end,
  ["-m"] = function(value) opts.deadline = tonumber(value) end,
  ["-d"] = function(value) opts.method, opts.body = "POST", value end,
  ["-T"] = function(path)
    opts.method, opts.body = "PUT", assert(quoll.open(path))
  end,
  ["-F"] = form,
  ["-H"] = function(value)
    local name, text = value:match "^([^:]+):%s*(.*)$"
    opts.headers[assert(name, "-H 'Name: value'")] = text
  end,
}

local i = 1
while arg[i] do
  if settings[arg[i]] then
    settings[arg[i]](assert(arg[i + 1], arg[i] .. " needs a value"))
    i = i + 1
  elseif flags[arg[i]] then
    flags[arg[i]]()
  else
    url = arg[i]
  end
  i = i + 1
end
if not url then
  io.stderr:write "usage: luajit examples/fetch.lua [options] URL\n"
  os.exit(2)
end

local res, err = quoll.http.request(url, opts)
if not res then
  io.stderr:write("fetch: ", err, "\n")
  os.exit(1)
end
if show then
  print(("HTTP/%s %d %s"):format(res.version, res.status, res.reason))
  for name, value in pairs(res.headers) do
    print(name .. ": " .. value)
  end
  print ""
end
local file, n = out and assert(quoll.open(out, "w")), 0
for piece in res:chunks() do
  n = n + #piece
  assert((file or io.stdout):write(piece))
  if file then
    io.stderr:write(("\r%d of %s bytes"):format(n,
      res:header "content-length" or "unknown"))
  end
end
