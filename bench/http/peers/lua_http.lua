-- The same answer from lua-http.
local headers = require "http.headers"
local http_server = require "http.server"

local server = assert(http_server.listen {
    host = "127.0.0.1",
    port = 0,
    tls = false,
    onstream = function(_, stream)
        assert(stream:get_headers())
        local head = headers.new()
        head:append(":status", "200")
        head:append("content-type", "text/plain; charset=utf-8")
        head:append("content-length", "13")
        assert(stream:write_headers(head, false))
        assert(stream:write_chunk("Hello, world!", true))
    end,
    onerror = function() end,
})
assert(server:listen())
local _, host, port = server:localname()
print("listening on " .. host .. ":" .. port)
io.stdout:flush()
assert(server:loop())
