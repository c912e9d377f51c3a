-- Twenty routes; each answer tells the route, its parameters and a header.
local quoll = require "quoll"
local routes = require "bench.http.routes"

local router = quoll.http.router()
for i, route in ipairs(routes) do
    local prefix = "route " .. i .. " "
    local first, second = nil, nil
    for name in route[1]:gmatch ":(%w+)" do
        first, second = first or name, first and name
    end
    router:get(route[1], function(req)
        local params = req.params
        return prefix .. (first and params[first] or "") .. " "
            .. (second and params[second] or "") .. " "
            .. req:header("x-request-id")
    end)
end

local listener = assert(quoll.listen("127.0.0.1:0"))
print("listening on " .. listener:address())
io.stdout:flush()

quoll.http.serve(listener, router, { requests = math.huge })
