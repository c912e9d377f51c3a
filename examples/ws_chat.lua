-- A chat room in the browser: each message goes to everybody.
--
--   luajit examples/ws_chat.lua [addr]   then open http://127.0.0.1:PORT/
--   luajit examples/ws_chat.lua ws://127.0.0.1:PORT/chat NAME   in a terminal
--
-- A connection has two tasks: its handler reads what its member says, a
-- background task writes what all say. A topic hands messages on; a member
-- who falls 100 behind is dropped, so that nobody waits for a slow one.

local quoll = require "quoll"
local http = quoll.http

local room = quoll.sync.topic()

local page = [[<!doctype html><meta charset="utf-8"><title>chat</title>
<body><form><input autofocus placeholder="say something"></form><ul></ul>
<script>
const form = document.forms[0], list = document.querySelector("ul")
const name = prompt("your name?") || "somebody"
const ws = new WebSocket(location.href.replace("http", "ws")
  + "chat?name=" + encodeURIComponent(name))
ws.onmessage = (e) => {
  list.prepend(Object.assign(document.createElement("li"),
    { textContent: e.data }))
}
ws.onclose = (e) => { document.title = "closed: " + e.code }
form.onsubmit = (e) => {
  e.preventDefault()
  ws.send(form[0].value)
  form.reset()
}
</script>]]

local function chat(req)
  local ws, status, text, headers = req:websocket { max = 4096 }
  if not ws then
    return status, text, headers
  end
  local name = req.query.name or "somebody"
  local news = room:subscribe(100, "close")
  room:publish(name .. " is here")
  quoll.defer(room.publish, room, name .. " has left")
  quoll.scope(function(s)
    s:background(function()
      for line in news:values() do
        ws:send(line)
      end
    end)
    for line in ws:messages() do
      room:publish(name .. ": " .. line)
    end
  end)
end

local function client(url, name)
  local ws = assert(http.websocket(url .. "?name=" .. name))
  quoll.scope(function(s)
    s:background(function()
      for line in quoll.stdin:lines() do
        ws:send(line)
      end
      ws:close()
    end)
    for line in ws:messages() do
      print(line)
    end
  end)
end

io.stdout:setvbuf "line"
if (arg[1] or ""):find "^wss?:" then
  quoll.run(client, arg[1], arg[2] or "terminal")
else
  local listener = assert(quoll.listen(arg[1] or "127.0.0.1:0"))
  print("listening on " .. listener:address())
  http.serve(listener, http.router():get("/chat", chat)
    :get("/", function() return http.html(page) end))
  print "stopped"
end
