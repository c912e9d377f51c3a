local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked = helper.forked

local F_GETFL, F_SETFL = 3, 4
local DUP = 1

pcall(ffi.cdef, "int fcntl(int fd, int command, ...);")
pcall(ffi.cdef, "int open(const char *path, int flags, ...);")

local function flags_of(fd)
    return ffi.C.fcntl(fd, F_GETFL)
end

local function nonblocking(fd)
    return bit.band(flags_of(fd), sockets.NONBLOCK) ~= 0
end

local function blocking_pipe()
    local r, w = sockets.pipe()
    for _, fd in ipairs { r, w } do
        ffi.C.fcntl(fd, F_SETFL,
            ffi.new("int", bit.band(flags_of(fd), bit.bnot(sockets.NONBLOCK))))
    end
    return r, w
end

-- The connection, or nil, errno, words.
local function adopt(loop, fd, flags)
    local why = ffi.new("const char *[1]")
    local c = C.ql_adopt_connection(loop, fd, flags or 0, why)
    if c ~= nil then
        return c
    end
    return nil, ffi.errno(), why[0] ~= nil and ffi.string(why[0]) or nil
end

describe("ql_adopt_connection", function()
    it("makes a pipe nonblocking and owns it", forked(function()
        local loop = helper.loop()
        local r, w = blocking_pipe()
        local c = assert(adopt(loop, r))
        assert.equal(r, c.fd)
        assert.equal(1, c.plain)
        assert.equal(1, c.shared)
        assert.is_true(nonblocking(r))
        assert.is_false(nonblocking(w))
        C.ql_close_connection(c)
        assert.equal(-1, flags_of(r))
        ffi.C.close(w)
    end))

    it("takes a duplicate", forked(function()
        local loop = helper.loop()
        local r, w = blocking_pipe()
        local c = assert(adopt(loop, r, DUP))
        assert.not_equal(r, c.fd)
        C.ql_close_connection(c)
        assert.not_equal(-1, flags_of(r))
        ffi.C.close(r)
        ffi.C.close(w)
    end))

    it("knows the peer of a socket", forked(function()
        local loop = helper.loop()
        local ours, theirs = sockets.pair()
        local c = assert(adopt(loop, ours))
        assert.equal(sockets.AF_UNIX, c.peer.sa.sa_family)
        assert.equal(0, c.plain)
        C.ql_close_connection(c)
        ffi.C.close(theirs)
    end))

    it("refuses what cannot be waited for, in words", forked(function()
        local loop = helper.loop()
        local file = ffi.C.open("README.md", 0)
        local dir = ffi.C.open(".", 0)
        local datagram = sockets.socket(sockets.AF_INET, sockets.DATAGRAM)
        local listening = sockets.socket(sockets.AF_INET)
        assert.equal(0, ffi.C.listen(listening, 1))
        assert.same({ nil, errno.EPERM, "a regular file is no connection" },
            { adopt(loop, file) })
        assert.same({ nil, errno.EPERM, "a directory is no connection" },
            { adopt(loop, dir) })
        assert.same({ nil, errno.EINVAL,
            "a datagram socket is no connection" }, { adopt(loop, datagram) })
        assert.same({ nil, errno.EINVAL,
            "a listening socket is no connection" }, { adopt(loop, listening) })
        assert.same({ nil, errno.EBADF }, { adopt(loop, 12345) })
        for _, fd in ipairs { file, dir, datagram, listening } do
            ffi.C.close(fd)
        end
    end))

    it("leaves the descriptor to its owner when something fails",
        forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            local r, w = blocking_pipe()
            for _, call in ipairs { "fstat", "fcntl", "dup" } do
                inject.ql_inject_fail(call, -1, 1, 1, errno.EMFILE)
                assert.same({ nil, errno.EMFILE }, { adopt(loop, r, DUP) })
            end
            inject.ql_inject_fail("fcntl", -1, 2, 2, errno.EIO)
            assert.same({ nil, errno.EIO }, { adopt(loop, r) })
            assert.is_false(nonblocking(r))
            ffi.C.close(r)
            ffi.C.close(w)
        end))
end)
