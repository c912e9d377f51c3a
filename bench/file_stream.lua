-- Files read from end to end in chunks of 64 KiB, by one task or by many.
-- usage: file_stream.lua FILE MODE [TASKS]
--
-- Prints: bytes N seconds S cpu S peak KIB
local usage = require "bench.lib.usage"
local quoll = require "quoll"

local CHUNK = 65536
local path, mode, tasks = arg[1], arg[2], tonumber(arg[3] or 1)

local function read_all()
    local file = assert(quoll.open(path, mode))
    local bytes = 0
    for chunk in file:chunks(CHUNK) do
        bytes = bytes + #chunk
    end
    file:close()
    return bytes
end

quoll.run(function()
    local readers, bytes = {}, 0
    local start, cpu = quoll.now(), usage.cpu()
    for i = 1, tasks do
        readers[i] = quoll.spawn(read_all)
    end
    for i = 1, tasks do
        bytes = bytes + readers[i]:wait()
    end
    print(string.format("bytes %d seconds %.6f cpu %.6f peak %d", bytes,
        quoll.now() - start, usage.cpu() - cpu, usage.peak()))
end)
