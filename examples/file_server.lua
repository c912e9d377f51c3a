--- Serves a folder over HTTP: each connection is a coroutine, each file is
-- read without blocking the loop.
--
--   luajit examples/file_server.lua [HOST:PORT] [FOLDER]

local quoll = require "quoll"

local address = arg[1] or "127.0.0.1:8080"
local root = (arg[2] or "docs"):gsub("/+$", "")
local idle = 75 -- seconds a kept-alive connection may say nothing
local chunk = 128 * 1024 -- bytes read and sent at a time
local types = {
  html = "text/html; charset=utf-8", txt = "text/plain; charset=utf-8", md = "text/plain; charset=utf-8",
  css = "text/css", js = "text/javascript", json = "application/json", pdf = "application/pdf",
  svg = "image/svg+xml", png = "image/png", jpg = "image/jpeg", ico = "image/x-icon",
}

local function head(status, kind, length, keep)
  return ("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: %s\r\n\r\n")
    :format(status, kind, length, keep and "keep-alive" or "close")
end

local function refuse(conn, status, keep, bodyless)
  local body = status .. "\n"
  return conn:send { head(status, "text/plain", #body, keep), bodyless and "" or body }
end

local function unescape(hex)
  return string.char(tonumber(hex, 16))
end

--- The file that a request target names; nil when it leaves the folder.
local function locate(target)
  local path = target:gsub("[?#].*", ""):gsub("%%(%x%x)", unescape)
  if path:sub(1, 1) ~= "/" or path:find "%z" or (path .. "/"):find("/../", 1, true) then
    return nil
  end
  return root .. (path:sub(-1) == "/" and path .. "index.html" or path)
end

local function send_file(conn, path, keep, bodyless)
  local file = quoll.open(path)
  if not file then
    return refuse(conn, "404 Not Found", keep, bodyless)
  end
  local size, offset = file:size(), 0
  local kind = types[path:match "%.(%w+)$"] or "application/octet-stream"
  local ok = conn:send(head("200 OK", kind, size, keep))
  while ok and not bodyless and offset < size do
    local data = file:pread(math.min(chunk, size - offset), offset)
    ok = data and conn:send(data)
    offset = offset + #(data or "")
  end
  file:close()
  return ok
end

--- Method, target and whether the connection stays; nil when none came.
local function request(conn)
  local method, target, version = (conn:receive "*l" or ""):match "^(%u+) (%S+) HTTP/(1%.%d)$"
  if not method then
    return nil
  end
  local keep = version == "1.1"
  for line in conn:lines() do
    if line == "" then
      return method, target, keep
    end
    keep = keep and not line:lower():find "^connection:%s*close"
  end
end

--- One request; true when another may follow on the connection.
local function answer(conn)
  local method, target, keep = request(conn)
  local path = target and locate(target)
  if not method then
    return false
  elseif method ~= "GET" and method ~= "HEAD" then
    return refuse(conn, "405 Method Not Allowed") and false
  elseif not path then
    return refuse(conn, "400 Bad Request") and false
  end
  return send_file(conn, path, keep, method == "HEAD") and keep
end

local listener, err = quoll.listen(address)
if not listener then
  io.stderr:write(("file_server: %s: %s\n"):format(address, err))
  os.exit(1)
end
io.stdout:setvbuf "line"
print(("listening on %s\nserving %s at http://%s/\nCtrl-C stops it"):format(listener:address(), root, listener:address()))
listener:serve(function(conn)
  conn:settimeout(idle)
  while answer(conn) do end
end)
print "stopped"
