-- quoll as a part of luv's loop: an HTTP server of quoll's, timers and signals
-- of luv's, one thread.
--
--   luajit examples/embed_luv.lua [addr]       try: curl http://ADDRESS
--
-- luv waits for quoll's descriptor, and as long as quoll says at most; then
-- quoll makes one turn. From a callback of luv's a task is started with
-- quoll.spawn, or woken with an event or a channel.

local uv = require "luv"
local quoll = require "quoll"

local address = arg[1] or "127.0.0.1:0"
local ticks = 0

-- Returns a function that takes quoll out of luv's loop.
local function embed()
  local poll, timer = uv.new_poll(assert(quoll.fd())), uv.new_timer()
  local function turn()
    local wait = assert(quoll.step())
    timer:stop()
    if wait < math.huge then
      timer:start(math.ceil(wait * 1000), 0, turn)
    end
  end
  poll:start("r", turn)
  turn()
  return function()
    poll:close()
    timer:close()
  end
end

-- The main chunk does not wait: it is luv that turns.
local listener = assert(quoll.listen(address))
print("listening on " .. listener:address())
io.stdout:flush()

local server = quoll.spawn(quoll.http.serve, listener, function()
  return ("luv has ticked %d times\n"):format(ticks)
end)

local ticker, interrupt = uv.new_timer(), uv.new_signal()
local leave = embed()

ticker:start(10, 10, function()
  ticks = ticks + 1
end)
interrupt:start("sigint", function()
  server:cancel()
  ticker:close()
  interrupt:close()
  leave()
end)

uv.run()
quoll.run() -- what the server still has to do: its connections are closed
print("stopped")
