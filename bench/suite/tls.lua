-- TLS 1.3: handshakes and idle connections beside nginx's, echoes beside the
-- least that C with OpenSSL does.
local figures = require "bench.lib.figures"
local nginx = require "bench.lib.nginx"
local proc = require "bench.lib.proc"
local servers = require "bench.lib.servers"

local DEPTH = 32 -- handshakes at a time
local IDLE = 15000
local ECHOES = { -- connections, bytes of a message
    { 64, 64, "64 B echo" },
    { 4, 1048576, "1 MiB there and back" },
}
local NGINX = "ssl_protocols TLSv1.2 TLSv1.3; keepalive_timeout 3600;"
    .. "ssl_certificate $cert; ssl_certificate_key $key;"

-- A certificate on P-256 that signs itself, and a page.
local function make_files(bench)
    local folder = bench:folder()
    bench.cert, bench.key = folder .. "/cert.pem", folder .. "/cert.key"
    proc.run {
        "sh", "-c", '"$@" 2>/dev/null', "sh", "openssl", "req", "-x509",
        "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-subj", "/CN=localhost", "-keyout", bench.key, "-out", bench.cert,
    }
    local page = assert(io.open(folder .. "/index.html", "w"))
    assert(page:write("x"))
    assert(page:close())
end

local function shake(bench, server, ms)
    local before = server.process:cpu()
    local load = figures.parse(bench:program("tls/handshakes", {
        core = bench.load_core, server.port, ms, DEPTH,
    }))
    return (server.process:cpu() - before) / load.handshakes * 1e6,
        load.handshakes / load.seconds
end

-- Once nginx listens it says what its process is.
local function listens(bench, process)
    local file = io.open(bench:folder() .. "/nginx.pid")
    local pid = file and file:read("*n")
    if file then
        file:close()
    end
    return pid == process.pid
end

-- nginx as servers.start gives them, listening; nil and why.
local function start_nginx(bench)
    local process, port = nginx.start(bench, bench:folder(),
        NGINX:gsub("%$(%l+)", bench), "ssl backlog=511")
    if not process then
        return nil, port
    end
    for _ = 1, 500 do
        if listens(bench, process) then
            return { name = "nginx", process = process, port = port }
        end
        proc.run { "sleep", "0.01" }
    end
    process:fail("does not listen")
end

-- The servers to compare, in the order given; without nginx where it is not.
local function start(bench, names)
    local list = {}
    for _, name in ipairs(names) do
        if name ~= "nginx" then
            table.insert(list, servers.start(bench, { name })[1])
        else
            local server, why = start_nginx(bench)
            bench.skipped = why
            table.insert(list, server)
        end
    end
    return list
end

local function handshakes(bench)
    local samples = figures.samples()
    local list = start(bench, { "tls", "nginx", "bare tls" })
    for _, server in ipairs(list) do
        shake(bench, server, 100)
    end
    bench:rounds(function(i)
        local round = {}
        for _, server in bench:rotate(list, i) do
            local us, rate = shake(bench, server, bench.quick and 200 or 2000)
            round[server.name], round[server.name .. " rate"] = us, rate
            round[server.name .. " per CPU second"] = 1e6 / us
        end
        samples:add(round)
    end)
    servers.stop(list)
    return samples
end

local function report_handshakes(bench, samples)
    local peer = bench.skipped and "bare tls" or "nginx"
    bench.report:add {
        what = "TLS 1.3 handshakes a CPU second, against "
            .. (bench.skipped and "C with OpenSSL" or "nginx"),
        measured = samples:median("tls per CPU second"),
        against = samples:median(peer .. " per CPU second"),
        ratio = samples:ratio("tls per CPU second", peer .. " per CPU second"),
        least = not bench.skipped and 0.95 or nil,
    }
    bench.report:add {
        what = "the same, CPU us each, against C with OpenSSL",
        measured = samples:median("tls"),
        against = samples:median("bare tls"),
        ratio = samples:ratio("tls", "bare tls"),
    }
end

-- Resident bytes that each idle connection adds to a fresh server.
local function idle(bench, name)
    local server = start(bench, { name })[1]
    if not server then
        return nil
    end
    shake(bench, server, 100)
    local n = bench.quick and 500 or IDLE
    local empty = server.process:rss()
    local hold = proc.start {
        core = bench.load_core, bench:path("tls/hold"), n, server.port,
    }
    hold:line(120)
    local bytes = (server.process:rss() - empty) / n
    hold:stop()
    server.process:stop()
    return bytes
end

local function idles(bench)
    local samples = figures.samples()
    for _ = 1, bench.quick and 1 or math.min(bench.runs, 3) do
        samples:add {
            tls = idle(bench, "tls"), nginx = idle(bench, "nginx"),
            ["bare tls"] = idle(bench, "bare tls"),
        }
    end
    local peer = bench.skipped and "bare tls" or "nginx"
    bench.report:add {
        what = "idle connection with TLS, bytes, against "
            .. (bench.skipped and "C with OpenSSL" or "nginx"),
        measured = samples:median("tls"),
        against = samples:median(peer),
        ratio = samples:ratio("tls", peer),
    }
    return samples
end

-- us of server CPU per message.
local function exchange(bench, server, connections, size)
    local before = server.process:cpu()
    local load = figures.parse(bench:program("tls/exchange", {
        core = bench.load_core, server.port, bench.quick and 200 or 1000,
        connections, size,
    }))
    return (server.process:cpu() - before) / load.requests * 1e6
end

local function echoes(bench, connections, size, what)
    local samples = figures.samples()
    local list = start(bench, { "tls", "bare tls" })
    for _, server in ipairs(list) do
        exchange(bench, server, connections, size)
    end
    bench:rounds(function(i)
        local round = {}
        for _, server in bench:rotate(list, i) do
            round[server.name] = exchange(bench, server, connections, size)
        end
        samples:add(round)
    end)
    servers.stop(list)
    bench.report:add {
        what = "TLS, " .. what .. ": CPU us, against C with OpenSSL",
        measured = samples:median("tls"),
        against = samples:median("bare tls"),
        ratio = samples:ratio("tls", "bare tls"),
    }
end

return {
    name = "tls",
    what = "TLS: CPU of handshakes and echoes, memory of idle connections",
    run = function(bench)
        make_files(bench)
        report_handshakes(bench, handshakes(bench))
        for _, echo in ipairs(ECHOES) do
            echoes(bench, unpack(echo))
        end
        idles(bench)
    end,
}
