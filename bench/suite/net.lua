-- TCP through tasks: echo, pipelined echo, connections that come and go, and a
-- relay; each beside the least that C does.
local ffi = require "ffi"
local figures = require "bench.lib.figures"
local proc = require "bench.lib.proc"
local servers = require "bench.lib.servers"

pcall(ffi.cdef, "long write(int fd, const void *buf, size_t size);")

local CONNECTIONS, SIZE, DEPTH = 64, 64, 16

-- us of server CPU per message, `depth` of them under way a connection.
local function echo(bench, server, depth)
    local before = server.process:cpu()
    local load = figures.parse(bench:program("load", {
        core = bench.load_core, "-c", CONNECTIONS, "-s", SIZE, "-d", depth,
        "-t", bench.quick and 0.3 or 1, server.port,
    }))
    return (server.process:cpu() - before) / load.requests * 1e6
end

-- us of server CPU per connection, and connections a second.
local function accept(bench, server)
    local before = server.process:cpu()
    local load = figures.parse(bench:program("connects", {
        core = bench.load_core, server.port, bench.quick and 0.3 or 1, 32,
    }))
    return (server.process:cpu() - before) / load.connects * 1e6,
        load.connects / load.seconds
end

-- ms of server CPU per GiB.
local function relay(bench, server, pour)
    local mib = bench.quick and 64 or 1024
    local before = server.process:cpu()
    local line = server.port .. " " .. mib .. "\n"
    assert(ffi.C.write(pour.input, line, #line) == #line)
    assert(pour:line(30):find("bytes"))
    return (server.process:cpu() - before) * 1024 / mib * 1e3
end

local function compare(bench, names, measure)
    local samples = figures.samples()
    local all = servers.start(bench, names)
    for _, server in ipairs(all) do
        measure(server)
    end
    bench:rounds(function(i)
        local round = {}
        for _, server in bench:rotate(all, i) do
            round[server.name], round[server.name .. " rate"] = measure(server)
        end
        samples:add(round)
    end)
    servers.stop(all)
    return samples
end

local function add(bench, samples, name, against, what, most, key)
    bench.report:compare(samples, name, against, {
        key = key,
        what = what,
        most = most,
    })
end

local function echoes(bench)
    local samples = compare(bench, { "bare", "quoll" }, function(server)
        return echo(bench, server, 1)
    end)
    add(bench, samples, "quoll", "bare", "echo: CPU us, against bare C", 1.05,
        "net echo")
    samples = compare(bench, { "bare", "quoll", "messages" }, function(server)
        return echo(bench, server, DEPTH)
    end)
    add(bench, samples, "quoll", "bare",
        "pipelined echo, 16 of 64 B: CPU us a message", 1.3, "net pipelined")
    add(bench, samples, "messages", "bare",
        "the same, message by message, corked")
end

local function accepts(bench)
    local samples = compare(bench, { "bare accept", "accept" },
        function(server)
            return accept(bench, server)
        end)
    add(bench, samples, "accept", "bare accept",
        "connect and close: CPU us, against bare C", nil, "net accept")
    bench.report:compare(samples, "accept rate", "bare accept rate", {
        what = "connect and close: a second, against bare C",
        least = 0.9,
    })
end

local function relays(bench)
    local pour = proc.start { core = bench.load_core, bench:path("pour") }
    bench.sink = pour:line(10):match(":(%d+)$")
    local samples = compare(bench, { "bare relay", "relay" }, function(server)
        return relay(bench, server, pour)
    end)
    pour:stop()
    add(bench, samples, "relay", "bare relay",
        "relay of 1 GiB: CPU ms, against bare C", 1.15, "net relay")
end

return {
    name = "net",
    what = "server CPU of echo, pipelined echo, connect and close, a relay",
    peers = { "C on epoll" },
    run = function(bench)
        echoes(bench)
        accepts(bench)
        relays(bench)
    end,
}
