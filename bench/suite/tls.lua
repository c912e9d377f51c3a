-- TLS 1.3: handshakes beside nginx's, echoes beside the least that C with
-- OpenSSL does.
local figures = require "bench.lib.figures"
local servers = require "bench.lib.servers"
local tls = require "bench.lib.tls"

local ECHOES = { -- connections, bytes of a message
    { 64, 64, "64 B echo" },
    { 4, 1048576, "1 MiB there and back" },
}

local function handshakes(bench)
    local ms = bench.quick and 200 or 2000
    local samples = figures.samples()
    local list = tls.start(bench, { "tls", "nginx", "bare tls" })
    for _, server in ipairs(list) do
        tls.shake(bench, server, 100)
    end
    bench:rounds(function(i)
        local round = {}
        for _, server in bench:rotate(list, i) do
            local us, rate = tls.shake(bench, server, ms)
            round[server.name], round[server.name .. " rate"] = us, rate
            round[server.name .. " per CPU second"] = 1e6 / us
        end
        samples:add(round)
    end)
    servers.stop(list)
    return samples
end

local function report_handshakes(bench, samples)
    local peer = bench.skipped and "bare tls" or "nginx"
    bench.report:compare(samples, "tls per CPU second",
        peer .. " per CPU second", {
        what = "TLS 1.3 handshakes a CPU second, against "
            .. (bench.skipped and "C with OpenSSL" or "nginx"),
        least = not bench.skipped and 0.95 or nil,
    })
    bench.report:compare(samples, "tls", "bare tls", {
        key = "tls handshake",
        what = "the same, CPU us each, against C with OpenSSL",
    })
end

-- us of server CPU per message.
local function exchange(bench, server, connections, size)
    local before = server.process:cpu()
    local load = figures.parse(bench:program("tls/exchange", {
        core = bench.load_core, server.port, bench.quick and 200 or 1000,
        connections, size,
    }))
    return (server.process:cpu() - before) / load.requests * 1e6
end

local function echoes(bench, connections, size, what)
    local samples = figures.samples()
    local list = tls.start(bench, { "tls", "bare tls" })
    for _, server in ipairs(list) do
        exchange(bench, server, connections, size)
    end
    bench:rounds(function(i)
        local round = {}
        for _, server in bench:rotate(list, i) do
            round[server.name] = exchange(bench, server, connections, size)
        end
        samples:add(round)
    end)
    servers.stop(list)
    bench.report:compare(samples, "tls", "bare tls", {
        what = "TLS, " .. what .. ": CPU us, against C with OpenSSL",
    })
end

return {
    name = "tls",
    what = "TLS: server CPU of handshakes, and nginx's, and of echoes",
    peers = { "nginx", "C with OpenSSL" },
    run = function(bench)
        tls.prepare(bench)
        report_handshakes(bench, handshakes(bench))
        for _, echo in ipairs(ECHOES) do
            echoes(bench, unpack(echo))
        end
    end,
}
