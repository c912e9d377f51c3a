--- A service with routes, JSON, forms and events: notes, kept in memory.
--
--   luajit examples/api.lua [HOST:PORT]
--   curl localhost:8080/notes -d '{"text":"buy milk"}'
--   curl localhost:8080/notes/1
--   curl -N localhost:8080/events

local quoll = require "quoll"

local http = quoll.http
local address = arg[1] or "127.0.0.1:8080"
local notes, last = {}, 0
local changes = quoll.sync.topic()

--- The note that the path names; none is a 404.
local function find(req)
  return notes[tonumber(req.params.id)] or http.raise(404, "no such note\n")
end

--- The note in the body; anything else is a 400 or 413.
local function read(req)
  local note, err, code = req:json(65536)
  if code == "EMSGSIZE" then
    http.raise(413, err .. "\n")
  elseif type(note) ~= "table" or type(note.text) ~= "string" then
    http.raise(400, (err or "a note has a text") .. "\n")
  end
  return note.text
end

local function put(id, text)
  notes[id] = { id = id, text = text }
  changes:publish { event = "note", id = id, data = text }
  return notes[id]
end

local function list()
  local all = {}
  for _, note in pairs(notes) do
    all[#all + 1] = note
  end
  table.sort(all, function(a, b) return a.id < b.id end)
  return http.json { notes = all, count = #all }
end

local api = http.router()
api:get("/", list)
api:post("/", function(req)
  local text = read(req)
  last = last + 1
  return http.json(put(last, text), 201, { Location = req.base .. "/" .. last })
end)
api:get("/:id", function(req)
  return http.json(find(req))
end)
api:put("/:id", function(req)
  return http.json(put(find(req).id, read(req)))
end)
api:delete("/:id", function(req)
  notes[find(req).id] = nil
  return 204
end)

local site = http.router():use(http.cors(), http.gzip()):mount("/notes", api)
site:get("/events", function()
  return http.events(changes:subscribe(100, "drop"))
end)

local listener, err = quoll.listen(address)
if not listener then
  io.stderr:write("api: ", address, ": ", err, "\n")
  os.exit(1)
end
io.stdout:setvbuf "line"
print("listening on " .. listener:address())
http.serve(listener, site)
print "stopped"
