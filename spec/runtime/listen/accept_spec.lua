local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked, calls = helper.forked, sockets.calls
local listen, turns_within = sockets.listener, sockets.turns_within

local FD_CLOEXEC, O_NONBLOCK = 1, 0x800

local function clients(ls, n)
    local fds = {}
    for i = 1, n do
        fds[i] = sockets.connect(ls.addr)
    end
    return fds
end

local function close_all(fds)
    for _, fd in ipairs(fds) do
        ffi.C.close(fd)
    end
end

local function turn(loop, ms)
    assert.equal(C.NGX_OK, C.ql_process_events_and_timers(loop, ms or 1000))
end

local function take(ls, n)
    for _ = 1, n do
        C.ql_close_connection(C.ql_accept(ls))
    end
end

describe("ql_accept", function()
    it("gives nothing when nothing has come", forked(function()
        local loop = helper.loop()
        local ls = listen(loop)
        assert.is_true(C.ql_accept(ls) == nil)
        turn(loop, 0)
        assert.is_true(C.ql_accept(ls) == nil)
        C.ql_listening_close(ls)
    end))

    it("gives connections in the order of their coming", forked(function()
        local loop = helper.loop()
        local ls = listen(loop)
        local fds = clients(ls, 5)
        helper.run_until(loop, function() return ls.queued == 5 end)
        for _, fd in ipairs(fds) do
            local c = C.ql_accept(ls)
            local name = sockets.name(fd)
            assert.equal(name.u["in"].sin_port, c.peer["in"].sin_port)
            assert.equal(name.u["in"].sin_addr.s_addr,
                c.peer["in"].sin_addr.s_addr)
            assert.is_true(c.listening == nil)
            C.ql_close_connection(c)
        end
        assert.equal(5, tonumber(helper.stats(loop).accepted))
        close_all(fds)
        C.ql_listening_close(ls)
    end))

    it("gives nonblocking, close-on-exec descriptors", forked(function()
        local loop = helper.loop()
        local ls = listen(loop)
        local fds = clients(ls, 1)
        helper.run_until(loop, function() return ls.queued == 1 end)
        local c = C.ql_accept(ls)
        assert.is_true(bit.band(ffi.C.fcntl(c.fd, 3), O_NONBLOCK) ~= 0)
        assert.equal(FD_CLOEXEC, ffi.C.fcntl(c.fd, 1))
        assert.is_true(sockets.option(c.fd, sockets.IPPROTO_TCP,
            sockets.TCP_NODELAY) ~= 0)
        C.ql_close_connection(c)
        close_all(fds)
        C.ql_listening_close(ls)
    end))

    it("knows the peers of IPv6 and unix listeners", forked(function()
        local loop = helper.loop()
        for text, family in pairs { ["[::1]:0"] = sockets.AF_INET6,
            ["unix:@spec-accept-" .. ffi.C.getpid()] = sockets.AF_UNIX } do
            local ls = listen(loop, text)
            local fds = clients(ls, 1)
            helper.run_until(loop, function() return ls.queued == 1 end)
            local c = C.ql_accept(ls)
            assert.equal(family, c.peer.sa.sa_family)
            if family == sockets.AF_INET6 then
                assert.equal(1, c.peer.in6.sin6_addr.s6_addr[15])
            end
            C.ql_close_connection(c)
            close_all(fds)
            C.ql_listening_close(ls)
        end
    end))

    it("gives also a connection that its peer has reset", forked(function()
        local loop = helper.loop()
        local ls = listen(loop)
        sockets.reset(sockets.connect(ls.addr))
        helper.run_until(loop, function() return ls.queued == 1 end)
        local c = C.ql_accept(ls)
        local text, rc = sockets.receive(loop, c)
        assert.same({ nil, C.NGX_ERROR }, { text, rc })
        assert.equal(helper.errno.ECONNRESET, c.err)
        C.ql_close_connection(c)
        C.ql_listening_close(ls)
    end))

    it("gives also a connection that its peer has closed", forked(function()
        local loop = helper.loop()
        local ls = listen(loop)
        local fd = sockets.connect(ls.addr)
        sockets.write(fd, "bye")
        ffi.C.close(fd)
        helper.run_until(loop, function() return ls.queued == 1 end)
        local c = C.ql_accept(ls)
        assert.equal("bye", sockets.receive_all(loop, c, 3))
        assert.equal("", sockets.receive(loop, c))
        C.ql_close_connection(c)
        C.ql_listening_close(ls)
    end))

    it("needs one epoll_ctl at most for a connection", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local ls = listen(loop)
        turn(loop, 0)
        local before = calls("epoll_ctl")
        for _ = 1, 10 do
            local fd = sockets.connect(ls.addr)
            helper.run_until(loop, function() return ls.queued == 1 end)
            local c = C.ql_accept(ls)
            sockets.write(fd, "ping")
            assert.equal("ping", sockets.receive_all(loop, c, 4))
            assert.equal(C.NGX_OK, C.ql_handle_read_event(c.read, 0))
            assert.equal(C.NGX_OK, C.ql_handle_write_event(c.write))
            C.ql_close_connection(c)
            ffi.C.close(fd)
        end
        assert.is_true(calls("epoll_ctl") - before <= 10)
        C.ql_listening_close(ls)
    end))
end)

describe("a listener's handler", function()
    it("is called once a turn, after the queue has grown", forked(function()
        local loop = helper.loop()
        local ls = listen(loop)
        local seen = {}
        local handler = ffi.cast("void (*)(ql_listening_t *)", function(l)
            assert(l == ls)
            seen[#seen + 1] = l.queued
        end)
        ls.handler = handler
        local fds = clients(ls, 3)
        turn(loop)
        turn(loop, 0)
        assert.same({ 3 }, seen)
        C.ql_listening_close(ls)
        close_all(fds)
    end))

    it("may close its listener", forked(function()
        local loop = helper.loop()
        local ls = listen(loop)
        local closed = false
        ls.handler = ffi.cast("void (*)(ql_listening_t *)", function(l)
            C.ql_listening_close(l)
            closed = true
        end)
        local fds = clients(ls, 2)
        helper.run_until(loop, function() return closed end)
        turn(loop, 0)
        close_all(fds)
    end))

    it("may close another listener whose event waits", forked(function()
        local loop = helper.loop()
        local both = { listen(loop), listen(loop) }
        local closed = 0
        for i, ls in ipairs(both) do
            ls.handler = ffi.cast("void (*)(ql_listening_t *)", function()
                closed = closed + 1
                C.ql_listening_close(both[3 - i])
                both[3 - i] = nil
            end)
        end
        local fds = { sockets.connect(both[1].addr),
            sockets.connect(both[2].addr) }
        turn(loop)
        turn(loop, 0)
        assert.equal(1, closed)
        C.ql_listening_close(both[1] or both[2])
        close_all(fds)
    end))
end)

describe("multi_accept", function()
    it("bounds what one turn accepts", forked(function()
        local loop = helper.loop({ multi_accept = 3 })
        local ls = listen(loop)
        local fds = clients(ls, 8)
        local seen = {}
        for i = 1, 4 do
            turn(loop, 0)
            seen[i] = ls.queued
        end
        assert.same({ 3, 6, 8, 8 }, seen)
        C.ql_listening_close(ls)
        close_all(fds)
    end))

    it("of more than there are costs one call in vain", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local ls = listen(loop)
        local fds = clients(ls, 3)
        turn(loop)
        assert.same({ 3, 4 }, { ls.queued, calls("accept4") })
        C.ql_listening_close(ls)
        close_all(fds)
    end))
end)

describe("a listener's queue", function()
    it("when full keeps the listener out of epoll", forked(function()
        local loop = helper.loop({ accept_queue = 4 })
        local ls = listen(loop)
        local fds = clients(ls, 10)
        helper.run_until(loop, function() return ls.queued == 4 end)
        assert.same({ 1, 0 }, { ls.full, ls.connection.read.active })
        assert.is_true(turns_within(loop, 300) <= 5)
        assert.equal(4, ls.queued)
        C.ql_listening_close(ls)
        close_all(fds)
    end))

    it("brings it back when half is taken, and loses nobody",
        forked(function()
            local loop = helper.loop({ accept_queue = 4 })
            local ls = listen(loop)
            local fds = clients(ls, 10)
            helper.run_until(loop, function() return ls.full == 1 end)
            take(ls, 1)
            assert.same({ 1, 3 }, { ls.full, ls.queued })
            take(ls, 1)
            assert.same({ 0, 1 }, { ls.full, ls.connection.read.active })
            local taken = 2
            helper.run_until(loop, function()
                while ls.queued > 0 do
                    take(ls, 1)
                    taken = taken + 1
                end
                return taken == 10
            end)
            C.ql_listening_close(ls)
            close_all(fds)
        end))

    it("of one place works", forked(function()
        local loop = helper.loop({ accept_queue = 1 })
        local ls = listen(loop)
        local fds = clients(ls, 4)
        for _ = 1, 4 do
            helper.run_until(loop, function() return ls.queued == 1 end)
            assert.equal(1, ls.full)
            take(ls, 1)
        end
        C.ql_listening_close(ls)
        close_all(fds)
    end))

    it("does not hold up other listeners", forked(function()
        local loop = helper.loop({ accept_queue = 1 })
        local full, other = listen(loop), listen(loop)
        local fds = clients(full, 2)
        helper.run_until(loop, function() return full.full == 1 end)
        fds[3] = sockets.connect(other.addr)
        helper.run_until(loop, function() return other.queued == 1 end)
        C.ql_listening_close(full)
        C.ql_listening_close(other)
        close_all(fds)
    end))
end)
