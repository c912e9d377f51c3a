-- Reads of a cold file, each block once, at random places, 32 under way.
-- usage: file_cold.lua FILE SECONDS BYTES thread|direct
--
-- Prints: reads N seconds S cpu S
local quoll = require "quoll"
local usage = require "bench.lib.usage"

local TASKS = 32
local path, seconds = arg[1], tonumber(arg[2])
local size, miss = tonumber(arg[3]), arg[4]

-- The numbers 0 .. n - 1 in an order that no readahead guesses.
local function shuffled(n)
    local order = {}
    math.randomseed(7)
    for i = 1, n do
        local j = math.random(i)
        order[i] = order[j]
        order[j] = i - 1
    end
    return order
end

quoll.run(function()
    local file = assert(quoll.open(path, "r", { miss = miss }))
    local order = shuffled(math.floor(file:size() / size))
    local start, cpu = quoll.now(), usage.cpu()
    local reads = 0
    local function reader()
        while reads < #order and quoll.now() < start + seconds do
            reads = reads + 1
            local data = assert(file:pread(size, order[reads] * size))
            assert(#data == size)
        end
    end
    local tasks = {}
    for i = 1, TASKS do
        tasks[i] = quoll.spawn(reader)
    end
    for _, task in ipairs(tasks) do
        task:wait()
    end
    print(string.format("reads %d seconds %.6f cpu %.6f", reads,
        quoll.now() - start, usage.cpu() - cpu))
end)
