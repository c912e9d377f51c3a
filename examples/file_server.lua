--- Serves a folder over HTTP: each connection is a coroutine, each file is
-- sent without blocking the loop. Follows symbolic links, also out of it.
--
--   luajit examples/file_server.lua [HOST:PORT] [FOLDER]

local quoll = require "quoll"

local address = arg[1] or "127.0.0.1:8080"
local root = (arg[2] or "docs"):gsub("/+$", "")
local idle, longest = 75, 8192 -- seconds of silence, bytes of a request's head
local types = {
  html = "text/html; charset=utf-8", md = "text/plain; charset=utf-8",
  css = "text/css", js = "text/javascript", json = "application/json",
  svg = "image/svg+xml", png = "image/png", jpg = "image/jpeg",
}

local function head(status, kind, length, keep)
  return ("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n"
    .. "Connection: %s\r\n\r\n"):format(status, kind, length,
    keep and "keep-alive" or "close")
end

--- The file that a request target names; nil when it leaves the folder.
local function locate(target)
  local path = target:gsub("[?#].*", ""):gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end)
  if not path:find "^/" or path:find "%z" or (path .. "/"):find "/%.%./" then
    return nil
  end
  return root .. path:gsub("/$", "/index.html")
end

local function send_file(conn, file, kind, keep, bodyless)
  local size = file:size()
  local ok = conn:send(head("200 OK", kind, size, keep))
  if ok and not bodyless then
    ok = conn:sendfile(file, 0, size) == size
  end
  return file:close() and ok
end

--- One request; true when another may follow on the connection.
local function answer(conn)
  local head_until = conn:receiveuntil "\r\n\r\n"
  local text = head_until(longest)
  if not text or head_until(1) then return end -- gone, or too long
  local method, target, version = text:match "^(%u+) (%S+) HTTP/(1%.%d)"
  local keep = version == "1.1" and not text:lower():find "\nconnection: *close"
  local path = target and locate(target)
  local known = method == "GET" or method == "HEAD"
  local file = path and known and quoll.open(path)
  if file then
    local kind = types[path:match "%.(%w+)$"] or "application/octet-stream"
    return send_file(conn, file, kind, keep, method == "HEAD") and keep
  end
  local status = not path and "400 Bad Request"
    or not known and "405 Method Not Allowed" or "404 Not Found"
  local body = method == "HEAD" and "" or status .. "\n"
  local refusal = head(status, "text/plain", #status + 1, keep and known)
  return conn:send { refusal, body } and keep and known
end

local listener, err = quoll.listen(address)
if not listener then
  io.stderr:write(("file_server: %s: %s\n"):format(address, err))
  os.exit(1)
end
io.stdout:setvbuf "line"
print("listening on " .. listener:address())
print("serving " .. root .. " over HTTP; Ctrl-C stops it")
listener:serve(function(conn)
  conn:settimeout(idle)
  while answer(conn) do end
end)
print "stopped"
