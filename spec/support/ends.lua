-- ends.lua: raw socket pairs for specs of the runtime, connections on them,
-- and batches of events as epoll_wait would report them.
local helper = require "spec.helper"
local ffi, C, inject = helper.ffi, helper.C, helper.inject

local AF_UNIX, SOCK_STREAM = 1, 1
local SOCK_NONBLOCK, SOCK_CLOEXEC = 0x800, 0x80000

local ends = {
    IN = 1, PRI = 2, OUT = 4, ERR = 8, HUP = 0x10, RDHUP = 0x2000,
    EXCLUSIVE = 0x10000000, ONESHOT = 0x40000000, ET = 0x80000000,
    ADD = 1, DEL = 2, MOD = 3,
}

pcall(ffi.cdef,
    "int socketpair(int domain, int type, int protocol, int fds[2]);")
pcall(ffi.cdef, "int dup(int fd);")
pcall(ffi.cdef, "int shutdown(int fd, int how);")

-- Two nonblocking descriptors.
function ends.pair()
    local fds = ffi.new("int[2]")
    assert(ffi.C.socketpair(AF_UNIX,
        SOCK_STREAM + SOCK_NONBLOCK + SOCK_CLOEXEC, 0, fds) == 0)
    return fds[0], fds[1]
end

ends.close = ffi.C.close

function ends.write(fd, text)
    assert(tonumber(ffi.C.write(fd, text, #text)) == #text)
end

-- What there is to read now, "" at the end or when there is nothing.
function ends.drain(fd)
    local buf = ffi.new("char[65536]")
    local n = tonumber(ffi.C.read(fd, buf, 65536))
    return n > 0 and ffi.string(buf, n) or ""
end

local function handler(fn)
    return type(fn) == "function" and helper.handler(fn) or fn
end

-- A connection on fd with these handlers, which may be nil.
function ends.connection(loop, fd, on_read, on_write)
    local c = C.ql_get_connection(loop, fd)
    assert(c ~= nil)
    c.read.handler = handler(on_read)
    c.write.handler = handler(on_write)
    return c
end

-- A connection that is in the set for both edges, and its other end.
function ends.watched(loop, on_read, on_write)
    local a, b = ends.pair()
    local c = ends.connection(loop, a, on_read, on_write)
    assert(loop.ep ~= -1 or C.ql_loop_init(loop) == C.NGX_OK)
    assert(loop.actions.add_conn(loop, c) == C.NGX_OK)
    return c, b
end

-- The next epoll_wait reports { { c, events }, ... }.
function ends.report(list)
    local events = ffi.new("struct epoll_event[64]")
    for i, entry in ipairs(list) do
        events[i - 1].events = entry[2]
        events[i - 1].data.ptr =
            ffi.cast("char *", entry[1]) + entry[1].read.instance
    end
    inject.ql_inject_epoll_events(events, #list)
end

-- process_events alone; flags 0: handlers are called directly.
function ends.process(loop, flags, timer)
    return loop.actions.process_events(loop, timer or 0, flags or 0)
end

function ends.turn(loop)
    assert(C.ql_process_events_and_timers(loop, 0) == C.NGX_OK)
end

-- A table of system calls that keeps each epoll_ctl as { op, fd, events } in
-- the list it also returns.
function ends.recorder()
    local calls = {}
    local real = C.ql_sys_default.epoll_ctl
    local sys = ffi.new("ql_sys_t", C.ql_sys_default)
    sys.epoll_ctl = function(ep, op, fd, ee)
        local events = op ~= ends.DEL and ee.events or 0
        calls[#calls + 1] = { op, fd, events }
        return real(ep, op, fd, ee)
    end
    calls.sys = sys
    return sys, calls
end

return ends
