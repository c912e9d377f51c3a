-- An echo server: what a client sends comes back.
--
--   luajit examples/echo.lua [addr]        try: curl telnet://127.0.0.1:PORT
--
-- Each connection is a task of its own. receiveany suspends that task until
-- bytes come, so the code reads as if it served one client only.

local quoll = require "quoll"

local address = arg[1] or "127.0.0.1:0"

local function echo(conn)
  while true do
    local data, err = conn:receiveany(16384)
    if not data then
      return err
    end
    local sent
    sent, err = conn:send(data)
    if not sent then
      return err
    end
  end
end

quoll.run(function()
  local listener = assert(quoll.listen(address))
  print("listening on " .. listener:address())
  io.stdout:flush()
  listener:serve(echo)
end)

print("stopped")
