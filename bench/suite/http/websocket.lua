-- Messages that come back over WebSockets, beside node's ws.
local figures = require "bench.lib.figures"
local http = require "bench.lib.http"

local CONNECTIONS, SIZE = 64, 64
local OURS, PEER = "websocket", "node's ws"

-- us of server CPU per message, and messages a second.
local function measure(bench, server)
    local cpu = server.process:cpu()
    local found = figures.parse(bench:program("http/frames", {
        core = bench.load_core, server.port, CONNECTIONS, SIZE,
        bench.quick and 0.3 or http.seconds(bench),
    }))
    return (server.process:cpu() - cpu) / found.requests * 1e6,
        found.requests / found.seconds
end

return {
    name = "http_websocket",
    what = "WebSocket: server CPU of a message there and back, and node's",
    peers = { "node's ws" },
    run = function(bench)
        local list = http.start(bench, { OURS, PEER })
        local samples = figures.samples()
        for _, server in ipairs(list) do
            measure(bench, server)
        end
        bench:rounds(function(i)
            local round = {}
            for _, server in bench:rotate(list, i) do
                local name = server.name
                round[name], round[name .. " rate"] = measure(bench, server)
            end
            samples:add(round)
        end)
        http.row(bench, samples, OURS, PEER, {
            key = "websocket",
            what = "WebSocket, 64 B there and back: CPU us, against node's ws",
        })
        http.row(bench, samples, OURS .. " rate", PEER .. " rate", {
            what = "the same, messages a second",
        })
    end,
}
