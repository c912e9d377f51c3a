-- Files that the page cache holds, beside nginx.
local http = require "bench.lib.http"

local SIZES = { -- name, KiB, connections
    { "4k", 4, 64 }, { "64k", 64, 64 }, { "1m", 1024, 16 },
}
local PEERS = { "nginx", "nginx, open_file_cache" }

local function make_files(bench)
    bench.root = bench:folder() .. "/www"
    require("bench.lib.proc").run { "mkdir", bench.root }
    for _, size in ipairs(SIZES) do
        local file = assert(io.open(bench.root .. "/" .. size[1] .. ".bin",
            "wb"))
        assert(file:write(("x"):rep(size[2] * 1024)))
        assert(file:close())
    end
end

local function compare(bench, list, size)
    local samples = http.compare(bench, list, {
        connections = size[3], path = "/" .. size[1] .. ".bin", "path",
    })
    for _, peer in ipairs(PEERS) do
        http.row(bench, samples, "static", peer, {
            key = peer == "nginx" and "static " .. size[1] or nil,
            what = ("file of %d KiB: CPU us, against %s"):format(size[2],
                peer),
            most = peer == "nginx" and 1 or nil,
        })
    end
end

return {
    name = "http_static",
    what = "HTTP: server CPU of hot files, and nginx's",
    peers = { "nginx" },
    run = function(bench)
        make_files(bench)
        local list = http.start(bench, { "static", PEERS[1],
            not bench.short and PEERS[2] or nil })
        for _, size in ipairs(SIZES) do
            compare(bench, list, size)
        end
        bench.root = nil
    end,
}
