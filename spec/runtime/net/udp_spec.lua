local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, calls = helper.forked, sockets.calls

-- A bound socket of the loop and one that sends to it; the calls are counted.
local function opened()
    local loop = helper.loop({}, inject.ql_inject_new(nil))
    local c = C.ql_udp_open(loop, sockets.AF_INET)
    local peer = C.ql_udp_open(loop, sockets.AF_INET)
    assert.equal(C.NGX_OK, C.ql_udp_bind(c, helper.address "127.0.0.1:0"))
    assert.equal(C.NGX_OK, C.ql_udp_connect(peer, sockets.name(c.fd)))
    return loop, c, peer
end

local function finish(...)
    for _, c in ipairs { ... } do
        C.ql_udp_close(c)
    end
end

local anchors -- of the last messages

-- n messages of 8 bytes each.
local function messages(n)
    local msgs, iov = ffi.new("struct mmsghdr[?]", n),
        ffi.new("struct iovec[?]", n)
    local bytes = ffi.new("char[?]", 8 * n)
    for i = 0, n - 1 do
        iov[i].iov_base, iov[i].iov_len = bytes + 8 * i, 8
        msgs[i].msg_hdr.msg_iov, msgs[i].msg_hdr.msg_iovlen = iov + i, 1
    end
    anchors = { iov, bytes }
    return msgs
end

local function send(c, n)
    return C.ql_udp_send(c, messages(n), n)
end

local function recv(c, n)
    return C.ql_udp_recv(c, messages(n), n)
end

describe("ql_udp", function()
    it("receives a batch, and knows that it was short", forked(function()
        local loop, c, peer = opened()
        assert.equal(5, send(peer, 5))
        sockets.await(loop, c.read)
        assert.equal(3, recv(c, 3))
        assert.equal(1, c.read.ready)
        assert.equal(2, recv(c, 3))
        assert.equal(0, c.read.ready)
        local before = calls "recvmmsg"
        assert.equal(C.NGX_AGAIN, recv(c, 3))
        assert.equal(before, calls "recvmmsg")
        assert.equal(1, send(peer, 1))
        sockets.await(loop, c.read)
        assert.equal(1, recv(c, 3))
        finish(c, peer)
    end))

    it("tells the length of what was cut", forked(function()
        local _, c, peer = opened()
        sockets.write(peer.fd, "0123456789")
        local msgs = messages(1)
        assert.equal(1, C.ql_udp_recv(c, msgs, 1))
        assert.equal(10, msgs[0].msg_len)
        assert.equal("01234567", ffi.string(anchors[2], 8))
        finish(c, peer)
    end))

    it("tries again after EINTR, and waits after EAGAIN", forked(function()
        local loop, c, peer = opened()
        inject.ql_inject_fail("sendmmsg", -1, 1, 1, errno.EINTR)
        inject.ql_inject_fail("sendmmsg", -1, 3, 3, errno.EAGAIN)
        assert.equal(2, send(peer, 2))
        assert.equal(C.NGX_AGAIN, send(peer, 2))
        sockets.await(loop, peer.write)
        assert.equal(2, send(peer, 2))
        inject.ql_inject_fail("recvmmsg", -1, 1, 1, errno.EINTR)
        assert.equal(4, recv(c, 9))
        finish(c, peer)
    end))

    it("fails for one attempt only", forked(function()
        local loop, c, peer = opened()
        sockets.await(loop, peer.write)
        inject.ql_inject_fail("sendmmsg", -1, 1, 1, errno.ENOBUFS)
        assert.equal(C.NGX_ERROR, send(peer, 1))
        assert.equal(errno.ENOBUFS, peer.err)
        assert.equal(1, send(peer, 1))
        finish(c)
        send(peer, 1)
        sockets.await(loop, peer.read)
        assert.equal(C.NGX_ERROR, recv(peer, 1))
        assert.equal(errno.ECONNREFUSED, peer.err)
        assert.equal(C.NGX_AGAIN, recv(peer, 1))
        finish(peer)
    end))

    it("leaves nothing when it cannot be opened", forked(function()
        local loop = helper.loop({ worker_connections = 1 },
            inject.ql_inject_new(nil))
        inject.ql_inject_fail("socket", -1, 1, 1, errno.EMFILE)
        assert.is_true(C.ql_udp_open(loop, sockets.AF_INET) == nil)
        assert.equal(errno.EMFILE, ffi.errno())
        local c = C.ql_udp_open(loop, sockets.AF_INET)
        local fd = sockets.next_descriptor()
        assert.is_true(C.ql_udp_open(loop, sockets.AF_INET) == nil)
        assert.equal(errno.ENFILE, ffi.errno())
        assert.equal(fd, sockets.next_descriptor())
        finish(c)
    end))

    it("takes the file of its name away, in the process that made it",
        forked(function()
            local loop = helper.loop()
            assert.equal(C.NGX_OK, C.ql_loop_init(loop))
            local path = os.tmpname()
            os.remove(path)
            for _, shared in ipairs { 1, 0 } do
                local c = C.ql_udp_open(loop, sockets.AF_UNIX)
                local addr = helper.address("unix:" .. path)
                assert.equal(C.NGX_OK, C.ql_udp_bind(c, addr))
                c.shared = shared
                finish(c)
                assert.equal(shared - 1, ffi.C.access(path, 0))
                os.remove(path)
            end
        end))

    it("has a peer, and none", forked(function()
        local _, c, peer = opened()
        assert.equal(C.NGX_OK, C.ql_udp_connect(peer, nil))
        assert.equal(C.NGX_ERROR, send(peer, 1))
        inject.ql_inject_fail("connect", -1, 1, 1, errno.EINTR)
        assert.equal(C.NGX_OK, C.ql_udp_connect(peer, sockets.name(c.fd)))
        assert.equal(1, send(peer, 1))
        finish(c, peer)
    end))
end)
