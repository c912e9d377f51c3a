local figures = require "bench.lib.figures"
local proc = require "bench.lib.proc"

local EVICT_MS = 20

-- The variants and their commands.
local VARIANTS = {
    { name = "no reads", "bench/stall.lua", "none" },
    { name = "cacheable", most = 1000, "bench/stall.lua", "cached" },
    { name = "direct", most = 1000, "bench/stall.lua", "direct" },
    { name = "luv, fs_read", "bench/peers/stall_luv.lua" },
    { name = "io.read on the loop", "bench/stall.lua", "blocking" },
}

local function measure(bench, variant, path, seconds)
    local evict = proc.start {
        core = bench.load_core, bench:path("evict"), path, EVICT_MS,
    }
    evict:line(30)
    local args = { unpack(variant) }
    table.insert(args, path)
    table.insert(args, seconds)
    local found = figures.parse(bench:script(unpack(args)))
    evict:finish(10)
    found.rate = found.reads / seconds
    return found
end

return {
    name = "stall",
    what = "lateness of a 1 ms ticker while 32 tasks read a cold file",
    run = function(bench)
        local path = bench:file("cold", 256)
        local seconds = bench.quick and 1 or 4
        local samples = {}
        for _, variant in ipairs(VARIANTS) do
            samples[variant.name] = figures.samples()
        end
        bench:rounds(function(i)
            for _, variant in bench:rotate(VARIANTS, i) do
                local found = measure(bench, variant, path, seconds)
                samples[variant.name]:add(found)
            end
        end)
        for _, variant in ipairs(VARIANTS) do
            local mine = samples[variant.name]
            bench.report:add {
                what = string.format("stall: us late, p99.9, %s, %.0f reads/s"
                    .. " (p50 %.0f, p99 %.0f, max %.0f)",
                    variant.name, mine:median("rate"), mine:median("p50"),
                    mine:median("p99"), mine:median("max")),
                measured = mine:median("p999"),
                most = variant.most,
            }
        end
    end,
}
