-- A chat room: each line goes to everybody else.
--
--   luajit examples/chat.lua [addr]   try: curl telnet://127.0.0.1:PORT, twice
--
-- The first line is the name. A connection has two tasks: one reads what its
-- member says, one writes what the others said, so a slow member delays
-- nobody; who falls too far behind is dropped.

local quoll = require "quoll"

local address = arg[1] or "127.0.0.1:0"
local BACKLOG = 1000 -- lines that may wait for a slow member

local members = {} -- [member] = true

local function tell(member, line)
  local queue = member.queue
  if #queue >= BACKLOG then
    member.conn:close()
    return
  end
  queue[#queue + 1] = line .. "\n"
  if not member.writing then
    -- Not a child of the speaker's task, which may end first.
    member.writing = quoll.spawn(member.write, member):detach()
  end
end

local function broadcast(from, line)
  for member in pairs(members) do
    if member ~= from then
      tell(member, line)
    end
  end
end

-- Runs while there is something to write: one send for all that waits.
local function write(member)
  while #member.queue > 0 do
    local lines = member.queue
    member.queue = {}
    if not member.conn:send(lines) then
      break
    end
  end
  member.writing = nil
end

local function chat(conn)
  conn:send("your name? ")
  local name = conn:receive("*l")
  if not name or name == "" then
    return
  end
  local member = { conn = conn, queue = {}, write = write }
  members[member] = true
  broadcast(member, "* " .. name .. " is here")
  local line = conn:receive("*l")
  while line do
    broadcast(member, name .. ": " .. line)
    line = conn:receive("*l")
  end
  members[member] = nil
  broadcast(member, "* " .. name .. " has left")
end

quoll.run(function()
  local listener = assert(quoll.listen(address))
  print("listening on " .. listener:address())
  io.stdout:flush()
  listener:serve(chat)
end)

print("stopped")
