local figures = require "bench.lib.figures"
local proc = require "bench.lib.proc"
local servers = require "bench.lib.servers"

local IDLE = 15000
local WARM_UP, SECONDS, TURNS = 0.3, 0.4, 4

-- us of server CPU per request
local function load(bench, server, seconds)
    local before = server.process:cpu()
    local answer = figures.parse(bench:program("load", {
        core = bench.load_core, "-t", seconds, server.port,
    }))
    return (server.process:cpu() - before) / answer.requests * 1e6
end

-- Connects the idle ones; resident bytes that each added.
local function fill(bench, server)
    local empty = server.process:rss()
    local hold = proc.start {
        core = bench.load_core, bench:path("hold"), IDLE, server.port,
    }
    hold:line(60)
    return (server.process:rss() - empty) / IDLE, hold
end

-- One round on two fresh servers, only the second with idle connections, so
-- that the two loads can take turns.
local function round(bench, name)
    local list = servers.start(bench, { name, name })
    local empty, full = list[1], list[2]
    load(bench, empty, WARM_UP)
    load(bench, full, WARM_UP)
    local bytes, hold = fill(bench, full)
    local alone, beside = 0, 0
    local turns = bench.quick and 1 or TURNS
    for _ = 1, turns do
        alone = alone + load(bench, empty, SECONDS)
        beside = beside + load(bench, full, SECONDS)
    end
    hold:stop()
    servers.stop(list)
    return { bytes = bytes, alone = alone / turns, beside = beside / turns }
end

return {
    name = "idle",
    what = "memory of an idle connection, and load beside 15,000 of them",
    peers = { "C on epoll", "luv" },
    run = function(bench)
        local names = { "quoll", "core", "bare", "luv" }
        local samples = {}
        for _, name in ipairs(names) do
            samples[name] = figures.samples()
        end
        bench:rounds(function(i)
            for _, name in bench:rotate(names, i) do
                samples[name]:add(round(bench, name))
            end
        end)
        for i, name in ipairs(names) do
            bench.report:add {
                what = "idle: resident bytes a connection, " .. name,
                measured = samples[name]:median("bytes"),
                most = i == 1 and 1500 or nil,
            }
        end
        for i, name in ipairs(names) do
            bench.report:compare(samples[name], "beside", "alone", {
                what = "idle: CPU us beside 15,000, against alone, " .. name,
                most = i == 1 and 1.05 or nil,
            })
        end
    end,
}
