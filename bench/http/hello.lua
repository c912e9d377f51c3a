-- The same answer to every request whose path is the one, from a handler that
-- looks at it.
local quoll = require "quoll"

local listener = assert(quoll.listen("127.0.0.1:0"))
print("listening on " .. listener:address())
io.stdout:flush()

quoll.http.serve(listener, function(req)
    if req.path ~= "/hello" then
        return 404, "Not Found\n"
    end
    return "Hello, world!"
end, { requests = math.huge })
