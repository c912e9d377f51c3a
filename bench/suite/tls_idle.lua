-- Memory of idle connections with TLS, beside nginx's.
local figures = require "bench.lib.figures"
local proc = require "bench.lib.proc"
local tls = require "bench.lib.tls"

local IDLE = 15000

-- Resident bytes that each idle connection adds to a fresh server.
local function idle(bench, name)
    local server = tls.start(bench, { name })[1]
    if not server then
        return nil
    end
    tls.shake(bench, server, 100)
    local n = bench.quick and 500 or IDLE
    local empty = server.process:rss()
    local hold = proc.start {
        core = bench.load_core, bench:path("tls/hold"), n, server.port,
    }
    hold:line(120)
    local bytes = (server.process:rss() - empty) / n
    hold:stop()
    server.process:stop()
    return bytes
end

local function idles(bench)
    local samples = figures.samples()
    bench:rounds(function()
        samples:add {
            tls = idle(bench, "tls"), nginx = idle(bench, "nginx"),
            ["bare tls"] = idle(bench, "bare tls"),
        }
    end)
    local peer = bench.skipped and "bare tls" or "nginx"
    bench.report:compare(samples, "tls", peer, {
        what = "idle connection with TLS, bytes, against "
            .. (bench.skipped and "C with OpenSSL" or "nginx"),
    })
    bench.report:add {
        what = "the same of C with OpenSSL",
        measured = samples:median("bare tls"),
    }
end

return {
    name = "tls_idle",
    what = "TLS: memory of an idle connection, and nginx's",
    peers = { "nginx", "C with OpenSSL" },
    run = function(bench)
        tls.prepare(bench)
        idles(bench)
    end,
}
