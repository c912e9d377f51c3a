local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, errno = helper.ffi, helper.C, helper.errno
local forked = helper.forked

local function queued(loop, n, text)
    local ls = sockets.listener(loop, text)
    local clients = {}
    for i = 1, n do
        clients[i] = sockets.connect(ls.addr)
    end
    return ls, clients
end

describe("ql_listening_stop", function()
    it("takes what has come, and nothing more", forked(function()
        local loop = helper.loop()
        local ls, clients = queued(loop, 5)
        local addr = ffi.new("ql_sockaddr_t", ls.addr)
        C.ql_listening_stop(ls)
        assert.equal(5, ls.queued)
        assert.is_true(ls.connection == nil)
        assert.equal(0, ls.err)
        local late = sockets.socket(sockets.AF_INET)
        assert.equal(-1, ffi.C.connect(late, addr.u.sa, addr.len))
        assert.equal(errno.ECONNREFUSED, ffi.errno())
        ffi.C.close(late)
        for _, fd in ipairs(clients) do
            sockets.write(fd, "x")
            local c = C.ql_accept(ls)
            assert.equal("x", sockets.receive(loop, c, 1))
            C.ql_close_connection(c)
            ffi.C.close(fd)
        end
        C.ql_listening_stop(ls)
        C.ql_listening_close(ls)
    end))

    it("tells the handler, which may close it", forked(function()
        local loop = helper.loop()
        local ls = sockets.listener(loop)
        local seen = 0
        ls.handler = ffi.cast("void (*)(ql_listening_t *)", function(l)
            seen = seen + 1
            C.ql_listening_close(l)
        end)
        C.ql_listening_stop(ls)
        assert.equal(1, seen)
        assert.equal(0, tonumber(helper.stats(loop).live))
    end))

    it("takes no more than the queue has room for", forked(function()
        local loop = helper.loop { accept_queue = 2 }
        local ls, clients = queued(loop, 3)
        C.ql_listening_stop(ls)
        assert.equal(2, ls.queued)
        C.ql_listening_close(ls)
        for _, fd in ipairs(clients) do
            ffi.C.close(fd)
        end
    end))

    it("removes the file of a unix socket", forked(function()
        local name = os.tmpname()
        os.remove(name)
        local loop = helper.loop()
        local ls, clients = queued(loop, 1, "unix:" .. name)
        C.ql_listening_stop(ls)
        assert.equal(-1, ffi.C.access(name, 0))
        assert.equal(1, ls.queued)
        C.ql_listening_close(ls)
        ffi.C.close(clients[1])
    end))
end)

describe("ql_listen_inherited", function()
    local function opts(values)
        return ffi.new("ql_listen_opts_t", values or {})
    end

    it("serves on a socket of somebody else's", forked(function()
        local loop = helper.loop()
        local fd, addr = sockets.listen("127.0.0.1:0")
        local ls = C.ql_listen_inherited(loop, fd, opts { exclusive = 1 })
        assert.is_true(ls ~= nil)
        assert.equal(addr.u["in"].sin_port, ls.addr.u["in"].sin_port)
        assert.equal(1, ffi.C.fcntl(fd, 1))
        assert.is_true(bit.band(ffi.C.fcntl(fd, 3), sockets.NONBLOCK) ~= 0)
        local c, client = sockets.accepted(loop, ls)
        C.ql_close_connection(c)
        ffi.C.close(client)
        C.ql_listening_close(ls)
    end))

    it("leaves to others what it has not accepted", forked(function()
        local loop = helper.loop()
        local fd, addr = sockets.listen("127.0.0.1:0")
        local copy = ffi.C.dup(fd)
        local ls = C.ql_listen_inherited(loop, fd, opts())
        local client = sockets.connect(addr)
        C.ql_listening_stop(ls)
        assert.equal(0, ls.queued)
        C.ql_listening_close(ls)
        local theirs = ffi.C.accept(copy, nil, nil)
        assert.is_true(theirs >= 0)
        for _, d in ipairs { theirs, client, copy } do
            ffi.C.close(d)
        end
    end))

    it("leaves the file of a unix socket", forked(function()
        local name = os.tmpname()
        os.remove(name)
        local loop = helper.loop()
        local fd = sockets.listen("unix:" .. name)
        C.ql_listening_close(C.ql_listen_inherited(loop, fd, opts()))
        assert.equal(0, ffi.C.access(name, 0))
        ffi.C.unlink(name)
    end))

    it("refuses what does not listen, and leaves it open", forked(function()
        local loop = helper.loop()
        local ours, theirs = sockets.pair()
        local udp = sockets.socket(sockets.AF_INET, sockets.DATAGRAM)
        local file = ffi.C.dup(0)
        for fd, err in pairs { [ours] = "EINVAL", [udp] = "EINVAL",
            [9999] = "EBADF" } do
            assert.is_true(C.ql_listen_inherited(loop, fd, opts()) == nil)
            assert.equal(errno[err], ffi.errno())
        end
        for _, fd in ipairs { ours, theirs, udp, file } do
            assert.equal(0, ffi.C.close(fd))
        end
        assert.equal(0, tonumber(helper.stats(loop).live))
    end))

    it("refuses what the loop has already", forked(function()
        local loop = helper.loop()
        local fd = sockets.listen("127.0.0.1:0")
        local ls = C.ql_listen_inherited(loop, fd, opts())
        assert.is_true(C.ql_listen_inherited(loop, fd, opts()) == nil)
        assert.equal(errno.EEXIST, ffi.errno())
        C.ql_listening_close(ls)
        assert.equal(0, tonumber(helper.stats(loop).live))
    end))
end)
