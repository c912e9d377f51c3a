-- What handlers do, beside nginx with its Lua module: JSON there and back, and
-- twenty routes with ten lines of head.
local http = require "bench.lib.http"

local function compare(bench, name, what)
    local list = http.start(bench, { name, "nginx-Lua", name == "json"
        and not bench.short and "node" or nil })
    local samples = http.compare(bench, list, {
        connections = 64, path = "/", name,
    })
    http.row(bench, samples, name, "nginx-Lua", {
        key = name, what = what .. ": CPU us, against nginx-Lua",
    })
    http.row(bench, samples, name, "node", {
        what = "the same, against node",
    })
end

return {
    name = "http_work",
    what = "HTTP: server CPU of JSON there and back, and of 20 routes",
    peers = { "nginx with its Lua module", "node" },
    run = function(bench)
        compare(bench, "json", "JSON there and back")
        compare(bench, "router", "20 routes, 10 lines of head")
    end,
}
