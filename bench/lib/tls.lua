-- What the benchmarks of TLS share: a certificate, the servers, handshakes.
local figures = require "bench.lib.figures"
local nginx = require "bench.lib.nginx"
local proc = require "bench.lib.proc"
local servers = require "bench.lib.servers"

local tls = {}

local DEPTH = 32 -- handshakes at a time
local NGINX = "ssl_protocols TLSv1.2 TLSv1.3; keepalive_timeout 3600;"
    .. "ssl_certificate $cert; ssl_certificate_key $key;"

-- A certificate on P-256 that signs itself, and a page.
function tls.prepare(bench)
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

-- nginx as servers.start gives them; nil and why.
local function start_nginx(bench)
    local process, port = nginx.start(bench, bench:folder(),
        NGINX:gsub("%$(%l+)", bench), { listen = "ssl backlog=511" })
    if not process then
        return nil, port
    end
    return { name = "nginx", process = process, port = port }
end

-- The servers to compare, in the order given; without nginx where it is not.
function tls.start(bench, names)
    local list = {}
    for _, name in ipairs(names) do
        if name ~= "nginx" then
            table.insert(list, servers.start(bench, { name })[1])
        else
            local server, why = start_nginx(bench)
            bench.skipped = why
            if not server then
                bench.report:skip(name, why)
            end
            table.insert(list, server)
        end
    end
    return list
end

-- us of server CPU per handshake, and handshakes a second, for ms.
function tls.shake(bench, server, ms)
    local before = server.process:cpu()
    local load = figures.parse(bench:program("tls/handshakes", {
        core = bench.load_core, server.port, ms, DEPTH,
    }))
    return (server.process:cpu() - before) / load.handshakes * 1e6,
        load.handshakes / load.seconds
end

return tls
