-- How late a 1 ms ticker comes while 32 tasks read random 64 KiB of a file.
-- usage: stall.lua none|cached|direct|blocking FILE SECONDS
-- blocking: io.read on the loop's thread, for comparison
local quoll = require "quoll"
local Lateness = require "bench.lib.lateness"

local BLOCK, TASKS = 65536, 32
local mode, path, seconds = arg[1], arg[2], tonumber(arg[3])
local reads = 0

local open = {
    cached = function()
        local file = assert(quoll.open(path, "r"))
        return function(offset)
            return file:pread(BLOCK, offset)
        end
    end,
    direct = function()
        local file = assert(quoll.open(path, "rd"))
        return function(offset)
            return file:pread(BLOCK, offset)
        end
    end,
    blocking = function()
        local file = assert(io.open(path, "rb"))
        return function(offset)
            file:seek("set", offset)
            local data = file:read(BLOCK)
            quoll.yield()
            return data
        end
    end,
}

local function reader(read, blocks, deadline)
    while quoll.now() < deadline do
        assert(read(math.random(0, blocks - 1) * BLOCK))
        reads = reads + 1
    end
end

local function tick(deadline)
    local lateness = Lateness.new()
    while quoll.now() < deadline do
        local start = quoll.now()
        quoll.sleep(Lateness.PERIOD)
        lateness:tick(quoll.now() - start)
    end
    lateness:print(reads)
end

quoll.run(function()
    local file = assert(io.open(path, "rb"))
    local blocks = file:seek("end") / BLOCK
    file:close()
    local deadline = quoll.now() + seconds
    if mode ~= "none" then
        local read = open[mode]()
        for _ = 1, TASKS do
            quoll.spawn(reader, read, blocks, deadline)
        end
    end
    tick(deadline)
end)
