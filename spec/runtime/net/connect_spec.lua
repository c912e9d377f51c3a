local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, calls = helper.forked, sockets.calls

local EADDRNOTAVAIL, FD_CLOEXEC, O_NONBLOCK = 99, 1, 0x800

-- The code and the connection.
local function connect(loop, addr, from)
    local c = ffi.new("ql_connection_t *[1]")
    local opts = ffi.new("ql_connect_opts_t", { bind = from })
    local rc = C.ql_event_connect_peer(loop, addr, opts, c)
    return rc, c[0]
end

-- Connects, waiting as long as it takes: the final code and the connection.
local function connected(loop, addr, from)
    local rc, c = connect(loop, addr, from)
    while rc == C.NGX_AGAIN do
        sockets.await(loop, c.write)
        rc = C.ql_test_connect(c)
    end
    return rc, c
end

-- An address of 127.0.0.1 where nobody listens.
local function nobody()
    local fd, addr = sockets.listen("127.0.0.1:0")
    ffi.C.close(fd)
    return addr
end

-- A listener whose backlog is full, with the client that fills it.
local function crowded(text)
    local listener, addr = sockets.listen(text, 0)
    return listener, addr, sockets.connect(addr)
end

describe("ql_event_connect_peer", function()
    for _, form in ipairs { "127.0.0.1:0", "[::1]:0", "unix:@spec-connect-%d",
        "unix:/tmp/spec-connect-%d" } do
        it("reaches " .. form, forked(function()
            local text = form:format(ffi.C.getpid())
            local loop = helper.loop()
            local listener, addr = sockets.listen(text)
            local rc, c = connected(loop, addr)
            assert.equal(C.NGX_OK, rc)
            local peer = ffi.C.accept(listener, nil, nil)
            assert.equal(4, sockets.send(loop, c, "ping"))
            assert.equal("ping", sockets.read_all(peer, 4))
            sockets.write(peer, "pong")
            assert.equal("pong", sockets.receive_all(loop, c, 4))
            assert.equal(addr.u.sa.sa_family, c.peer.sa.sa_family)
            C.ql_close_connection(c)
            ffi.C.close(peer)
            ffi.C.close(listener)
            os.remove(text:match("unix:(/.*)") or "")
        end))
    end

    it("makes the descriptor nonblocking, close-on-exec, without delay",
        forked(function()
            local loop = helper.loop()
            local listener, addr = sockets.listen("127.0.0.1:0")
            local _, c = connected(loop, addr)
            assert.is_true(bit.band(ffi.C.fcntl(c.fd, 3), O_NONBLOCK) ~= 0)
            assert.equal(FD_CLOEXEC, ffi.C.fcntl(c.fd, 1))
            assert.is_true(sockets.option(c.fd, sockets.IPPROTO_TCP,
                sockets.TCP_NODELAY) ~= 0)
            assert.equal(addr.u["in"].sin_port, c.peer["in"].sin_port)
            C.ql_close_connection(c)
            ffi.C.close(listener)
        end))

    it("enters the epoll set once", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        assert.equal(C.NGX_OK, C.ql_loop_init(loop))
        local listener, addr = sockets.listen("127.0.0.1:0")
        local before = calls("epoll_ctl")
        local _, c = connected(loop, addr)
        C.ql_handle_read_event(c.read, 0)
        C.ql_handle_write_event(c.write)
        assert.is_true(calls("epoll_ctl") - before <= 1)
        C.ql_close_connection(c)
        ffi.C.close(listener)
    end))

    it("works level-triggered too", forked(function()
        local loop = helper.loop({ level_triggered = 1 })
        local listener, addr = sockets.listen("127.0.0.1:0")
        local rc, c = connected(loop, addr)
        assert.equal(C.NGX_OK, rc)
        C.ql_close_connection(c)
        rc, c = connected(loop, nobody())
        assert.equal(C.NGX_ERROR, rc)
        if c ~= nil then
            C.ql_close_connection(c)
        end
        ffi.C.close(listener)
    end))

    it("says that nobody listens, as often as it is asked",
        forked(function()
            local loop = helper.loop()
            local rc, c = connected(loop, nobody())
            assert.same({ C.NGX_ERROR, errno.ECONNREFUSED },
                { rc, ffi.errno() })
            if c ~= nil then
                assert.same({ errno.ECONNREFUSED, 1 },
                    { c.err, c.write.error })
                assert.equal(C.NGX_ERROR, C.ql_test_connect(c))
                c.write.ready = 1 -- a late event of the same failure
                assert.equal(C.NGX_ERROR, C.ql_test_connect(c))
                assert.equal(errno.ECONNREFUSED, c.err)
                C.ql_close_connection(c)
            end
        end))

    it("says that there is no such unix socket", forked(function()
        local loop = helper.loop()
        local rc, c = connect(loop, helper.address("unix:/nowhere/at/all"))
        assert.same({ C.NGX_ERROR, errno.ENOENT }, { rc, ffi.errno() })
        assert.is_true(c == nil)
    end))

    it("does not wait for a unix socket's full backlog", forked(function()
        local loop = helper.loop()
        local listener, addr, client =
            crowded("unix:@spec-crowd-" .. ffi.C.getpid())
        local rc, c = connect(loop, addr)
        assert.same({ C.NGX_ERROR, errno.EAGAIN }, { rc, ffi.errno() })
        assert.is_true(c == nil)
        ffi.C.close(client)
        ffi.C.close(listener)
    end))
end)

describe("a connect under way", function()
    it("is AGAIN without a system call until its event", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local listener, addr, client = crowded("127.0.0.1:0")
        local rc, c = connect(loop, addr)
        assert.equal(C.NGX_AGAIN, rc)
        for _ = 1, 3 do
            assert.equal(C.NGX_AGAIN, C.ql_test_connect(c))
        end
        assert.equal(0, calls("getsockopt"))
        assert.is_true(sockets.turns_within(loop, 100) <= 3)
        ffi.C.close(ffi.C.accept(listener, nil, nil))
        sockets.await(loop, c.write) -- the kernel's second try, after 1 s
        assert.equal(C.NGX_OK, C.ql_test_connect(c))
        assert.equal(C.NGX_OK, C.ql_test_connect(c))
        C.ql_close_connection(c)
        ffi.C.close(client)
        ffi.C.close(listener)
    end))

    it("survives a wake-up for nothing", forked(function()
        local loop = helper.loop()
        local listener, addr, client = crowded("127.0.0.1:0")
        local _, c = connect(loop, addr)
        c.write.ready = 1
        assert.equal(C.NGX_AGAIN, C.ql_test_connect(c))
        assert.equal(0, c.write.ready)
        C.ql_close_connection(c)
        ffi.C.close(client)
        ffi.C.close(listener)
    end))

    for _, call in ipairs { "getsockopt", "getpeername" } do
        it("fails when " .. call .. " does", forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            local listener, addr = sockets.listen("127.0.0.1:0")
            local _, c = connect(loop, addr)
            sockets.await(loop, c.write)
            inject.ql_inject_fail(call, -1, 1, 1, errno.ENOBUFS)
            assert.equal(C.NGX_ERROR, C.ql_test_connect(c))
            assert.equal(errno.ENOBUFS, c.err)
            C.ql_close_connection(c)
            ffi.C.close(listener)
        end))
    end
end)

describe("a connect from an address", function()
    it("comes from there", forked(function()
        local loop = helper.loop()
        local listener, addr = sockets.listen("127.0.0.1:0")
        local rc, c = connected(loop, addr, helper.address("127.0.0.2:0"))
        assert.equal(C.NGX_OK, rc)
        local name = sockets.name(c.fd)
        assert.equal(helper.address("127.0.0.2:0").u["in"].sin_addr.s_addr,
            name.u["in"].sin_addr.s_addr)
        C.ql_close_connection(c)
        ffi.C.close(listener)
    end))

    it("of IPv6 comes from there", forked(function()
        local loop = helper.loop()
        local listener, addr = sockets.listen("[::1]:0")
        local rc, c = connected(loop, addr, helper.address("[::1]:0"))
        assert.equal(C.NGX_OK, rc)
        C.ql_close_connection(c)
        ffi.C.close(listener)
    end))

    it("that is not ours fails", forked(function()
        local loop = helper.loop()
        local rc, c = connect(loop, nobody(), helper.address("192.0.2.1:0"))
        assert.same({ C.NGX_ERROR, EADDRNOTAVAIL }, { rc, ffi.errno() })
        assert.is_true(c == nil)
    end))
end)

describe("a connect that cannot begin", function()
    local steps = { socket = "EMFILE", memalign = "ENOMEM",
        connect = "EACCES", bind = "EACCES" }

    for call, name in pairs(steps) do
        it("for " .. call .. " leaves nothing", forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            inject.ql_inject_fail(call, -1, 1, 1, errno[name])
            local rc, c = connect(loop, nobody(),
                helper.address("127.0.0.1:0"))
            assert.same({ C.NGX_ERROR, errno[name] }, { rc, ffi.errno() })
            assert.is_true(c == nil)
            assert.equal(0, tonumber(helper.stats(loop).live))
        end))
    end

    it("for the epoll set leaves nothing", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        C.ql_loop_init(loop)
        local listener, addr, client = crowded("127.0.0.1:0")
        inject.ql_inject_fail("epoll_ctl", -1, 1, 1, errno.ENOSPC)
        local rc, c = connect(loop, addr)
        assert.same({ C.NGX_ERROR, errno.ENOSPC }, { rc, ffi.errno() })
        assert.is_true(c == nil)
        assert.equal(0, tonumber(helper.stats(loop).live))
        ffi.C.close(client)
        ffi.C.close(listener)
    end))

    it("for worker_connections leaves nothing", forked(function()
        local loop = helper.loop({ worker_connections = 1 })
        local held = sockets.wrap(loop, 1000000)
        local rc = connect(loop, nobody())
        assert.same({ C.NGX_ERROR, errno.ENFILE }, { rc, ffi.errno() })
        C.ql_free_connection(held)
    end))

    it("goes on without TCP_NODELAY, and says so", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local listener, addr = sockets.listen("127.0.0.1:0")
        inject.ql_inject_fail("setsockopt", -1, 1, 1, errno.ENOBUFS)
        local rc, c = connected(loop, addr)
        assert.equal(C.NGX_OK, rc)
        assert.equal(C.QL_LOG_WARN, helper.log()[1].level)
        C.ql_close_connection(c)
        ffi.C.close(listener)
    end))
end)
