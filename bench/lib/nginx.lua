-- nginx as one process of its own: no master, no configuration but ours. Its
-- table of connections is made when it starts.
local free_port = require "bench.lib.port"
local proc = require "bench.lib.proc"

local nginx = {}

local PROGRAM = "/usr/sbin/nginx" -- not in everybody's PATH on Debian

-- output_buffers: as large as what examples/file_server.lua reads at a time.
local CONFIGURATION = [[
daemon off;
master_process off;
pid $folder/nginx.pid;
error_log stderr;
events { worker_connections 16384; }
http {
    access_log off;
    client_body_temp_path $folder/nginx-body;
    proxy_temp_path $folder/nginx-proxy;
    fastcgi_temp_path $folder/nginx-fastcgi;
    uwsgi_temp_path $folder/nginx-uwsgi;
    scgi_temp_path $folder/nginx-scgi;
    keepalive_requests 1000000000;
    output_buffers 2 128k;
    $directives
    server {
        listen 127.0.0.1:$port $listen;
        root $root;
    }
}
]]

local function command(folder, ...)
    return {
        PROGRAM, "-p", folder, "-c", folder .. "/nginx.conf", "-e", "stderr",
        ...
    }
end

-- Whether it takes the configuration; why not.
local function check(folder)
    local text = proc.run {
        "sh", "-c", '"$@" 2>&1 || true', "sh", unpack(command(folder, "-t")),
    }
    if text:find("test is successful", 1, true) then
        return true
    end
    return false, text:match("%[emerg%] %S+ ([^\n]*) in ")
        or text:match("%C*")
end

-- Serves `root` with these directives, and parameters of its `listen`; the
-- process and its port, which may not listen yet; nil and why.
function nginx.start(bench, root, directives, listen)
    local folder, port = bench:folder(), free_port()
    local values = {
        folder = folder, root = root, port = port, directives = directives,
        listen = listen or "",
    }
    local file = assert(io.open(folder .. "/nginx.conf", "w"))
    assert(file:write((CONFIGURATION:gsub("%$(%l+)", values))))
    assert(file:close())
    local ok, why = check(folder)
    if not ok then
        return nil, why
    end
    local args = command(folder)
    args.core, args.name = bench.server_core, "nginx"
    return proc.start(args), port
end

return nginx
