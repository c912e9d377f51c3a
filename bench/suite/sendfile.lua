local figures = require "bench.lib.figures"
local proc = require "bench.lib.proc"

-- CPU us of the server for each time it sends the file.
local function measure(bench, path, times, how)
    local server = proc.start(bench:command("bench/send_file.lua", path,
        times, how))
    local port = assert(server:line(10):match(":(%d+)$"))
    local client = bench:command("bench/peers/drain.lua", port)
    client.core = bench.load_core
    proc.run(client)
    return figures.parse(server:finish(30)).cpu_us
end

return {
    name = "sendfile",
    what = "a cached 1 MiB file over a connection, against pread and send",
    peers = { "its own pread and send" },
    run = function(bench)
        local path = bench:file("send", 1)
        local times = bench.quick and 100 or 2000
        local samples = figures.samples()
        bench:rounds(function()
            samples:add {
                sendfile = measure(bench, path, times, "sendfile"),
                send = measure(bench, path, times, "send"),
            }
        end)
        bench.report:compare(samples, "sendfile", "send", {
            what = "sendfile: CPU us for 1 MiB, against pread and send",
            most = 1, -- on loopback, where the pages are copied anyway
        })
    end,
}
