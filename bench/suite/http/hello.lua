-- The smallest answer of a Lua handler, one at a time and pipelined, beside a
-- server in C that parses nothing. "quoll" looks at the request's path; a
-- handler that takes no request has a row of its own.
local http = require "bench.lib.http"

local DEPTH = 16
local CONSTANT = "quoll, constant"
local CORE = { "bare", "quoll", CONSTANT, "nginx-Lua" } -- these are judged
local ALL = {
    "bare", "quoll", CONSTANT, "nginx-Lua", "nginx", "h2o", "node", "lua-http",
}

local function one_by_one(bench, list)
    local samples = http.compare(bench, list, {
        connections = 64, path = "/hello", "hello",
    })
    http.row(bench, samples, "quoll", "bare", {
        key = "hello", what = "hello: CPU us, against bare C", most = 1.05,
    })
    for _, name in ipairs(ALL) do
        if name ~= "bare" and not name:find "^quoll" then
            http.row(bench, samples, "quoll", name, {
                key = name == "nginx-Lua" and "hello nginx-Lua" or nil,
                what = "the same, against " .. name,
            })
        end
    end
    http.row(bench, samples, CONSTANT, "bare", {
        key = "constant", what = "request not taken: CPU us, against bare C",
    })
end

local function pipelined(bench, list)
    local samples = http.compare(bench, list, {
        connections = 64, path = "/hello", "hello", DEPTH,
    })
    http.row(bench, samples, "quoll", "bare", {
        key = "pipelined", most = 1.35,
        what = "hello, 16 at a time: CPU us, against bare C",
    })
    if samples.rounds[1]["nginx-Lua"] then
        bench.report:compare(samples, "quoll per CPU second",
            "nginx-Lua per CPU second", {
            what = "the same, requests a CPU second, against nginx-Lua",
            least = 10,
        })
    end
    http.row(bench, samples, CONSTANT, "bare", {
        key = "constant pipelined",
        what = "request not taken, 16 at a time: CPU us, against bare C",
    })
end

return {
    name = "http_hello",
    what = "HTTP: server CPU of an answer by a Lua handler",
    peers = {
        "a bare C epoll server", "nginx with its Lua module", "nginx", "h2o",
        "node", "lua-http",
    },
    run = function(bench)
        local list = http.start(bench, bench.short and CORE or ALL)
        one_by_one(bench, list)
        pipelined(bench, list)
    end,
}
