-- The same echo server on luv, with callbacks.
local uv = require "luv"

local server = uv.new_tcp()
assert(server:bind("127.0.0.1", 0))
assert(server:listen(511, function()
    local conn = uv.new_tcp()
    server:accept(conn)
    conn:read_start(function(_, data)
        if data then
            conn:write(data)
        else
            conn:close()
        end
    end)
end))
print("listening on 127.0.0.1:" .. server:getsockname().port)
io.stdout:flush()
uv.run()
