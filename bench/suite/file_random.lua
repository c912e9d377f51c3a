local figures = require "bench.lib.figures"
local proc = require "bench.lib.proc"

local function quoll(bench, path, seconds)
    local found = figures.parse(bench:script("bench/file_random.lua", path,
        seconds))
    return found.reads / found.seconds, found.cpu / found.reads * 1e6
end

-- fio's own count of its reading thread; its start is left out.
local function fio(bench, path, seconds)
    local json = proc.run {
        core = bench.server_core,
        "fio", "--name=random", "--filename=" .. path, "--readonly",
        "--ioengine=libaio", "--direct=1", "--bs=4k", "--iodepth=32",
        "--rw=randread", "--time_based", "--runtime=" .. seconds,
        "--thread", "--output-format=json",
    }
    local ms = tonumber(json:match('"job_runtime" : (%d+)'))
    local busy = json:match('"usr_cpu" : ([%d.]+)')
        + json:match('"sys_cpu" : ([%d.]+)')
    local reads = tonumber(json:match('"total_ios" : (%d+)'))
    return reads / ms * 1e3, busy / 100 * ms * 1e3 / reads
end

return {
    name = "file_random",
    what = "direct 4 KiB random reads, 32 under way, against fio's libaio",
    peers = { "fio with libaio" },
    run = function(bench)
        local path = bench:file("random", 256)
        local seconds = bench.quick and 1 or 3
        local samples = figures.samples()
        bench:rounds(function()
            local round = {}
            round.iops, round.cpu = quoll(bench, path, seconds)
            round.fio_iops, round.fio_cpu = fio(bench, path, seconds)
            samples:add(round)
        end)
        bench.report:compare(samples, "iops", "fio_iops", {
            what = "random direct reads: IOPS, against fio",
            least = 0.98,
        })
        bench.report:compare(samples, "cpu", "fio_cpu", {
            key = "direct read",
            what = "random direct reads: CPU us a read, against fio",
            most = 1.10,
        })
    end,
}
