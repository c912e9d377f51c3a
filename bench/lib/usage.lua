-- What a process has used: time on the clock, time of the CPU, memory.
local ffi = require "ffi"

ffi.cdef [[
struct bench_timespec { long sec; long nsec; };
int clock_gettime(int clock, struct bench_timespec *ts);
int clock_getcpuclockid(int pid, int *clock);
struct bench_mallinfo {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks,
        fordblks, keepcost;
};
struct bench_mallinfo mallinfo2(void);
]]

local C = ffi.C
local CLOCK_MONOTONIC = 1

local usage = {}

local function clock(id)
    local ts = ffi.new("struct bench_timespec")
    assert(C.clock_gettime(id, ts) == 0, "clock_gettime")
    return tonumber(ts.sec) + tonumber(ts.nsec) / 1e9
end

-- Seconds on the monotonic clock.
function usage.now()
    return clock(CLOCK_MONOTONIC)
end

-- CPU seconds, user and system, of all threads of a process; 0: this one.
function usage.cpu(pid)
    local id = ffi.new("int[1]")
    assert(C.clock_getcpuclockid(pid or 0, id) == 0, "clock_getcpuclockid")
    return clock(id[0])
end

-- Resident bytes of a process (this one by default), counted page by page.
function usage.rss(pid)
    local path = "/proc/" .. (pid or "self") .. "/smaps_rollup"
    local file = assert(io.open(path))
    local kib = file:read("*a"):match("Rss:%s*(%d+) kB")
    file:close()
    return tonumber(kib) * 1024
end

local function field(pid, file, name)
    local source = assert(io.open("/proc/" .. pid .. "/" .. file))
    local value = source:read("*a"):match(name .. ":%s*(%d+)")
    source:close()
    return assert(tonumber(value), name)
end

-- The most that this process has had resident, KiB.
function usage.peak()
    return field("self", "status", "VmHWM")
end

-- Bytes that a process has had read from disks.
function usage.disk(pid)
    return field(pid, "io", "read_bytes")
end

-- Bytes this process holds after a full collection, Lua's and malloc's: what
-- it keeps, as opposed to what the allocators have not given back.
function usage.held()
    collectgarbage()
    collectgarbage()
    local info = C.mallinfo2()
    return collectgarbage "count" * 1024 + tonumber(info.uordblks)
        + tonumber(info.hblkhd)
end

return usage
