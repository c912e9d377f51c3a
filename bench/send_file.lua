-- Sends a file to the first that connects, as often as it is told, and stops.
-- usage: send_file.lua FILE TIMES sendfile|send
--
-- Prints: listening on 127.0.0.1:PORT, then: files N cpu_us PER_FILE
local usage = require "bench.lib.usage"
local quoll = require "quoll"

local path, times, how = arg[1], tonumber(arg[2]), arg[3]

local ways = {
    sendfile = function(conn, file, size)
        return conn:sendfile(file, 0, size)
    end,
    send = function(conn, file, size)
        return conn:send(file:pread(size, 0))
    end,
}

quoll.run(function()
    local listener = assert(quoll.listen "127.0.0.1:0")
    print("listening on " .. listener:address())
    io.stdout:flush()
    local conn = assert(listener:accept(30))
    local file = assert(quoll.open(path))
    local size, send = file:size(), ways[how]
    assert(send(conn, file, size) == size) -- into the page cache
    local start = usage.cpu()
    for _ = 1, times do
        assert(send(conn, file, size) == size)
    end
    print(string.format("files %d cpu_us %.2f", times,
        (usage.cpu() - start) / times * 1e6))
end)
