local figures = require "bench.lib.figures"
local servers = require "bench.lib.servers"

local CONNECTIONS, SIZE = 64, 64

-- us of server CPU per request, and the load generator's own view.
local function measure(bench, server)
    local before = server.process:cpu()
    local load = figures.parse(bench:program("load", {
        core = bench.load_core,
        "-c", CONNECTIONS, "-s", SIZE, "-t", bench.quick and 0.3 or 1.5,
        server.port,
    }))
    local cpu = server.process:cpu() - before
    return cpu / load.requests * 1e6, load
end

local function report(bench, samples, name, what, target)
    bench.report:compare(samples, name, "bare", {
        key = name == "quoll" and "echo" or nil,
        what = what,
        most = target,
    })
end

return {
    name = "echo",
    what = "server CPU of an echo request, 64 B, 64 connections",
    peers = { "a bare C epoll server", "luv" },
    run = function(bench)
        local all = servers.start(bench, { "bare", "core", "quoll", "luv" })
        local samples = figures.samples()
        for _, server in ipairs(all) do
            measure(bench, server)
        end
        bench:rounds(function(i)
            local round = {}
            for _, server in bench:rotate(all, i) do
                local cpu, load = measure(bench, server)
                round[server.name] = cpu
                round[server.name .. " p99"] = load.p99
            end
            samples:add(round)
        end)
        servers.stop(all)
        report(bench, samples, "quoll", "echo: CPU us, against bare C", 1.08)
        report(bench, samples, "core", "echo: the event core without Lua")
        report(bench, samples, "luv", "echo: luv, callbacks")
        bench.report:compare(samples, "quoll p99", "bare p99", {
            what = "echo: p99 us seen by the load, against bare C",
        })
    end,
}
