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
        bench.report:add {
            what = "timers: CPU s for 1,000,000, against luv",
            measured = samples:median("quoll"),
            against = samples:median("luv"),
            ratio = samples:ratio("quoll", "luv"),
            most = 0.5,
        }
        bench.report:add {
            what = "timers: MiB resident while armed, against luv",
            measured = samples:median("peak"),
            against = samples:median("luv_peak"),
            ratio = samples:ratio("peak", "luv_peak"),
        }
        bench.report:add {
            what = "timers: MiB in use more afterwards, against luv",
            measured = samples:median("held"),
            against = samples:median("luv_held"),
            judged = samples:median("held"),
            most = 1,
        }
        bench.report:add {
            what = "timers: MiB the allocators have not given back",
            measured = samples:median("rss"),
            against = samples:median("luv_rss"),
        }
    end,
}
