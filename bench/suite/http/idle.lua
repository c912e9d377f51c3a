-- Memory of connections that are kept alive, beside nginx's.
local figures = require "bench.lib.figures"
local http = require "bench.lib.http"
local proc = require "bench.lib.proc"

local IDLE = 15000

-- Resident bytes that each adds to a fresh server that has answered before.
local function idle(bench, name)
    local server = http.start(bench, { name })[1]
    if not server then
        return nil
    end
    local n = bench.quick and 1000 or IDLE
    bench:program("http/ask", { "-n", 2000, server.port, "/hello" })
    local empty = server.process:rss()
    local hold = proc.start {
        core = bench.load_core, bench:path("hold"), n, server.port, "/hello",
    }
    hold:line(60)
    local bytes = (server.process:rss() - empty) / n
    hold:stop()
    server.process:stop()
    return bytes
end

return {
    name = "http_idle",
    what = "HTTP: memory of a connection that is kept alive, and nginx's",
    peers = { "nginx" },
    run = function(bench)
        local samples = figures.samples()
        bench:rounds(function()
            samples:add {
                quoll = idle(bench, "quoll"), nginx = idle(bench, "nginx"),
            }
        end)
        bench.report:add {
            key = "idle", what = "kept alive and idle: bytes a connection",
            measured = samples:median("quoll"), most = 1500,
        }
        http.row(bench, samples, "quoll", "nginx", {
            what = "the same, against nginx",
        })
    end,
}
