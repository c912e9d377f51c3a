-- Memory while many tasks stream the same file, each from its start to its
-- end, or as far as they come in time.
-- usage: file_flat.lua r|rd FILE TASKS SECONDS
--
-- Prints: mib N seconds S early BYTES grown BYTES
-- early, grown: the peak over what was resident before, when a tenth of the
-- bytes had been streamed and at the end
local quoll = require "quoll"
local usage = require "bench.lib.usage"

local CHUNK = 65536
local mode, path, tasks = arg[1], arg[2], tonumber(arg[3])
local seconds = tonumber(arg[4])
local done, early = 0, nil

local function grown_from(before)
    return usage.peak() * 1024 - before
end

local function stream(before, tenth, deadline)
    local file = assert(quoll.open(path, mode))
    for chunk in file:chunks(CHUNK) do
        done = done + #chunk
        if not early and done >= tenth then
            early = grown_from(before)
        end
        if quoll.now() >= deadline then
            break
        end
    end
    file:close()
end

local function size()
    local file = assert(quoll.open(path))
    local n = file:size()
    file:close()
    return n
end

quoll.run(function()
    local tenth = size() * tasks / 10
    collectgarbage()
    local before, start = usage.rss(), quoll.now()
    local list = {}
    for i = 1, tasks do
        list[i] = quoll.spawn(stream, before, tenth, start + seconds)
    end
    for _, task in ipairs(list) do
        task:wait()
    end
    local grown = grown_from(before)
    print(string.format("mib %.0f seconds %.3f early %d grown %d",
        done / 1048576, quoll.now() - start, early or grown, grown))
end)
