local figures = require "bench.lib.figures"

local function measure(bench, path, size, miss)
    bench:program("evict", { path })
    local seconds = bench.quick and 1 or 3
    local found = figures.parse(bench:script("bench/file_cold.lua", path,
        seconds, size, miss))
    return found.reads / found.seconds, found.cpu / found.reads * 1e6
end

return {
    name = "file_cold",
    what = "reads of what the page cache has not, by threads and direct",
    peers = { "its own direct reads" },
    run = function(bench)
        local path = bench:file("cold", 256)
        for _, kib in ipairs { 4, 16, 64, 256 } do
            local samples = figures.samples()
            bench:rounds(function()
                local round = {}
                for _, miss in ipairs { "thread", "direct" } do
                    round[miss], round[miss .. "_cpu"] = measure(bench, path,
                        kib * 1024, miss)
                end
                samples:add(round)
            end)
            bench.report:compare(samples, "thread", "direct", {
                what = string.format("cold %d KiB reads: a second, by threads "
                    .. "against direct", kib),
            })
            bench.report:compare(samples, "thread_cpu", "direct_cpu", {
                what = string.format("cold %d KiB reads: CPU us of one", kib),
            })
        end
    end,
}
