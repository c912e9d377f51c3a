-- How long answers take at 70 % of the load that nginx can take.
local figures = require "bench.lib.figures"
local http = require "bench.lib.http"

local function ask(bench, server, rate)
    local args = { core = bench.load_core, "-c", 64,
        "-t", bench.quick and 0.5 or 2 }
    if rate then
        table.insert(args, "-r")
        table.insert(args, math.floor(rate))
    end
    table.insert(args, server.port)
    table.insert(args, "/hello")
    return figures.parse(bench:program("http/ask", args))
end

local function add(bench, samples, q)
    http.row(bench, samples, "quoll " .. q, "nginx " .. q, {
        what = ("hello at 70 %% of nginx's load: us, %s, against nginx")
            :format(q),
    })
end

return {
    name = "http_load",
    what = "HTTP: how long answers take at 70 % load, and nginx's",
    peers = { "nginx" },
    run = function(bench)
        local list = http.start(bench, { "nginx", "quoll" })
        local most = 0
        for _, server in ipairs(list) do
            local found = ask(bench, server)
            most = server.name == "nginx" and found.requests / found.seconds
                or most
        end
        local samples = figures.samples()
        bench:rounds(function(i)
            local round = {}
            for _, server in bench:rotate(list, i) do
                local found = ask(bench, server, most * 0.7)
                for _, q in ipairs { "p50", "p99", "p999" } do
                    round[server.name .. " " .. q] = found[q]
                end
            end
            samples:add(round)
        end)
        for _, q in ipairs { "p50", "p99", "p999" } do
            add(bench, samples, q)
        end
    end,
}
