-- Direct 4 KiB reads at random offsets, 32 under way.
-- usage: file_random.lua FILE SECONDS
--
-- Prints: reads N seconds S cpu S
local quoll = require "quoll"
local usage = require "bench.lib.usage"

local BLOCK, TASKS = 4096, 32
local path, seconds = arg[1], tonumber(arg[2])
local reads = 0

local function reader(file, blocks, deadline)
    while quoll.now() < deadline do
        local offset = math.random(0, blocks - 1) * BLOCK
        local data = assert(file:pread(BLOCK, offset))
        assert(#data == BLOCK)
        reads = reads + 1
    end
end

quoll.run(function()
    local file = assert(quoll.open(path, "rd"))
    local blocks = file:size() / BLOCK
    local start, cpu = quoll.now(), usage.cpu()
    local tasks = {}
    for i = 1, TASKS do
        tasks[i] = quoll.spawn(reader, file, blocks, start + seconds)
    end
    for _, task in ipairs(tasks) do
        task:wait()
    end
    print(string.format("reads %d seconds %.6f cpu %.6f", reads,
        quoll.now() - start, usage.cpu() - cpu))
end)
