-- Reads a connection to its end.
-- usage: drain.lua PORT
local quoll = require "quoll"

quoll.run(function()
    local conn = assert(quoll.connect("127.0.0.1:" .. arg[1],
        { timeout = 30 }))
    while conn:receiveany(262144) do end
end)
