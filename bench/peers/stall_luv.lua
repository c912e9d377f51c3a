-- How late a 1 ms luv timer comes while 32 chains of fs_read read random
-- 64 KiB of a file.
-- usage: stall_luv.lua FILE SECONDS
local uv = require "luv"
local Lateness = require "bench.lib.lateness"

local BLOCK, CHAINS = 65536, 32
local path, seconds = arg[1], tonumber(arg[2])
local reads = 0

local function now()
    return uv.hrtime() / 1e9
end

local fd = assert(uv.fs_open(path, "r", 0))
local blocks = assert(uv.fs_fstat(fd)).size / BLOCK
local deadline = now() + seconds

local function read()
    local offset = math.random(0, blocks - 1) * BLOCK
    uv.fs_read(fd, BLOCK, offset, function(why, data)
        assert(data, why)
        reads = reads + 1
        if now() < deadline then
            read()
        end
    end)
end

for _ = 1, CHAINS do
    read()
end

local lateness = Lateness.new()
local ticker = uv.new_timer()
local start

local function arm()
    uv.update_time()
    start = now()
    ticker:start(Lateness.PERIOD * 1000, 0, function()
        lateness:tick(now() - start)
        if now() < deadline then
            arm()
        else
            ticker:close()
        end
    end)
end

arm()
uv.run()
lateness:print(reads)
