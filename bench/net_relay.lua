-- A relay: what comes goes on to 127.0.0.1:PORT, one task a connection.
-- Argument: the port.
local quoll = require "quoll"

local target = "127.0.0.1:" .. arg[1]
local listener = assert(quoll.listen("127.0.0.1:0"))
print("listening on " .. listener:address())
io.stdout:flush()

quoll.serve(listener, function(from)
    local to = assert(quoll.connect(target))
    for chunk in from:chunks(65536) do
        assert(to:send(chunk))
    end
end)
