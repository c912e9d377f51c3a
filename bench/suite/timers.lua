local figures = require "bench.lib.figures"

local MIB = 1048576

local function measure(bench, script)
    local found = figures.parse(bench:script(script))
    found.total = found.arm + found.cancel
    return found
end

return {
    name = "timers",
    what = "a million timers armed and cancelled",
    peers = { "luv" },
    run = function(bench)
        local samples = figures.samples()
        bench:rounds(function()
            local quoll = measure(bench, "bench/timers.lua")
            local luv = measure(bench, "bench/peers/timers_luv.lua")
            samples:add {
                quoll = quoll.total,
                luv = luv.total,
                held = quoll.held / MIB,
                rss = quoll.rss / MIB,
                peak = quoll.peak / MIB,
                luv_held = luv.held / MIB,
                luv_rss = luv.rss / MIB,
                luv_peak = luv.peak / MIB,
            }
        end)
        bench.report:compare(samples, "quoll", "luv", {
            what = "timers: CPU s for 1,000,000, against luv",
            most = 0.5,
        })
        bench.report:compare(samples, "peak", "luv_peak", {
            what = "timers: MiB resident while armed, against luv",
        })
        bench.report:add {
            what = "timers: MiB in use more afterwards, against luv",
            measured = samples:median("held"),
            against = samples:median("luv_held"),
            most = 1,
        }
        bench.report:add {
            what = "timers: MiB the allocators have not given back",
            measured = samples:median("rss"),
            against = samples:median("luv_rss"),
        }
    end,
}
