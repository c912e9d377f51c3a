-- An echo server with TLS, one coroutine per connection: CERT KEY.
local quoll = require "quoll"

local listener = assert(quoll.listen("127.0.0.1:0"))
print("listening on " .. listener:address())
io.stdout:flush()

quoll.serve(listener, function(conn)
    while true do
        local data = conn:receiveany(16384)
        if not data then
            break
        end
        conn:send(data)
    end
end, { tls = { cert = arg[1], key = arg[2] } })
