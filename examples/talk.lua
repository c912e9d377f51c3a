-- A client for a terminal: what is typed goes to the server, line by line, and
-- what the server says is shown, at once.
--
--   luajit examples/chat.lua 127.0.0.1:7000
--   luajit examples/talk.lua 127.0.0.1:7000
--
-- Ctrl-D or /quit ends it, Ctrl-C cancels it.
local quoll = require "quoll"

local address = arg[1] or "127.0.0.1:7000"

local function show(server)
  for line in server:lines() do
    quoll.stdout:send { line, "\n" }
  end
  quoll.stdout:send "the server has closed\n"
end

local function type_in(server)
  for line in quoll.stdin:lines() do
    if line == "/quit" then
      break
    end
    assert(server:send { line, "\n" })
  end
end

quoll.run(function()
  local server, err = quoll.connect(address, { timeout = 5 })
  if not server then
    io.stderr:write(address, ": ", err, "\n")
    os.exit(1)
  end
  quoll.stdout:send { "connected to ", address, "\n" }
  quoll.race {
    function() show(server) end,
    function() type_in(server) end,
  }
  quoll.stdout:send "bye\n"
end)
