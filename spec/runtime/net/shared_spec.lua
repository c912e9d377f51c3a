local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked = helper.forked

local SHARED = 2
local F_GETFL = 3

pcall(ffi.cdef, "int fcntl(int fd, int command, ...);")
pcall(ffi.cdef, "int open(const char *path, int flags, ...);")
pcall(ffi.cdef, "int pipe(int fds[2]);")

local function pipe()
    local fds = ffi.new("int[2]")
    assert(ffi.C.pipe(fds) == 0)
    return fds[0], fds[1]
end

local function adopt(loop, fd)
    local why = ffi.new("const char *[1]")
    local c = C.ql_adopt_connection(loop, fd, SHARED, why)
    assert(c ~= nil, why[0] ~= nil and ffi.string(why[0]) or "no connection")
    return c
end

local function recv(c, size)
    local buf = ffi.new("char[?]", size)
    local n = tonumber(c.io.recv(c, buf, size))
    return n > 0 and ffi.string(buf, n) or n
end

local function send(c, text)
    return tonumber(c.io.send(c, text, #text))
end

describe("ql_shared_io", function()
    it("reads what is there, and does not wait for more", forked(function()
        local r, w = pipe()
        local c = adopt(helper.loop(), r)
        assert.equal(0, bit.band(ffi.C.fcntl(r, F_GETFL), sockets.NONBLOCK))
        assert.equal(C.NGX_AGAIN, recv(c, 10))
        ffi.C.write(w, "abc", 3)
        assert.equal("ab", recv(c, 2))
        assert.equal("c", recv(c, 10))
        assert.equal(C.NGX_AGAIN, recv(c, 10))
        ffi.C.close(w)
        assert.equal(0, recv(c, 10))
        assert.equal(0, recv(c, 10))
        C.ql_close_connection(c)
    end))

    it("writes as much as there is room for", forked(function()
        local r, w = pipe()
        local c = adopt(helper.loop(), w)
        local data = ("x"):rep(1000000)
        local n = send(c, data)
        assert.is_true(n >= 4096 and n < #data)
        assert.equal(C.NGX_AGAIN, send(c, data))
        ffi.C.close(r)
        c.write.ready = 1
        assert.equal(C.NGX_ERROR, send(c, "x"))
        assert.equal(errno.EPIPE, c.err)
        C.ql_close_connection(c)
    end))

    it("takes regular files", forked(function()
        local c = adopt(helper.loop(), ffi.C.open("LICENSE", 0))
        assert.equal(20, #recv(c, 20))
        repeat local piece = recv(c, 65536) until type(piece) == "number"
        assert.equal(0, recv(c, 1))
        C.ql_close_connection(c)
    end))

    it("tells failures, and asks again after EINTR and EAGAIN",
        forked(function()
            local r, w = pipe()
            local c = adopt(helper.loop({}, inject.ql_inject_new(nil)), r)
            ffi.C.write(w, "abc", 3)
            inject.ql_inject_fail("read", r, 1, 1, errno.EINTR)
            assert.equal("abc", recv(c, 10))
            ffi.C.write(w, "abc", 3)
            inject.ql_inject_fail("read", r, 1, 1, errno.EIO)
            assert.equal(C.NGX_ERROR, recv(c, 10))
            assert.equal(errno.EIO, c.err)
            C.ql_close_connection(c)
            ffi.C.close(w)
        end))
end)
