-- recv_chain, datagrams and what is no socket.
local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, calls, recv = helper.forked, sockets.calls, sockets.recv

local exact = helper.injected and pending or it
local IOV_MAX = 1024

pcall(ffi.cdef, [[
int posix_openpt(int flags);
int grantpt(int fd);
int unlockpt(int fd);
char *ptsname(int fd);
int open(const char *path, int flags, ...);
]])

local function watched(ours)
    local loop = helper.loop({}, inject.ql_inject_new(nil))
    local c = sockets.wrap(loop, ours)
    return loop, c
end

local function finish(c, ...)
    C.ql_close_connection(c)
    for _, fd in ipairs { ... } do
        ffi.C.close(fd)
    end
end

-- recv_chain into buffers of these sizes: the code, the buffers' text.
local function chain(c, sizes)
    local iov = ffi.new("struct iovec[?]", math.max(1, #sizes))
    local bufs = {}
    for i, size in ipairs(sizes) do
        bufs[i] = ffi.new("char[?]", size, 46) -- "."
        ffi.fill(bufs[i], size, 46)
        iov[i - 1].iov_base, iov[i - 1].iov_len = bufs[i], size
    end
    local n = tonumber(c.io.recv_chain(c, iov, #sizes))
    local text = {}
    for i, size in ipairs(sizes) do
        text[i] = ffi.string(bufs[i], size)
    end
    return n, text
end

describe("recv_chain", function()
    exact("fills one buffer after the other", forked(function()
        local ours, theirs = sockets.pair()
        local loop, c = watched(ours)
        sockets.write(theirs, "abcdefg")
        sockets.await(loop, c.read)
        local n, text = chain(c, { 2, 3, 4 })
        assert.equal(7, n)
        assert.same({ "ab", "cde", "fg.." }, text)
        assert.equal(0, c.read.ready)
        assert.equal(C.NGX_AGAIN, (chain(c, { 2, 3 })))
        assert.equal(1, calls("recvmsg"))
        finish(c, theirs)
    end))

    it("knows the end and errors", forked(function()
        local ours, theirs = sockets.tcp()
        local loop, c = watched(ours)
        inject.ql_inject_fail("recvmsg", ours, 1, 1, errno.EINTR)
        ffi.C.close(theirs)
        sockets.await(loop, c.read)
        local n
        repeat
            n = chain(c, { 8, 8 })
            if n == C.NGX_AGAIN then
                sockets.await(loop, c.read)
            end
        until n ~= C.NGX_AGAIN
        assert.same({ 0, 1 }, { n, c.read.eof })
        finish(c)
        ours, theirs = sockets.tcp()
        c = sockets.wrap(loop, ours)
        inject.ql_inject_fail("recvmsg", ours, 1, 1, errno.ECONNRESET)
        assert.equal(C.NGX_ERROR, (chain(c, { 8, 8 })))
        assert.equal(errno.ECONNRESET, c.err)
        finish(c, theirs)
    end))

    exact("takes more buffers than the kernel does", forked(function()
        local ours, theirs = sockets.pair()
        local c = sockets.wrap(helper.loop(), ours)
        local sizes = {}
        for i = 1, IOV_MAX + 10 do
            sizes[i] = 2
        end
        sockets.write(theirs, ("ab"):rep(IOV_MAX + 10))
        assert.equal(2 * IOV_MAX, (chain(c, sizes)))
        assert.equal(20, (chain(c, sizes)))
        finish(c, theirs)
    end))

    it("of one buffer is recv", forked(function()
        local ours, theirs = sockets.pair()
        local loop, c = watched(ours)
        sockets.write(theirs, "abc")
        sockets.await(loop, c.read)
        while (chain(c, { 1 })) == C.NGX_AGAIN do
            sockets.await(loop, c.read)
        end
        assert.equal(0, calls("recvmsg"))
        finish(c, theirs)
    end))
end)

describe("udp_recv", function()
    local function pair()
        local ours, theirs = sockets.pair(sockets.DATAGRAM)
        local loop, c = watched(ours)
        c.stream = 0
        assert.equal(C.NGX_OK, C.ql_handle_read_event(c.read, 0))
        return loop, c, theirs
    end

    it("gives one datagram at a time", forked(function()
        local loop, c, theirs = pair()
        sockets.write(theirs, "one")
        sockets.write(theirs, "two")
        sockets.await(loop, c.read)
        assert.equal("one", recv(c, 100, "udp_recv"))
        assert.equal("two", recv(c, 100, "udp_recv"))
        assert.same({ nil, C.NGX_AGAIN }, { recv(c, 100, "udp_recv") })
        assert.same({ nil, C.NGX_AGAIN }, { recv(c, 100, "udp_recv") })
        assert.equal(3, calls("recv"))
        finish(c, theirs)
    end))

    it("cuts what is too long and keeps the next whole", forked(function()
        local loop, c, theirs = pair()
        sockets.write(theirs, "too long for it")
        sockets.write(theirs, "next")
        sockets.await(loop, c.read)
        assert.equal("too ", recv(c, 4, "udp_recv"))
        assert.equal("next", recv(c, 4, "udp_recv"))
        finish(c, theirs)
    end))

    it("knows that an empty datagram is no end", forked(function()
        local loop, c, theirs = pair()
        sockets.write(theirs, "")
        sockets.write(theirs, "more")
        sockets.await(loop, c.read)
        assert.equal("", recv(c, 10, "udp_recv"))
        assert.equal(0, c.read.eof)
        assert.equal("more", recv(c, 10, "udp_recv"))
        finish(c, theirs)
    end))

    it("waits again after a refusal, which was one datagram's",
        forked(function()
            local loop, c, theirs = pair()
            sockets.write(theirs, "x")
            sockets.await(loop, c.read)
            inject.ql_inject_fail("recv", c.fd, 1, 1, errno.ECONNREFUSED)
            inject.ql_inject_fail("recv", c.fd, 2, 2, errno.EINTR)
            assert.same({ nil, C.NGX_ERROR }, { recv(c, 9, "udp_recv") })
            assert.equal(errno.ECONNREFUSED, c.err)
            assert.equal("x", recv(c, 9, "udp_recv"))
            assert.same({ nil, C.NGX_AGAIN }, { recv(c, 9, "udp_recv") })
            finish(c, theirs)
        end))

    it("of a port where nobody listens, for real", forked(function()
        local gone = sockets.socket(sockets.AF_INET, sockets.DATAGRAM)
        local any = helper.address("127.0.0.1:0")
        assert(ffi.C.bind(gone, any.u.sa, any.len) == 0)
        local addr = sockets.name(gone)
        ffi.C.close(gone)
        local fd = sockets.socket(sockets.AF_INET, sockets.DATAGRAM)
        sockets.nonblocking(fd)
        assert(ffi.C.connect(fd, addr.u.sa, addr.len) == 0)
        local loop, c = watched(fd)
        c.stream = 0
        C.ql_handle_read_event(c.read, 0)
        sockets.write(fd, "anybody?")
        sockets.await(loop, c.read)
        assert.same({ nil, C.NGX_ERROR }, { recv(c, 9, "udp_recv") })
        assert.equal(errno.ECONNREFUSED, c.err)
        assert.same({ nil, C.NGX_AGAIN }, { recv(c, 9, "udp_recv") })
        C.ql_handle_write_event(c.write)
        local n = tonumber(c.io.send(c, "?", 1))
        assert.equal(1, n) -- a refusal does not end the sending
        finish(c)
    end))
end)

describe("what is no socket", function()
    it("is read all the same", forked(function()
        local r, w = sockets.pipe()
        local loop, c = watched(r)
        assert.same({ nil, C.NGX_AGAIN }, { recv(c) })
        assert.equal(1, c.plain)
        sockets.write(w, "through the pipe")
        assert.equal("through the pipe", sockets.receive(loop, c))
        assert.equal(1, calls("recv"))
        finish(c, w)
    end))

    it("ends also when its last bytes and its end came together",
        forked(function()
            local r, w = sockets.pipe()
            local loop, c = watched(r)
            C.ql_handle_read_event(c.read, 0)
            sockets.write(w, "bye")
            ffi.C.close(w)
            assert.equal("bye", sockets.receive(loop, c))
            assert.equal("", sockets.receive(loop, c))
            finish(c)
        end))

    it("ends when its end came later", forked(function()
        local r, w = sockets.pipe()
        local loop, c = watched(r)
        sockets.write(w, "bye")
        assert.equal("bye", sockets.receive(loop, c))
        assert.same({ nil, C.NGX_AGAIN }, { recv(c) })
        ffi.C.close(w)
        assert.equal("", sockets.receive(loop, c))
        finish(c)
    end))

    it("is read into many buffers, one a time", forked(function()
        local r, w = sockets.pipe()
        local _, c = watched(r)
        sockets.write(w, "abcdef")
        local n, text = chain(c, { 2, 2, 2 })
        assert.equal("abcdef", table.concat(text):sub(1, n)
            .. (recv(c) or ""))
        finish(c, w)
    end))

    it("ends also when it was read to the last byte", forked(function()
        local r, w = sockets.pipe()
        local loop, c = watched(r)
        C.ql_handle_read_event(c.read, 0)
        sockets.write(w, ("x"):rep(8192))
        ffi.C.close(w)
        assert.equal(8192, #sockets.receive_all(loop, c, 4096)
            + #sockets.receive_all(loop, c, 4096))
        assert.equal("", sockets.receive(loop, c))
        finish(c)
    end))

    it("as a terminal gives line after line", forked(function()
        local O_RDWR, O_NOCTTY = 2, 0x100
        local master = ffi.C.posix_openpt(O_RDWR + O_NOCTTY)
        assert(master >= 0 and ffi.C.grantpt(master) == 0
            and ffi.C.unlockpt(master) == 0)
        local slave = ffi.C.open(ffi.C.ptsname(master), O_RDWR + O_NOCTTY
            + sockets.NONBLOCK)
        local loop, c = watched(slave)
        C.ql_handle_read_event(c.read, 0)
        sockets.write(master, "one\ntwo\n")
        assert.equal("one\n", sockets.receive(loop, c))
        assert.equal("two\n", sockets.receive(loop, c))
        finish(c, master)
    end))
end)
