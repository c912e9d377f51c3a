local figures = require "bench.lib.figures"
local overlay = require "bench.lib.overlay"
local proc = require "bench.lib.proc"

local EVICT_MS = 20

-- The variants and their commands; `warm`: the file stays in the page cache.
-- An overlay's file is the same one, seen through overlayfs.
local VARIANTS = {
    { name = "no reads", "bench/stall.lua", "none" },
    { name = "cached", most = 1000, warm = true, "bench/stall.lua", "cached" },
    { name = "cacheable", most = 1000, "bench/stall.lua", "cached" },
    { name = "direct", most = 1000, "bench/stall.lua", "direct" },
    { name = "cacheable, overlayfs", most = 1000, overlay = true,
        "bench/stall.lua", "cached" },
    { name = "luv, fs_read", "bench/peers/stall_luv.lua" },
    { name = "io.read on the loop", "bench/stall.lua", "blocking" },
}

local function command(bench, variant, mount, seconds)
    local args = { unpack(variant) }
    local seen = variant.overlay and "merged" or "lower"
    table.insert(args, mount.folder .. "/" .. seen .. "/cold")
    table.insert(args, seconds)
    local line = bench:command(unpack(args))
    return variant.overlay and mount:command(line) or line
end

-- What makes the file cold again and again; nil for a warm one.
local function evict(bench, variant, path)
    if variant.warm then
        proc.run { "dd", "if=" .. path, "of=/dev/null", "bs=1M", "status=none" }
        return nil
    end
    local process = proc.start {
        core = bench.load_core, bench:path("evict"), path, EVICT_MS,
    }
    process:line(30)
    return process
end

local function measure(bench, variant, mount, seconds)
    local path = mount.folder .. "/lower/cold"
    local evicting = evict(bench, variant, path)
    local found = figures.parse(proc.run(command(bench, variant, mount,
        seconds)))
    if evicting then
        evicting:finish(10)
    end
    found.rate = found.reads / seconds
    return found
end

-- The variants that can be run here, with their samples.
local function possible(bench, mount)
    local list, why = {}, mount:refused()
    for _, variant in ipairs(VARIANTS) do
        if variant.overlay and why then
            bench.report:skip(variant.name, why)
        else
            variant.samples = figures.samples()
            table.insert(list, variant)
        end
    end
    return list
end

-- The middle tick beside reads that are answered at once, against that of an
-- idle loop: what keeps, where the last thousandth is the machine's.
local function against_idle(bench, list)
    local idle = list[1].samples:median("p50")
    local cached = list[2].samples:median("p50")
    bench.report:add {
        key = "ticker",
        what = "stall: us late, p50, cached, against no reads",
        measured = cached,
        against = idle,
        ratio = cached / idle,
    }
end

return {
    name = "stall",
    what = "lateness of a 1 ms ticker while 32 tasks read a file, cold or not",
    peers = { "luv", "io.read on the loop" },
    run = function(bench)
        local mount = overlay.new(bench:folder())
        bench:file("lower/cold", 256)
        local list = possible(bench, mount)
        local seconds = bench.quick and 1 or 4
        bench:rounds(function(i)
            for _, variant in bench:rotate(list, i) do
                variant.samples:add(measure(bench, variant, mount, seconds))
            end
        end)
        for _, variant in ipairs(list) do
            local mine = variant.samples
            bench.report:add {
                what = string.format("stall: us late, p99.9, %s, %.0f reads/s"
                    .. " (p50 %.0f, p99 %.0f, max %.0f)",
                    variant.name, mine:median("rate"), mine:median("p50"),
                    mine:median("p99"), mine:median("max")),
                measured = mine:median("p999"),
                most = variant.most,
            }
        end
        against_idle(bench, list)
    end,
}
