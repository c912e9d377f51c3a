-- send and send_chain into what is no socket.
local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, calls = helper.forked, sockets.calls

local SIGPIPE = 13

pcall(ffi.cdef, "void (*signal(int signo, void (*handler)(int)))(int);")

-- A loop, a connection for the write end of a pipe, the read end.
local function piped()
    local loop = helper.loop({}, inject.ql_inject_new(nil))
    local r, w = sockets.pipe()
    return loop, sockets.wrap(loop, w), r
end

local function finish(c, ...)
    C.ql_close_connection(c)
    for _, fd in ipairs { ... } do
        ffi.C.close(fd)
    end
end

local function chain(c, parts)
    return tonumber(c.io.send_chain(c, sockets.iovec(parts), #parts))
end

describe("a pipe", function()
    it("is written all the same", forked(function()
        local loop, c, r = piped()
        assert.equal(5, sockets.send(loop, c, "hello"))
        assert.equal(5, sockets.send(loop, c, "world"))
        assert.equal("helloworld", sockets.read_all(r, 10))
        assert.same({ 1, 1, 2 }, { c.plain, calls("send"), calls("write") })
        finish(c, r)
    end))

    it("is written piece by piece", forked(function()
        local _, c, r = piped()
        assert.equal(8, chain(c, { "one ", "", "two " }))
        assert.equal(5, chain(c, { "th", "ree" }))
        assert.equal("one two three", sockets.read_all(r, 13))
        finish(c, r)
    end))

    it("tells how far the pieces came", forked(function()
        local _, c, r = piped()
        assert.equal(1, chain(c, { "x" }))
        inject.ql_inject_cut("write", c.fd, 2, 2, 1)
        assert.equal(3, chain(c, { "ab", "cd", "ef" }))
        inject.ql_inject_fail("write", c.fd, 2, 2, errno.EIO)
        assert.equal(2, chain(c, { "ab", "cd" }))
        inject.ql_inject_fail("write", c.fd, 1, 1, errno.EIO)
        assert.equal(C.NGX_ERROR, chain(c, { "ab", "cd" }))
        assert.equal(errno.EIO, c.err)
        finish(c, r)
    end))

    it("that is full is waited for", forked(function()
        local loop, c, r = piped()
        local data, sent = ("p"):rep(300000), 0
        while sent < #data do
            local n = tonumber(c.io.send(c, data, #data - sent))
            if n == C.NGX_AGAIN then
                sockets.read(r, 100000)
                sockets.await(loop, c.write)
            else
                sent = sent + n
            end
        end
        finish(c, r)
    end))

    it("without a reader is EPIPE, no SIGPIPE", forked(function()
        ffi.C.signal(SIGPIPE, nil)
        local _, c, r = piped()
        assert.equal(1, tonumber(c.io.send(c, "x", 1)))
        ffi.C.close(r)
        for _ = 1, 2 do
            assert.equal(C.NGX_ERROR, tonumber(c.io.send(c, "x", 1)))
            assert.equal(errno.EPIPE, c.err)
        end
        assert.equal(C.NGX_ERROR, chain(c, { "x", "y" }))
        finish(c)
    end))
end)
