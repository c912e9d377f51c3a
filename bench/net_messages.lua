-- An echo server that reads message by message, corked: what a turn answers is
-- one call. Argument: bytes of a message.
local quoll = require "quoll"

local size = tonumber(arg[1])
local listener = assert(quoll.listen("127.0.0.1:0"))
print("listening on " .. listener:address())
io.stdout:flush()

quoll.serve(listener, function(conn)
    conn:cork()
    while true do
        local data = conn:receive(size)
        if not data then
            break
        end
        conn:send(data)
    end
end)
