local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, calls = helper.forked, sockets.calls

local TCP_DEFER_ACCEPT, TCP_FASTOPEN, SO_KEEPALIVE = 9, 23, 9
local SO_REUSEADDR, SO_REUSEPORT, IPPROTO_IP = 2, 15, 0
local IP_FREEBIND, IPPROTO_IPV6, IPV6_V6ONLY, IPV6_FREEBIND = 15, 41, 26, 78

local function listen(loop, text, opts)
    return C.ql_listen(loop, helper.address(text),
        ffi.new("ql_listen_opts_t", opts or {}))
end

local function list(...)
    local options = ffi.new("ql_sockopt_t[?]", select("#", ...), ...)
    return options, select("#", ...)
end

local function number(level, name, value)
    return { level = level, name = name, size = 4,
        value = { number = value } }
end

describe("a listener's options", function()
    it("are set before it listens", forked(function()
        local loop = helper.loop()
        local ls = listen(loop, "127.0.0.1:0", { deferred = 3, fastopen = 17,
            reuseport = 1, freebind = 1 })
        local fd = ls.connection.fd
        local TCP, SOCKET = sockets.IPPROTO_TCP, sockets.SOL_SOCKET
        assert.is_true(sockets.option(fd, TCP, TCP_DEFER_ACCEPT) >= 3)
        assert.equal(17, sockets.option(fd, TCP, TCP_FASTOPEN))
        assert.equal(1, sockets.option(fd, SOCKET, SO_REUSEADDR))
        assert.equal(1, sockets.option(fd, SOCKET, SO_REUSEPORT))
        assert.equal(1, sockets.option(fd, IPPROTO_IP, IP_FREEBIND))
        C.ql_listening_close(ls)
    end))

    it("of IPv6 have other names, and v6only is always set", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local ls = listen(loop, "[::]:0", { freebind = 1 })
        local fd = ls.connection.fd
        assert.equal(1, sockets.option(fd, IPPROTO_IPV6, IPV6_FREEBIND))
        assert.equal(0, sockets.option(fd, IPPROTO_IPV6, IPV6_V6ONLY))
        assert.equal(4, calls("setsockopt"))
        C.ql_listening_close(ls)
    end))

    it("are off, and cost nothing, unless they are asked for",
        forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            local ls = listen(loop, "127.0.0.1:0")
            assert.equal(2, calls("setsockopt"))
            local unix = listen(loop, "unix:@spec-opts-" .. ffi.C.getpid())
            assert.equal(2, calls("setsockopt"))
            C.ql_listening_close(ls)
            C.ql_listening_close(unix)
        end))

    it("are inherited by what is accepted, without a call", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local options, n = list(
            number(sockets.SOL_SOCKET, SO_KEEPALIVE, 1),
            number(sockets.IPPROTO_TCP, 4, 77),
            number(sockets.SOL_SOCKET, sockets.SO_SNDBUF, 20000))
        local ls = listen(loop, "127.0.0.1:0",
            { options = options, noptions = n })
        local before = calls("setsockopt")
        local c, client = sockets.accepted(loop, ls)
        assert.equal(1, sockets.option(c.fd, sockets.SOL_SOCKET,
            SO_KEEPALIVE))
        assert.equal(77, sockets.option(c.fd, sockets.IPPROTO_TCP, 4))
        assert.equal(40000, sockets.option(c.fd, sockets.SOL_SOCKET,
            sockets.SO_SNDBUF))
        assert.equal(before, calls("setsockopt"))
        C.ql_close_connection(c)
        ffi.C.close(client)
        C.ql_listening_close(ls)
    end))

    it("fail the listener when the system refuses one", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        for i = 1, 3 do
            inject.ql_inject_clear()
            inject.ql_inject_fail("setsockopt", -1, i, i, errno.EPERM)
            assert.is_true(listen(loop, "[::1]:0", { transparent = 1 })
                == nil)
            assert.equal(errno.EPERM, ffi.errno())
        end
        assert.equal(0, tonumber(helper.stats(loop).live))
    end))
end)

describe("deferred accept", function()
    it("brings a connection with its data", forked(function()
        local loop = helper.loop()
        local ls = listen(loop, "127.0.0.1:0", { deferred = 30 })
        local silent, client = sockets.connect(ls.addr),
            sockets.connect(ls.addr)
        sockets.write(client, "hello")
        helper.run_until(loop, function() return ls.queued > 0 end)
        assert.equal(1, ls.queued)
        local c = C.ql_accept(ls)
        assert.equal("hello", sockets.receive_all(loop, c, 5))
        C.ql_close_connection(c)
        ffi.C.close(client)
        ffi.C.close(silent)
        C.ql_listening_close(ls)
    end))
end)
