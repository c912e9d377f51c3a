-- Sends back each message that comes over a WebSocket.
local quoll = require "quoll"

local listener = assert(quoll.listen("127.0.0.1:0"))
print("listening on " .. listener:address())
io.stdout:flush()

quoll.http.serve(listener, function(req)
    local ws, why = req:websocket { compress = false }
    if not ws then
        return why
    end
    for message, kind in ws:messages() do
        ws:send(message, kind)
    end
end)
