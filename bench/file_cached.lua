-- Cached 4 KiB reads, block after block.
-- usage: file_cached.lua FILE READS
--
-- Prints: reads N ns PER_READ
local quoll = require "quoll"

local BLOCK = 4096
local path, count = arg[1], tonumber(arg[2])

local function read_blocks(file, size, n)
    local offset = 0
    for _ = 1, n do
        local data = assert(file:pread(BLOCK, offset))
        assert(#data == BLOCK)
        offset = (offset + BLOCK) % size
    end
end

quoll.run(function()
    local file = assert(quoll.open(path, "r"))
    local size = file:size()
    read_blocks(file, size, size / BLOCK)
    local start = quoll.now()
    read_blocks(file, size, count)
    print(string.format("reads %d ns %.1f", count,
        (quoll.now() - start) / count * 1e9))
end)
