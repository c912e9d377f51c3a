-- The servers, started on the server's core.
local proc = require "bench.lib.proc"

local servers = {}

local COMMANDS = {
    bare = function(bench)
        return { core = bench.server_core, bench:path("echo_bare") }
    end,
    core = function(bench)
        return { core = bench.server_core, bench:path("echo_core") }
    end,
    quoll = function(bench)
        return bench:command("bench/echo.lua")
    end,
    luv = function(bench)
        return bench:command("bench/peers/echo_luv.lua")
    end,
    messages = function(bench)
        return bench:command("bench/net_messages.lua", 64)
    end,
    accept = function(bench)
        return bench:command("bench/net_accept.lua")
    end,
    ["bare accept"] = function(bench)
        return { core = bench.server_core, bench:path("accept_bare") }
    end,
    relay = function(bench) -- to bench.sink, a port
        return bench:command("bench/net_relay.lua", bench.sink)
    end,
    ["bare relay"] = function(bench)
        return { core = bench.server_core, bench:path("relay_bare"),
            bench.sink }
    end,
    tls = function(bench)
        return bench:command("bench/tls_echo.lua", bench.cert, bench.key)
    end,
    ["bare tls"] = function(bench)
        return { core = bench.server_core, bench:path("tls/echo_bare"),
            bench.cert, bench.key }
    end,
}

-- A list of { name, process, port }.
function servers.start(bench, names)
    local list = {}
    for i, name in ipairs(names) do
        local process = proc.start(COMMANDS[name](bench))
        local line = process:line(10)
        local port = line:match("^listening on 127%.0%.0%.1:(%d+)$")
        list[i] = { name = name, process = process, port = assert(port, line) }
    end
    return list
end

function servers.stop(list)
    for _, server in ipairs(list) do
        server.process:stop()
    end
end

return servers
