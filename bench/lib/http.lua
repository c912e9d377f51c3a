-- What the benchmarks of HTTP share: the servers, wrk, rounds of them.
local figures = require "bench.lib.figures"
local free_port = require "bench.lib.port"
local nginx = require "bench.lib.nginx"
local nginx_lua = require "bench.lib.nginx_lua"
local proc = require "bench.lib.proc"

local http = {}

local PEERS = "/bench-peers" -- of the build: what bench/http/peers/fetch gets
local NGINX = 'location /hello { default_type "text/plain; charset=utf-8";'
    .. ' return 200 "Hello, world!"; }'
local H2O = [=[
num-threads: 1
listen: { host: 127.0.0.1, port: $port }
hosts:
  default:
    paths:
      /:
        mruby.handler: |
          Proc.new do |env|
            [200, {"content-type" => "text/plain; charset=utf-8"},
             ["Hello, world!"]]
          end
]=]

-- A program that prints where it listens.
local function own(args)
    return function(bench)
        local command = args(bench)
        command.core = bench.server_core
        local process = proc.start(command)
        local line = process:line(10)
        return process, assert(line:match("^listening on 127%.0%.0%.1:(%d+)$"),
            line)
    end
end

local function script(name)
    return own(function(bench)
        return bench:command(name, bench.root)
    end)
end

-- The folder of what has been fetched.
function http.peers(bench)
    local folder = proc.run { "pwd" }:match("%C+") .. "/" .. bench.build
        .. PEERS
    if not bench.fetched then
        proc.run { "bench/http/peers/fetch", folder, timeout = 120 }
        bench.fetched = true
    end
    return folder
end

local function answers(port)
    return pcall(proc.run, {
        "curl", "-s", "-o", "/dev/null", "http://127.0.0.1:" .. port .. "/",
    })
end

local function h2o(bench)
    local port, path = free_port(), bench:folder() .. "/h2o.conf"
    local file = assert(io.open(path, "w"))
    assert(file:write((H2O:gsub("%$port", port))))
    assert(file:close())
    local process = proc.start {
        core = bench.server_core, "sh", "-c", 'exec h2o -c "$0" 2>/dev/null',
        path, name = "h2o",
    }
    for _ = 1, 100 do
        if answers(port) then
            return process, port
        end
        proc.run { "sleep", "0.05" }
    end
    process:fail("does not listen")
end

local START = {
    bare = own(function(bench)
        return { bench:path("http/bare") }
    end),
    quoll = script "bench/http/hello.lua",
    ["quoll, constant"] = script "bench/http/constant.lua",
    json = script "bench/http/json.lua",
    router = script "bench/http/router.lua",
    static = script "bench/http/static.lua",
    websocket = script "bench/http/websocket.lua",
    nginx = function(bench)
        return nginx.start(bench, bench.root or bench:folder(),
            "sendfile on; tcp_nopush on;", { server = NGINX })
    end,
    ["nginx, open_file_cache"] = function(bench)
        return nginx.start(bench, bench.root, "sendfile on; tcp_nopush on;"
            .. "open_file_cache max=1000; open_file_cache_valid 60s;")
    end,
    ["nginx-Lua"] = function(bench)
        return nginx_lua.start(bench, http.peers(bench))
    end,
    h2o = h2o,
    node = own(function()
        return { "node", "bench/http/peers/node.js" }
    end),
    ["node's ws"] = own(function(bench)
        return { "node", "bench/http/peers/node_ws.js",
            http.peers(bench) .. "/ws" }
    end),
    ["lua-http"] = own(function()
        return { "luajit", "bench/http/peers/lua_http.lua" }
    end),
}

-- The servers that can be had, a list of { name, process, port }; of others
-- the report says why they cannot.
function http.start(bench, names)
    local list = {}
    for _, name in ipairs(names) do
        local ok, process, port = pcall(START[name], bench)
        if ok and process then
            table.insert(list, { name = name, process = process, port = port })
        else
            bench.report:skip(name, ok and port or process)
        end
    end
    return list
end

-- How long a load takes, seconds; whole ones, for wrk.
function http.seconds(bench)
    return (bench.quick or bench.short) and 1 or 2
end

-- us of server CPU per request, and what wrk saw; load: { connections, path,
-- words for bench/http/wrk.lua... }
function http.wrk(bench, server, load)
    local cpu = server.process:cpu()
    local found = figures.parse(proc.run {
        core = bench.load_core, "wrk", "-t1", "-c" .. load.connections,
        "-d" .. http.seconds(bench), "-s", "bench/http/wrk.lua",
        "http://127.0.0.1:" .. server.port .. load.path, "--", unpack(load),
    })
    assert(found.errors == 0, server.name .. ": answers with errors")
    return (server.process:cpu() - cpu) / found.requests * 1e6, found
end

-- Rounds of one load on all servers, after one that counts for nothing:
-- samples of CPU us ("NAME") and requests a second ("NAME rate").
function http.compare(bench, list, load)
    local samples = figures.samples()
    for _, server in ipairs(list) do
        http.wrk(bench, server, load)
    end
    bench:rounds(function(i)
        local round = {}
        for _, server in bench:rotate(list, i) do
            local cpu, found = http.wrk(bench, server, load)
            round[server.name] = cpu
            round[server.name .. " rate"] = found.requests / found.seconds
            round[server.name .. " per CPU second"] = 1e6 / cpu
        end
        samples:add(round)
    end)
    return samples
end

-- A row of the report: NAME's CPU beside another's, where both were there.
function http.row(bench, samples, name, against, row)
    local ok = samples.rounds[1][name] and samples.rounds[1][against]
    if ok then
        bench.report:compare(samples, name, against, row)
    end
end

return http
