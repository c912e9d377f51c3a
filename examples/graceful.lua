-- A server that is restarted without losing a request.
--
--   luajit examples/graceful.lua [addr]        then: kill -TERM its process
--
-- One line is a request, and a connection is kept open for the next one. The
-- first SIGTERM or Ctrl-C closes the listener and what idles, and
-- lets requests be finished, for ten seconds at most; a second one cuts them.

local quoll = require "quoll"

local address = arg[1] or "127.0.0.1:0"

quoll.configure { grace = 10 }

local function work(request)
  quoll.sleep(tonumber(request) or 0)
  return ("worked %s s\n"):format(request)
end

local function handle(conn)
  conn:settimeout(60)
  while conn:idle() do
    local request = conn:receive()
    if not request or not conn:send(work(request)) then
      return
    end
  end
end

local served = 0

local ok, err = quoll.run(function()
  quoll.timer.every(10, function()
    print(served .. " connections so far")
  end)
  local listener = assert(quoll.listen(address))
  print("listening on " .. listener:address())
  io.stdout:flush()
  listener:serve(function(conn)
    served = served + 1
    handle(conn)
  end)
  return true
end)

print(ok and "all requests are answered" or err)
print("stopped")
