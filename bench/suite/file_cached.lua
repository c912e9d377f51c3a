local figures = require "bench.lib.figures"

return {
    name = "file_cached",
    what = "cached 4 KiB pread from Lua, against pread(2) from C",
    peers = { "pread(2) in C" },
    run = function(bench)
        local path = bench:file("cached", 1)
        local count = bench.quick and 200000 or 1000000
        local samples = figures.samples()
        bench:rounds(function()
            local quoll = bench:script("bench/file_cached.lua", path, count)
            local bare = bench:program("pread_bare", {
                core = bench.server_core, path, count,
            })
            samples:add {
                quoll = figures.parse(quoll).ns / 1e3,
                bare = figures.parse(bare).ns / 1e3,
            }
        end)
        bench.report:compare(samples, "quoll", "bare", {
            key = "cached pread",
            what = "cached reads: us each, against C",
            most = 2.38, -- 1.0 us where C takes 0.42
        })
        bench.report:add {
            what = "the same, whatever C takes",
            measured = samples:median("quoll"),
            most = 1.0,
        }
    end,
}
