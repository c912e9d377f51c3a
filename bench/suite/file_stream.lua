local figures = require "bench.lib.figures"
local proc = require "bench.lib.proc"

local MIB = 1048576
local TASKS = 100

local function quoll(bench, path, mode, tasks)
    local found = figures.parse(bench:script("bench/file_stream.lua", path,
        mode, tasks or 1))
    found.rate = found.bytes / found.seconds / MIB
    return found
end

local function dd(bench, path, ...)
    local text = proc.run {
        core = bench.server_core,
        "sh", "-c", "LC_ALL=C dd \"$@\" 2>&1", "dd", "if=" .. path,
        "of=/dev/null", "bs=256k", ...
    }
    local bytes, seconds = text:match("(%d+) bytes.-, ([%d.]+) s,")
    return bytes / seconds / MIB
end

-- MiB a second of both, direct, cold and cached, and what ours used.
local function round(bench, path)
    local direct = quoll(bench, path, "rd")
    local found = {
        direct = direct.rate,
        cpu = direct.cpu,
        peak = direct.peak / 1024,
        dd_direct = dd(bench, path, "iflag=direct"),
    }
    bench:program("evict", { path })
    found.cold = quoll(bench, path, "r").rate
    bench:program("evict", { path })
    found.dd_cold = dd(bench, path)
    found.cached = quoll(bench, path, "r").rate
    found.dd_cached = dd(bench, path)
    return found
end

return {
    name = "file_stream",
    what = "a file from end to end in chunks of 64 KiB, against dd",
    peers = { "dd" },
    run = function(bench)
        local path = bench:file("stream", bench.quick and 64 or 1024)
        local samples = figures.samples()
        bench:rounds(function()
            samples:add(round(bench, path))
        end)
        for _, row in ipairs {
            { "direct", 0.98 }, { "cold" }, { "cached" },
        } do
            local name, least = unpack(row)
            bench.report:compare(samples, name, "dd_" .. name, {
                what = "stream: MiB/s, " .. name .. ", against dd",
                least = least,
            })
        end
        bench.report:add {
            what = "stream: CPU s of the direct read",
            measured = samples:median("cpu"),
        }
        bench.report:add {
            what = "stream: peak MiB of memory",
            measured = samples:median("peak"),
            most = 16,
        }
        local many = bench:file("many", bench.quick and 4 or 32)
        bench.report:add {
            what = string.format("stream: peak MiB, %d tasks, direct", TASKS),
            measured = quoll(bench, many, "rd", TASKS).peak / 1024,
            most = TASKS + 64, -- windows, and garbage
        }
    end,
}
