-- The same answer to every request, from a handler that takes none.
local quoll = require "quoll"

local listener = assert(quoll.listen("127.0.0.1:0"))
print("listening on " .. listener:address())
io.stdout:flush()

quoll.http.serve(listener, function()
    return "Hello, world!"
end, { requests = math.huge })
