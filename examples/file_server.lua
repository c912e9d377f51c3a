--- Serves a folder over HTTP: each connection is a coroutine, each file is
-- sent without blocking the loop. Nothing outside of the folder is served,
-- neither by ".." nor by a symbolic link.
--
--   luajit examples/file_server.lua [HOST:PORT] [FOLDER]

local quoll = require "quoll"

local address, root = arg[1] or "127.0.0.1:8080", arg[2] or "docs"
local idle, longest = 75, 8192 -- seconds of silence, bytes of a request's head
local types = {
  html = "text/html; charset=utf-8", md = "text/plain; charset=utf-8",
  txt = "text/plain; charset=utf-8", css = "text/css", js = "text/javascript",
  svg = "image/svg+xml", png = "image/png", jpg = "image/jpeg",
}
local refusals = { ENOENT = "404 Not Found", ENOTDIR = "404 Not Found",
  EISDIR = "404 Not Found", EXDEV = "404 Not Found", EINVAL = "404 Not Found",
  EACCES = "403 Forbidden", ELOOP = "403 Forbidden" }

local function head(status, kind, length, keep)
  return ("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n"
    .. "Connection: %s\r\n\r\n"):format(status, kind, length,
    keep and "keep-alive" or "close")
end

--- The file that a request names and its type; nil and a status.
local function find(method, target)
  if not method or not target:find "^/" then return nil, "400 Bad Request" end
  if method ~= "GET" and method ~= "HEAD" then
    return nil, "405 Method Not Allowed"
  end
  local path = target:gsub("[?#].*", ""):gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end):gsub("/$", "/index.html"):gsub("^/+", "")
  local file, _, code = quoll.open(path, "r", { root = root })
  if not file then return nil, refusals[code] or "503 Service Unavailable" end
  return file, types[path:match "%.(%w+)$"] or "application/octet-stream"
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
  local fields = text:lower()
  local keep = version == "1.1" and not fields:find "\nconnection: *close"
    and not fields:find "\ncontent%-length:" -- a body: nobody reads it here
    and not fields:find "\ntransfer%-encoding:"
  local file, kind = find(method, target)
  if file then
    return send_file(conn, file, kind, keep, method == "HEAD") and keep
  end
  local body = method == "HEAD" and "" or kind .. "\n"
  return conn:send { head(kind, "text/plain", #kind + 1, keep), body } and keep
end

local listener, err = quoll.listen(address)
local folder, why = quoll.fs.stat(root)
if not (listener and folder) then
  io.stderr:write("file_server: ", why or address .. ": " .. err, "\n")
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
