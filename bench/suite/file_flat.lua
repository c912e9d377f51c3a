local figures = require "bench.lib.figures"

local TASKS, MIB = 100, 1048576

-- What the tasks may have at once: four blocks of 256 KiB that are being read
-- and given out. On top: strings of 64 KiB, two a task with what the collector
-- has yet to find (12.5 MiB), the stacks of the pool's threads, the tasks.
local WINDOW, REST = 4 * 256 / 1024, 20
local MOST = TASKS * WINDOW + REST

local VARIANTS = {
    { name = "through the page cache", mode = "r", seconds = 40 },
    { name = "direct", mode = "rd", seconds = 10 },
}

local function measure(bench, variant, path)
    local found = figures.parse(bench:script("bench/file_flat.lua",
        variant.mode, path, TASKS,
        bench.quick and 1 or variant.seconds))
    found.early, found.grown = found.early / MIB, found.grown / MIB
    found.gib, found.rate = found.mib / 1024, found.mib / found.seconds
    return found
end

return {
    name = "file_flat",
    what = "memory while 100 tasks stream a file of 1 GiB in chunks of 64 KiB",
    peers = { "itself after a tenth of the time" },
    run = function(bench)
        local path = bench:file("stream", bench.quick and 64 or 1024)
        local samples = {}
        for _, variant in ipairs(VARIANTS) do
            samples[variant.name] = figures.samples()
        end
        bench:rounds(function(i)
            for _, variant in bench:rotate(VARIANTS, i) do
                local found = measure(bench, variant, path)
                samples[variant.name]:add(found)
            end
        end)
        for _, variant in ipairs(VARIANTS) do
            local mine = samples[variant.name]
            bench.report:compare(mine, "grown", "early", {
                what = string.format("file_flat: peak MiB, at the end and"
                    .. " after a tenth, %s (%.0f GiB, %.0f MiB/s)",
                    variant.name, mine:median("gib"), mine:median("rate")),
                judged = "measured",
                most = MOST,
            })
        end
    end,
}
