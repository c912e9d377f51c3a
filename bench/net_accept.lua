-- Accepts connections and closes them, a task each.
local quoll = require "quoll"

local listener = assert(quoll.listen("127.0.0.1:0"))
print("listening on " .. listener:address())
io.stdout:flush()

quoll.serve(listener, function(conn)
    conn:close()
end)
