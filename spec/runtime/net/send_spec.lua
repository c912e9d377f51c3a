local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, calls = helper.forked, sockets.calls

local exact = helper.injected and pending or it
local IOV_MAX, SIGPIPE = 1024, 13
local MSG_NOSIGNAL, MSG_MORE = 0x4000, 0x8000

pcall(ffi.cdef, "void (*signal(int signo, void (*handler)(int)))(int);")

local function watched(ours)
    local loop = helper.loop({}, inject.ql_inject_new(nil))
    return loop, sockets.wrap(loop, ours)
end

local function finish(c, ...)
    C.ql_close_connection(c)
    for _, fd in ipairs { ... } do
        ffi.C.close(fd)
    end
end

local function send(c, data)
    return tonumber(c.io.send(c, data, #data))
end

local function chain(c, parts)
    return tonumber(c.io.send_chain(c, sockets.iovec(parts), #parts))
end

-- Sends until there is an error; the bytes sent.
local function send_until_error(loop, c, data)
    for _ = 1, 1000 do
        local n, rc = sockets.send(loop, c, data)
        if not n then
            return rc
        end
    end
    error("no error after 1000 sends")
end

local function fill(c)
    local data, sent = ("x"):rep(65536), 0
    while true do
        local n = send(c, data)
        if n < 0 then
            assert.equal(C.NGX_AGAIN, n)
            return sent
        end
        sent = sent + n
    end
end

describe("send", function()
    it("tells the kernel when more follows at once", forked(function()
        local flags = {}
        local sys = ffi.new("ql_sys_t", inject.ql_inject_new(nil)[0])
        sys.send = function(_, _, size, given)
            flags[#flags + 1] = given
            return size
        end
        local ours, theirs = sockets.tcp()
        local loop = helper.loop({}, sys)
        local c = sockets.wrap(loop, ours)
        c.more = 1
        assert.equal(4, send(c, "head"))
        c.more = 0
        assert.equal(4, send(c, "body"))
        assert.same({ MSG_NOSIGNAL + MSG_MORE, MSG_NOSIGNAL }, flags)
        finish(c, theirs)
    end))

    it("sends", forked(function()
        local ours, theirs = sockets.tcp()
        local loop, c = watched(ours)
        assert.equal(5, sockets.send(loop, c, "hello"))
        assert.equal("hello", sockets.read_all(theirs, 5))
        finish(c, theirs)
    end))

    exact("needs no event before the first attempt", forked(function()
        local ours, theirs = sockets.tcp()
        local _, c = watched(ours)
        assert.equal(2, send(c, "hi"))
        assert.same({ 1, 0 }, { calls("send"), calls("epoll_ctl") })
        finish(c, theirs)
    end))

    exact("after a short write is AGAIN without a system call",
        forked(function()
            local ours, theirs = sockets.pair()
            local loop, c = watched(ours)
            sockets.await(loop, c.write)
            fill(c)
            assert.equal(0, c.write.ready)
            local before = calls("send")
            assert.equal(C.NGX_AGAIN, send(c, "x"))
            assert.equal(before, calls("send"))
            finish(c, theirs)
        end))

    it("goes on when there is room again", forked(function()
        local ours, theirs = sockets.pair()
        local loop, c = watched(ours)
        sockets.await(loop, c.write)
        local sent = helper.injected and send(c, "x") * 0 or fill(c)
        helper.run_until(loop, function()
            if sent > 0 then
                sent = sent - #sockets.read(theirs, 65536)
            end
            return sent == 0
        end)
        assert.equal(5, sockets.send(loop, c, "again"))
        finish(c, theirs)
    end))

    exact("delivers two megabytes in order", forked(function()
        local ours, theirs = sockets.tcp()
        local loop, c = watched(ours)
        local parts = {}
        for i = 1, 2 ^ 18 do
            parts[i] = ("%08d"):format(i)
        end
        local data, got, sent = table.concat(parts), {}, 0
        while sent < #data do
            local n = tonumber(c.io.send(c,
                ffi.cast("const char *", data) + sent, #data - sent))
            if n == C.NGX_AGAIN then
                got[#got + 1] = sockets.read(theirs, 300000)
                C.ql_handle_write_event(c.write)
                C.ql_process_events_and_timers(loop, 0)
            else
                sent = sent + n
            end
        end
        got = table.concat(got)
        got = got .. sockets.read_all(theirs, #data - #got)
        assert.is_true(got == data)
        finish(c, theirs)
    end))

    it("gives the same bytes one at a time, EAGAIN before each",
        forked(function()
            local ours, theirs = sockets.tcp()
            local loop, c = watched(ours)
            local data = ("storm "):rep(100)
            inject.ql_inject_one_byte(1)
            assert.equal(#data, sockets.send(loop, c, data))
            inject.ql_inject_one_byte(0)
            assert.equal(data, sockets.read_all(theirs, #data))
            finish(c, theirs)
        end))

    it("retries EINTR", forked(function()
        local ours, theirs = sockets.tcp()
        local loop, c = watched(ours)
        inject.ql_inject_fail("send", ours, 1, 2, errno.EINTR)
        assert.equal(1, sockets.send(loop, c, "x"))
        assert.equal("x", sockets.read_all(theirs, 1))
        finish(c, theirs)
    end))

    exact("of nothing is nothing", forked(function()
        local ours, theirs = sockets.tcp()
        local loop, c = watched(ours)
        sockets.await(loop, c.write)
        assert.equal(0, send(c, ""))
        assert.equal(1, c.write.ready)
        finish(c, theirs)
    end))
end)

describe("a send that fails", function()
    it("after the peer has gone: EPIPE, no SIGPIPE", forked(function()
        ffi.C.signal(SIGPIPE, nil)
        local ours, theirs = sockets.pair()
        local loop, c = watched(ours)
        ffi.C.close(theirs)
        assert.equal(C.NGX_ERROR, send_until_error(loop, c, "x"))
        assert.same({ errno.EPIPE, 1 }, { c.err, c.write.error })
        assert.equal(C.NGX_ERROR, send_until_error(loop, c, "x"))
        assert.equal(errno.EPIPE, c.err)
        assert.equal(0, #helper.log())
        finish(c)
    end))

    it("in a chain: EPIPE, no SIGPIPE", forked(function()
        ffi.C.signal(SIGPIPE, nil)
        local ours, theirs = sockets.pair()
        local loop, c = watched(ours)
        ffi.C.close(theirs)
        local n = chain(c, { "x", "y" })
        while n == C.NGX_AGAIN do
            sockets.await(loop, c.write)
            n = chain(c, { "x", "y" })
        end
        assert.same({ C.NGX_ERROR, errno.EPIPE }, { n, c.err })
        finish(c)
    end))

    it("because the peer has reset in mid-write", forked(function()
        ffi.C.signal(SIGPIPE, nil)
        local ours, theirs = sockets.tcp()
        local loop, c = watched(ours)
        assert.equal(4, sockets.send(loop, c, "head"))
        sockets.read_all(theirs, 4)
        sockets.reset(theirs)
        assert.equal(C.NGX_ERROR, send_until_error(loop, c, "body"))
        assert.is_true(c.err == errno.ECONNRESET or c.err == errno.EPIPE)
        finish(c)
    end))

    it("tells both directions of a reset", forked(function()
        local ours, theirs = sockets.tcp()
        local loop, c = watched(ours)
        local told = {}
        C.ql_handle_read_event(c.read, 0)
        c.read.handler = helper.handler(function() told.read = true end)
        c.write.handler = helper.handler(function() told.write = true end)
        C.ql_process_events_and_timers(loop, 0)
        told.read, told.write = nil, nil
        sockets.reset(theirs)
        helper.run_until(loop, function()
            return told.read and told.write
        end)
        finish(c)
    end))

    it("with any errno is an error with it", forked(function()
        local ours, theirs = sockets.tcp()
        local _, c = watched(ours)
        for _, name in ipairs { "ENOBUFS", "ENOMEM", "ETIMEDOUT" } do
            inject.ql_inject_clear()
            inject.ql_inject_fail("send", ours, 1, 1, errno[name])
            assert.equal(C.NGX_ERROR, send(c, "x"))
            assert.equal(errno[name], c.err)
        end
        finish(c, theirs)
    end))
end)

describe("send_chain", function()
    it("sends the pieces in order", forked(function()
        local ours, theirs = sockets.tcp()
        local loop, c = watched(ours)
        local parts, sent = { "one ", "", "two ", "three" }, 0
        local data = table.concat(parts)
        while sent < #data do
            local n = chain(c, sent == 0 and parts or { data:sub(sent + 1) })
            if n == C.NGX_AGAIN then
                sockets.await(loop, c.write)
            else
                sent = sent + n
            end
        end
        assert.equal(data, sockets.read_all(theirs, #data))
        finish(c, theirs)
    end))

    exact("tells how far it came", forked(function()
        local ours, theirs = sockets.tcp()
        local loop, c = watched(ours)
        sockets.await(loop, c.write)
        inject.ql_inject_cut("sendmsg", ours, 1, 1, 5)
        inject.ql_inject_fail("sendmsg", ours, 2, 2, errno.EINTR)
        assert.equal(5, chain(c, { "abc", "def" }))
        assert.equal(0, c.write.ready)
        sockets.await(loop, c.write)
        assert.equal(1, chain(c, { "f" }))
        assert.equal("abcdef", sockets.read_all(theirs, 6))
        finish(c, theirs)
    end))

    exact("takes more pieces than the kernel does", forked(function()
        local ours, theirs = sockets.tcp()
        local loop = helper.loop()
        local c = sockets.wrap(loop, ours)
        sockets.await(loop, c.write)
        local parts = {}
        for i = 1, IOV_MAX + 10 do
            parts[i] = "ab"
        end
        assert.equal(2 * IOV_MAX, chain(c, parts))
        assert.equal(1, c.write.ready)
        assert.equal(20, chain(c, { unpack(parts, 1, 10) }))
        sockets.read_all(theirs, 2 * IOV_MAX + 20)
        finish(c, theirs)
    end))
end)
