local figures = require "bench.lib.figures"
local nginx = require "bench.lib.nginx"
local proc = require "bench.lib.proc"
local usage = require "bench.lib.usage"

local DOWNLOADS, MIB_EACH = 32, 16

local function quoll(bench, root)
    local process = proc.start(bench:command("examples/file_server.lua",
        "127.0.0.1:0", root))
    local line = process:line(10)
    return process, assert(line:match("^listening on 127%.0%.0%.1:(%d+)$"),
        line)
end

local function with(directives)
    return function(bench, root)
        return nginx.start(bench, root, directives)
    end
end

local OURS = "quoll's file_server.lua"
-- Through the page cache too; with directio nothing is left in it.
local PEER = "nginx, aio threads and sendfile"
local SERVERS = {
    { name = OURS .. ", no downloads", start = quoll, downloads = 0 },
    { name = OURS, start = quoll },
    { name = PEER,
        start = with "sendfile on; aio threads;" },
    { name = "nginx, aio threads and directio",
        start = with "aio threads; directio 512;" },
    { name = "nginx, aio on and directio",
        start = with "aio on; directio 512;" },
    { name = "nginx, sendfile that blocks",
        start = with "sendfile on;" },
}

-- A folder of what fetch asks for.
local function make_files(bench)
    for i = 0, DOWNLOADS - 1 do
        bench:file("cold-" .. i, MIB_EACH)
    end
    local hot = assert(io.open(bench:folder() .. "/hot", "w"))
    assert(hot:write(("x"):rep(100)))
    assert(hot:close())
    return bench:folder()
end

-- The figures of a fresh server; nil and why.
local function measure(bench, server, root)
    local process, port = server.start(bench, root)
    if not process then
        return nil, port
    end
    local disk, cpu = usage.disk(process.pid), process:cpu()
    local found = figures.parse(bench:program("fetch", {
        core = bench.load_core,
        server.downloads or DOWNLOADS, bench.quick and 1 or 4, port, root,
    }))
    found.rate = found.mib / found.seconds
    found.cpu = (process:cpu() - cpu) / found.elapsed * 100
    found.cold = (usage.disk(process.pid) - disk) / 1048576
        / math.max(found.all, 1) * 100
    process:stop()
    return found
end

local function compare(bench, all, samples)
    if samples[PEER] then
        bench.report:compare(all, OURS, PEER, {
            what = "stall_http: us, p99.9, against " .. PEER,
        })
    end
end

local function report(bench, server, mine, why)
    if not mine then
        bench.report:skip(server.name, why)
        return
    end
    bench.report:add {
        what = ("stall_http: us, p99.9, %s, %.0f MiB/s, %.0f %% cold, CPU"
            .. " %.0f %% (p50 %.0f, p99 %.0f, max %.0f)"):format(server.name,
            mine:median("rate"), mine:median("cold"), mine:median("cpu"),
            mine:median("p50"), mine:median("p99"), mine:median("max")),
        measured = mine:median("p999"),
    }
end

return {
    name = "stall_http",
    what = "an answer of 100 B beside 32 downloads of cold files, and nginx's",
    peers = { "nginx" },
    run = function(bench)
        local root = make_files(bench)
        local all, samples, skipped = figures.samples(), {}, {}
        bench:rounds(function(i)
            local round = {}
            for _, server in bench:rotate(SERVERS, i) do
                local name = server.name
                local found, why = measure(bench, server, root)
                if found then
                    samples[name] = samples[name] or figures.samples()
                    samples[name]:add(found)
                    round[name] = found.p999
                end
                skipped[name] = why
            end
            all:add(round)
        end)
        compare(bench, all, samples)
        for _, server in ipairs(SERVERS) do
            report(bench, server, samples[server.name], skipped[server.name])
        end
    end,
}
