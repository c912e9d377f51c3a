local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, calls = helper.forked, sockets.calls
local listen, accepted = sockets.listener, sockets.accepted
local turns_within = sockets.turns_within

local function turn(loop, ms)
    assert.equal(C.NGX_OK, C.ql_process_events_and_timers(loop, ms or 1000))
end

local function stat(loop, name)
    return tonumber(helper.stats(loop)[name])
end

local function close(c, fd)
    C.ql_close_connection(c)
    ffi.C.close(fd)
end

describe("an accept that fails for one connection", function()
    local one = { ECONNABORTED = 103, EPROTO = 71, EPERM = 1, ENETDOWN = 100,
        ENOPROTOOPT = 92, EHOSTDOWN = 112, ENONET = 64, EHOSTUNREACH = 113,
        EOPNOTSUPP = 95, ENETUNREACH = 101 }

    for name, number in pairs(one) do
        it("with " .. name .. " goes on to the next", forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            local ls = listen(loop)
            inject.ql_inject_fail("accept4", -1, 1, 1, number)
            local fd = sockets.connect(ls.addr)
            turn(loop)
            assert.same({ 1, 0 }, { ls.queued, ls.paused })
            assert.same({ 1, 0 }, { stat(loop, "accept_errors"),
                stat(loop, "accept_pauses") })
            ffi.C.close(fd)
            C.ql_listening_close(ls)
        end))
    end

    it("with EINTR is tried again", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local ls = listen(loop)
        inject.ql_inject_fail("accept4", -1, 1, 2, errno.EINTR)
        local fd = sockets.connect(ls.addr)
        turn(loop)
        assert.same({ 1, 0 }, { ls.queued, stat(loop, "accept_errors") })
        ffi.C.close(fd)
        C.ql_listening_close(ls)
    end))

    it("for ever does not hold up a turn, nor flood the log",
        forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            local ls = listen(loop)
            inject.ql_inject_fail("accept4", -1, 1, 0, errno.ECONNABORTED)
            local fd = sockets.connect(ls.addr)
            turn(loop)
            assert.equal(64, calls("accept4"))
            assert.equal(0, #helper.log())
            inject.ql_inject_clear()
            turn(loop)
            assert.equal(1, ls.queued)
            ffi.C.close(fd)
            C.ql_listening_close(ls)
        end))
end)

describe("a lack of the machine's", function()
    for _, name in ipairs { "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM" } do
        it(name .. " pauses every listener and brings them back",
            forked(function()
                local loop = helper.loop({ accept_delay = 100 },
                    inject.ql_inject_new(nil))
                local both = { listen(loop), listen(loop) }
                inject.ql_inject_fail("accept4", -1, 1, 1, errno[name])
                local fds = { sockets.connect(both[1].addr),
                    sockets.connect(both[2].addr) }
                turn(loop)
                assert.same({ 1, 1 }, { both[1].paused, both[2].paused })
                assert.same({ 0, 0 }, { both[1].connection.read.active,
                    both[2].connection.read.active })
                assert.equal(1, calls("accept4"))
                local start = helper.now()
                helper.run_until(loop, function()
                    return both[1].queued == 1 and both[2].queued == 1
                end)
                assert.is_true(helper.now() - start > 0.05)
                for i = 1, 2 do
                    C.ql_listening_close(both[i])
                    ffi.C.close(fds[i])
                end
            end))
    end

    it("leaves a full listener out until its queue has room",
        forked(function()
            local loop = helper.loop({ accept_delay = 20,
                accept_queue = 2 }, inject.ql_inject_new(nil))
            local full, other = listen(loop), listen(loop)
            local fds = {}
            for i = 1, 3 do
                fds[i] = sockets.connect(full.addr)
            end
            helper.run_until(loop, function() return full.full == 1 end)
            inject.ql_inject_fail("accept4", -1, 1, 1, errno.EMFILE)
            fds[4] = sockets.connect(other.addr)
            helper.run_until(loop, function() return other.queued == 1 end)
            assert.same({ 1, 0, 2 }, { full.full,
                full.connection.read.active, full.queued })
            C.ql_close_connection(C.ql_accept(full))
            helper.run_until(loop, function() return full.queued == 2 end)
            for _, fd in ipairs(fds) do
                ffi.C.close(fd)
            end
            C.ql_listening_close(full)
            C.ql_listening_close(other)
        end))

    it("pauses an exclusive listener as well", forked(function()
        local loop = helper.loop({ accept_delay = 20 },
            inject.ql_inject_new(nil))
        local ls = C.ql_listen(loop, helper.address("127.0.0.1:0"),
            ffi.new("ql_listen_opts_t", { exclusive = 1 }))
        inject.ql_inject_fail("accept4", -1, 1, 2, errno.EMFILE)
        local fd = sockets.connect(ls.addr)
        helper.run_until(loop, function() return ls.queued == 1 end)
        assert.same({ 2, 1 }, { stat(loop, "accept_pauses"),
            ls.connection.read.exclusive })
        ffi.C.close(fd)
        C.ql_listening_close(ls)
    end))

    it("in the middle of a turn keeps what was accepted before",
        forked(function()
            local loop = helper.loop({ accept_delay = 50 },
                inject.ql_inject_new(nil))
            local ls = listen(loop)
            local told = 0
            ls.handler = ffi.cast("void (*)(ql_listening_t *)", function()
                told = told + 1
            end)
            inject.ql_inject_fail("accept4", -1, 2, 2, errno.ENFILE)
            local fds = { sockets.connect(ls.addr),
                sockets.connect(ls.addr) }
            turn(loop)
            assert.same({ 1, 1, 1 }, { ls.queued, ls.paused, told })
            helper.run_until(loop, function() return ls.queued == 2 end)
            C.ql_listening_close(ls)
            ffi.C.close(fds[1])
            ffi.C.close(fds[2])
        end))

    it("that no memory is left for the struct drops the connection",
        forked(function()
            local loop = helper.loop({ accept_delay = 50 },
                inject.ql_inject_new(nil))
            local ls = listen(loop)
            turn(loop, 0)
            local held = {}
            for i = 1, 62 do -- the rest of the first slab
                held[i] = sockets.wrap(loop, 1000000 + i)
            end
            inject.ql_inject_fail("memalign", -1, 1, 1, errno.ENOMEM)
            local fd = sockets.connect(ls.addr)
            turn(loop)
            assert.same({ 0, 1 }, { ls.queued, ls.paused })
            assert.equal("", sockets.read(fd, 1))
            ffi.C.close(fd)
            fd = sockets.connect(ls.addr)
            helper.run_until(loop, function() return ls.queued == 1 end)
            for _, c in ipairs(held) do
                C.ql_free_connection(c)
            end
            ffi.C.close(fd)
            C.ql_listening_close(ls)
        end))

    it("of room in the epoll set is tried again", forked(function()
        local loop = helper.loop({ accept_queue = 1, accept_delay = 50 },
            inject.ql_inject_new(nil))
        local ls = listen(loop)
        local fds = { sockets.connect(ls.addr), sockets.connect(ls.addr) }
        helper.run_until(loop, function() return ls.full == 1 end)
        inject.ql_inject_fail("epoll_ctl", -1, 1, 1, errno.ENOSPC)
        local c = C.ql_accept(ls)
        assert.equal(1, ls.paused)
        helper.run_until(loop, function() return ls.queued == 1 end)
        C.ql_close_connection(c)
        C.ql_listening_close(ls)
        ffi.C.close(fds[1])
        ffi.C.close(fds[2])
    end))
end)

describe("a listener that died", function()
    it("by a shutdown is closed and told, without a spin", forked(function()
        local loop = helper.loop()
        local ls = listen(loop)
        local told = {}
        ls.handler = ffi.cast("void (*)(ql_listening_t *)", function(l)
            told[#told + 1] = { l.connection == nil, l.err }
        end)
        ffi.C.shutdown(ls.connection.fd, sockets.SHUT_RD)
        helper.run_until(loop, function() return #told > 0 end)
        assert.same({ { true, errno.EINVAL } }, told)
        assert.equal(0, stat(loop, "live"))
        assert.is_true(turns_within(loop, 200) <= 5)
        assert.equal(1, #told)
        C.ql_listening_close(ls)
    end))

    it("keeps what it had accepted", forked(function()
        local loop = helper.loop()
        local ls = listen(loop)
        local fd = sockets.connect(ls.addr)
        helper.run_until(loop, function() return ls.queued == 1 end)
        ffi.C.shutdown(ls.connection.fd, sockets.SHUT_RD)
        helper.run_until(loop, function() return ls.connection == nil end)
        close(C.ql_accept(ls), fd)
        assert.is_true(C.ql_accept(ls) == nil)
        C.ql_listening_close(ls)
    end))

    for _, name in ipairs { "EBADF", "ENOTSOCK" } do
        it(name .. ": its number is somebody else's", forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            local ls = listen(loop)
            local fd = ls.connection.fd
            inject.ql_inject_fail("accept4", -1, 1, 1,
                ({ EBADF = 9, ENOTSOCK = 88 })[name])
            local client = sockets.connect(ls.addr)
            turn(loop)
            assert.is_true(ls.connection == nil)
            assert.is_true(ffi.C.fcntl(fd, 1) ~= -1)
            C.ql_listening_close(ls)
            ffi.C.close(fd)
            ffi.C.close(client)
        end))
    end

    it("while another one lives leaves that one alone", forked(function()
        local loop = helper.loop()
        local dead, alive = listen(loop), listen(loop)
        ffi.C.shutdown(dead.connection.fd, sockets.SHUT_RD)
        helper.run_until(loop, function() return dead.connection == nil end)
        close(accepted(loop, alive))
        C.ql_listening_close(dead)
        C.ql_listening_close(alive)
    end))

    it("can be closed while it is paused", forked(function()
        local loop = helper.loop({ accept_delay = 50 },
            inject.ql_inject_new(nil))
        local ls = listen(loop)
        inject.ql_inject_fail("accept4", -1, 1, 1, errno.EMFILE)
        local fd = sockets.connect(ls.addr)
        helper.run_until(loop, function() return ls.paused == 1 end)
        C.ql_listening_close(ls)
        ffi.C.close(fd)
        helper.run_until(loop, function()
            return stat(loop, "timers") == 0
        end)
    end))
end)
