local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked = helper.forked

local function listen(loop, opts, text)
    local ls = C.ql_listen(loop, helper.address(text or "127.0.0.1:0"),
        ffi.new("ql_listen_opts_t", opts))
    assert(ls ~= nil)
    return ls
end

-- A client of ls from 127.0.0.n.
local function client(ls, n)
    local fd = sockets.socket(ls.addr.u.sa.sa_family)
    if n then
        local from = helper.address("127.0.0." .. n .. ":0")
        assert(ffi.C.bind(fd, from.u.sa, from.len) == 0)
    end
    assert(ffi.C.connect(fd, ls.addr.u.sa, ls.addr.len) == 0)
    return fd
end

local function stat(loop, name)
    return tonumber(helper.stats(loop)[name])
end

-- Turns until so many have come or were closed.
local function come(loop, n)
    helper.run_until(loop, function()
        return stat(loop, "accepted") + stat(loop, "rejected")
            + stat(loop, "rejected_peer") == n
    end)
end

local function close_all(fds)
    for _, fd in pairs(fds) do
        ffi.C.close(fd)
    end
end

describe("max_connections", function()
    it("closes what is too much, and counts it", forked(function()
        local loop = helper.loop()
        local ls = listen(loop, { max_connections = 2 })
        local fds = {}
        for i = 1, 4 do
            fds[i] = client(ls)
        end
        come(loop, 4)
        assert.same({ 2, 2 }, { stat(loop, "accepted"),
            stat(loop, "rejected") })
        assert.equal("", sockets.read(fds[3], 1))
        assert.equal("", sockets.read(fds[4], 1))
        assert.equal("closed a connection: its listener has 2",
            helper.log()[1].text)
        C.ql_close_connection(C.ql_accept(ls))
        fds[5] = client(ls)
        come(loop, 5)
        assert.equal(3, stat(loop, "accepted"))
        close_all(fds)
        C.ql_listening_close(ls)
    end))

    it("counts connections that live longer than the listener",
        forked(function()
            local loop = helper.loop()
            local ls = listen(loop, { max_connections = 1, max_per_peer = 1 })
            local fd = client(ls)
            come(loop, 1)
            local c = C.ql_accept(ls)
            C.ql_listening_close(ls)
            C.ql_close_connection(c)
            ffi.C.close(fd)
        end))

    it("limits unix sockets, which have no peers", forked(function()
        local loop = helper.loop()
        local ls = listen(loop, { max_connections = 2, max_per_peer = 1 },
            "unix:@spec-limit-" .. ffi.C.getpid())
        local fds = { client(ls), client(ls), client(ls) }
        come(loop, 3)
        assert.same({ 2, 1, 0 }, { stat(loop, "accepted"),
            stat(loop, "rejected"), stat(loop, "rejected_peer") })
        close_all(fds)
        C.ql_listening_close(ls)
    end))
end)

describe("max_per_peer", function()
    it("tells addresses apart", forked(function()
        local loop = helper.loop()
        local ls = listen(loop, { max_per_peer = 2 })
        local fds = {}
        for i = 1, 6 do
            fds[i] = client(ls, 1 + i % 2)
        end
        come(loop, 6)
        assert.same({ 4, 2 }, { stat(loop, "accepted"),
            stat(loop, "rejected_peer") })
        assert.matches("^closed a connection from 127%.0%.0%.%d:%d+, which "
            .. "has 2$", helper.log()[1].text)
        for _ = 1, 2 do
            C.ql_close_connection(C.ql_accept(ls))
        end
        fds[7], fds[8] = client(ls, 1), client(ls, 2)
        come(loop, 8)
        assert.equal(6, stat(loop, "accepted"))
        close_all(fds)
        C.ql_listening_close(ls)
    end))

    it("takes a mapped address for IPv4's", forked(function()
        local loop = helper.loop()
        local ls = listen(loop, { max_per_peer = 1 }, "[::]:0")
        local to = helper.address("127.0.0.1:0")
        to.u["in"].sin_port = ls.addr.u.in6.sin6_port
        local six = helper.address("[::1]:0")
        six.u.in6.sin6_port = ls.addr.u.in6.sin6_port
        local fds = { sockets.connect(to), sockets.connect(to),
            sockets.connect(six), sockets.connect(six) }
        come(loop, 4)
        assert.same({ 2, 2 }, { stat(loop, "accepted"),
            stat(loop, "rejected_peer") })
        close_all(fds)
        C.ql_listening_close(ls)
    end))

    it("knows many peers, and forgets them", forked(function()
        local loop = helper.loop { accept_queue = 300 }
        local ls = listen(loop, { max_per_peer = 1 })
        local fds = {}
        for i = 1, 200 do
            fds[i] = client(ls, i)
            fds[200 + i] = client(ls, i)
        end
        come(loop, 400)
        assert.same({ 200, 200 }, { stat(loop, "accepted"),
            stat(loop, "rejected_peer") })
        assert.is_true(#helper.log() <= 11)
        for _ = 1, 200 do
            C.ql_close_connection(C.ql_accept(ls))
        end
        close_all(fds)
        fds = { client(ls, 7) }
        come(loop, 401)
        assert.equal(201, stat(loop, "accepted"))
        close_all(fds)
        C.ql_listening_close(ls)
    end))

    it("without memory closes what comes, or grows later", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local ls = listen(loop, { max_per_peer = 9 })
        inject.ql_inject_fail("malloc", -1, 1, 1, errno.ENOMEM)
        local fds = { client(ls) }
        come(loop, 1)
        assert.equal(1, stat(loop, "rejected"))
        inject.ql_inject_clear()
        fds[2] = client(ls)
        come(loop, 2)
        assert.equal(1, stat(loop, "accepted"))
        close_all(fds)
        C.ql_listening_close(ls)
    end))
end)

describe("a listener with limits", function()
    it("that cannot be made leaves nothing", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        assert.equal(C.NGX_OK, C.ql_loop_init(loop))
        for i = 2, 3 do
            inject.ql_inject_clear()
            inject.ql_inject_fail("malloc", -1, i, i, errno.ENOMEM)
            assert.is_true(C.ql_listen(loop, helper.address("127.0.0.1:0"),
                ffi.new("ql_listen_opts_t", { max_per_peer = 1 })) == nil)
            assert.equal(errno.ENOMEM, ffi.errno())
        end
        assert.equal(0, stat(loop, "live"))
    end))
end)
