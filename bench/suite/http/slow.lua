-- A normal client beside 10,000 that never finish a request's head.
local figures = require "bench.lib.figures"
local http = require "bench.lib.http"
local proc = require "bench.lib.proc"

local CONNECTIONS, INTERVAL = 10000, 2000 -- ms between bytes
local RATE = 2000 -- requests a second of the normal client
local WINDOWS = 6 -- of a second: less than what a head may take

-- us of the best of some windows: what else runs on the machine only adds.
local function ask(bench, server)
    local best = {}
    for _ = 1, bench.quick and 1 or WINDOWS do
        local found = figures.parse(bench:program("http/ask", {
            core = bench.load_core, "-c", 8, "-r", RATE,
            "-t", bench.quick and 0.5 or 1, server.port, "/hello",
        }))
        for _, q in ipairs { "p50", "p99" } do
            best[q] = math.min(best[q] or math.huge, found[q])
        end
    end
    return best
end

local function round(bench, name)
    local server = http.start(bench, { name })[1]
    ask(bench, server)
    local alone = ask(bench, server)
    local slow = proc.start {
        core = bench.load_core, bench:path("http/slow"),
        bench.quick and 500 or CONNECTIONS, INTERVAL, server.port,
    }
    slow:line(60)
    local beside = ask(bench, server)
    slow:stop()
    server.process:stop()
    return {
        alone = alone.p99, beside = beside.p99,
        ["alone p50"] = alone.p50, ["beside p50"] = beside.p50,
    }
end

return {
    name = "http_slow",
    what = "HTTP: an answer beside 10,000 connections of a slowloris",
    peers = { "itself without them" },
    run = function(bench)
        local samples = figures.samples()
        local bare = figures.samples()
        bench:rounds(function()
            samples:add(round(bench, "quoll"))
            bare:add(round(bench, "bare"))
        end)
        http.row(bench, samples, "beside", "alone", {
            key = "slow",
            what = "beside 10,000 slow heads: us, p99, against alone",
            most = 3,
        })
        http.row(bench, bare, "beside", "alone", {
            what = "the same, of bare C: the client's own noise",
        })
        http.row(bench, samples, "beside p50", "alone p50", {
            what = "the same, p50",
        })
    end,
}
