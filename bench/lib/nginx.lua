-- nginx as one process of its own: no master, no configuration but ours. Its
-- table of connections is made when it starts.
local free_port = require "bench.lib.port"
local proc = require "bench.lib.proc"

local nginx = {}

local PROGRAM = "/usr/sbin/nginx" -- not in everybody's PATH on Debian

-- output_buffers: as large as what examples/file_server.lua reads at a time.
local CONFIGURATION = [[
$main
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
        $server
    }
}
]]

local count = 0 -- of those started: each has a folder

local function command(folder, libraries, ...)
    return {
        "env", "LD_LIBRARY_PATH=" .. (libraries or "/usr/lib"), PROGRAM, "-p",
        folder, "-c", folder .. "/nginx.conf", "-e", "stderr", ...
    }
end

-- Whether it takes the configuration; why not.
local function check(folder, libraries)
    local text = proc.run {
        "sh", "-c", '"$@" 2>&1 || true', "sh",
        unpack(command(folder, libraries, "-t")),
    }
    if text:find("test is successful", 1, true) then
        return true
    end
    return false, text:match("%[emerg%] %S+ ([^\n]*) in ")
        or text:match("%C*")
end

-- Once it listens it says what its process is.
local function wait_listening(folder, process)
    for _ = 1, 500 do
        local file = io.open(folder .. "/nginx.pid")
        local pid = file and file:read("*n")
        if file then
            file:close()
        end
        if pid == process.pid then
            return
        end
        proc.run { "sleep", "0.01" }
    end
    process:fail("does not listen")
end

-- Serves `root` with these directives in its http block; more: `listen`,
-- parameters of that directive, `server` and `main`, directives of these
-- blocks, `libraries`, where to look for shared objects. The process and its
-- port; nil and why.
function nginx.start(bench, root, directives, more)
    more = more or {}
    count = count + 1
    local folder, port = bench:folder() .. "/nginx-" .. count, free_port()
    proc.run { "mkdir", folder }
    local values = {
        folder = folder, root = root, port = port, directives = directives,
        listen = more.listen or "", server = more.server or "",
        main = more.main or "",
    }
    local file = assert(io.open(folder .. "/nginx.conf", "w"))
    assert(file:write((CONFIGURATION:gsub("%$(%l+)", values))))
    assert(file:close())
    local ok, why = check(folder, more.libraries)
    if not ok then
        return nil, why
    end
    local args = command(folder, more.libraries)
    args.core, args.name = bench.server_core, "nginx"
    local process = proc.start(args)
    wait_listening(folder, process)
    return process, port
end

return nginx
