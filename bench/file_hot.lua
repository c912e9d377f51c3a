-- A hot set: files that are opened, read whole and closed, pass after pass.
-- usage: file_hot.lua FOLDER FILES BYTES
--
-- Prints, of the passes after the first: reads N hits N cpu S
local quoll = require "quoll"
local usage = require "bench.lib.usage"

local PASSES, TASKS = 5, 32
local folder, count = arg[1], tonumber(arg[2])
local size = tonumber(arg[3])

local function pass()
    local next = 0
    local function reader()
        while next < count do
            next = next + 1
            local file = assert(quoll.open(folder .. "/hot" .. next))
            assert(#file:pread(size, 0) == size)
            file:close()
        end
    end
    local tasks = {}
    for i = 1, TASKS do
        tasks[i] = quoll.spawn(reader)
    end
    for _, task in ipairs(tasks) do
        task:wait()
    end
end

quoll.run(function()
    pass()
    local before, cpu = quoll.stats().files, usage.cpu()
    for _ = 2, PASSES do
        pass()
    end
    print(string.format("reads %d hits %d cpu %.6f", (PASSES - 1) * count,
        quoll.stats().files.hits - before.hits, usage.cpu() - cpu))
end)
