-- Sends back the JSON that it gets, decoded and encoded.
local quoll = require "quoll"
local http = quoll.http

local listener = assert(quoll.listen("127.0.0.1:0"))
print("listening on " .. listener:address())
io.stdout:flush()

http.serve(listener, function(req)
    return http.json(assert(req:json()))
end, { requests = math.huge })
