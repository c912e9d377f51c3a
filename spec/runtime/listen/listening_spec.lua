local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, calls = helper.forked, sockets.calls
local path, exists, serves = sockets.path, sockets.exists, sockets.serves

local IPPROTO_IPV6, IPV6_V6ONLY, O_NONBLOCK, FD_CLOEXEC = 41, 26, 0x800, 1

local function listen(loop, text, opts)
    return C.ql_listen(loop, helper.address(text),
        opts and ffi.new("ql_listen_opts_t", opts) or nil)
end

-- The kernel's text of where it listens.
local function name_of(ls)
    local buf = ffi.new("char[?]", C.QL_SOCKADDR_STRLEN)
    return ffi.string(C.ql_sockaddr_text(ls.addr.u.sa, ls.addr.len, buf))
end

local function logged()
    local lines = {}
    for i, line in ipairs(helper.log()) do
        lines[i] = line.text
    end
    return table.concat(lines, "\n")
end

describe("ql_listen", function()
    for _, form in ipairs { "127.0.0.1:0", "[::1]:0", ":0", "localhost:0",
        "[::]:0", "unix:@spec-listen-%d", "unix:/tmp/spec-listen-%d" } do
        it("serves on " .. form, forked(function()
            local loop = helper.loop()
            local ls = listen(loop, form:format(ffi.C.getpid()))
            assert.is_true(ls ~= nil)
            serves(loop, ls)
            C.ql_listening_close(ls)
        end))
    end

    it("with port 0 tells the port it got", forked(function()
        local loop = helper.loop()
        local ls = listen(loop, "127.0.0.1:0")
        local port = tonumber(name_of(ls):match("^127%.0%.0%.1:(%d+)$"))
        assert.is_true(port > 0)
        C.ql_listening_close(ls)
    end))

    it("makes the descriptor nonblocking, close-on-exec, without delay",
        forked(function()
            local loop = helper.loop()
            local ls = listen(loop, "127.0.0.1:0")
            local fd = ls.connection.fd
            assert.is_true(bit.band(ffi.C.fcntl(fd, 3), O_NONBLOCK) ~= 0)
            assert.equal(FD_CLOEXEC, ffi.C.fcntl(fd, 1))
            assert.is_true(sockets.option(fd, sockets.IPPROTO_TCP,
                sockets.TCP_NODELAY) ~= 0)
            C.ql_listening_close(ls)
        end))

    it("counts the listener as a connection", forked(function()
        local loop = helper.loop()
        local ls = listen(loop, "127.0.0.1:0")
        assert.equal(1, tonumber(helper.stats(loop).live))
        C.ql_listening_close(ls)
        assert.equal(0, tonumber(helper.stats(loop).live))
    end))

    it("lets two sockets share a port with reuseport only", forked(function()
        local loop = helper.loop()
        local first = listen(loop, "127.0.0.1:0", { reuseport = 1 })
        local second = listen(loop, name_of(first), { reuseport = 1 })
        assert.is_true(second ~= nil)
        assert.is_true(listen(loop, name_of(first)) == nil)
        assert.equal(errno.EADDRINUSE, ffi.errno())
        C.ql_listening_close(first)
        serves(loop, second)
        C.ql_listening_close(second)
    end))

    it("obeys v6only, off by default", forked(function()
        local loop = helper.loop()
        for v6only = 0, 1 do
            local ls = listen(loop, "[::]:0", { v6only = v6only })
            assert.equal(v6only, sockets.option(ls.connection.fd,
                IPPROTO_IPV6, IPV6_V6ONLY))
            C.ql_listening_close(ls)
        end
    end))

    it("can be bound again at once after connections", forked(function()
        local loop = helper.loop()
        local ls = listen(loop, "127.0.0.1:0")
        local name = name_of(ls)
        serves(loop, ls)
        C.ql_listening_close(ls)
        ls = listen(loop, name)
        assert.is_true(ls ~= nil)
        C.ql_listening_close(ls)
    end))

    it("says which address is in use", forked(function()
        local loop = helper.loop()
        local ls = listen(loop, "127.0.0.1:0")
        assert.is_true(listen(loop, name_of(ls)) == nil)
        assert.equal(errno.EADDRINUSE, ffi.errno())
        assert.matches(name_of(ls), logged(), 1, true)
        C.ql_listening_close(ls)
    end))

    it("adds itself exclusively where the descriptor is shared",
        forked(function()
            local loop = helper.loop()
            local ls = listen(loop, "127.0.0.1:0", { exclusive = 1 })
            assert.equal(1, ls.connection.read.exclusive)
            serves(loop, ls)
            C.ql_listening_close(ls)
        end))
end)

describe("a listener that cannot be made", function()
    local steps = {
        { "socket", "EMFILE" }, { "setsockopt", "EINVAL" },
        { "bind", "EACCES" }, { "listen", "EADDRINUSE" },
        { "malloc", "ENOMEM" }, { "getsockname", "ENOBUFS" },
        { "memalign", "ENOMEM" }, { "epoll_ctl", "ENOSPC" },
    }

    for _, step in ipairs(steps) do
        it("for " .. step[1] .. " leaves nothing", forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            assert.equal(C.NGX_OK, C.ql_loop_init(loop))
            -- Its own connections have used up part of the first slab.
            local held = {}
            for i = 1, step[1] == "memalign" and 63 or 0 do
                held[i] = sockets.wrap(loop, 1000000 + i)
            end
            local text = step[1] == "setsockopt" and "127.0.0.1:0"
                or "unix:" .. path()
            inject.ql_inject_fail(step[1], -1, 1, 1, errno[step[2]])
            assert.is_true(listen(loop, text) == nil)
            assert.equal(errno[step[2]], ffi.errno())
            assert.is_false(exists(text:match("unix:(.*)") or ""))
            assert.is_true(#helper.log() > 0)
            for _, c in ipairs(held) do
                C.ql_free_connection(c)
            end
            assert.equal(0, tonumber(helper.stats(loop).live))
        end))
    end

    it("for worker_connections leaves nothing", forked(function()
        local loop = helper.loop({ worker_connections = 1 })
        local c = sockets.wrap(loop, 1000000)
        local name = path()
        assert.is_true(listen(loop, "unix:" .. name) == nil)
        assert.equal(errno.ENFILE, ffi.errno())
        assert.is_false(exists(name))
        C.ql_free_connection(c)
    end))

    it("can be made later", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local name = path()
        inject.ql_inject_fail("epoll_ctl", -1, 1, 0, errno.ENOSPC)
        assert.is_true(listen(loop, "unix:" .. name) == nil)
        inject.ql_inject_clear()
        local ls = listen(loop, "unix:" .. name)
        serves(loop, ls)
        C.ql_listening_close(ls)
    end))
end)

describe("a listener that closes", function()
    it("closes what its queue holds", forked(function()
        local loop = helper.loop()
        local ls = listen(loop, "127.0.0.1:0")
        local clients = {}
        for i = 1, 3 do
            clients[i] = sockets.connect(ls.addr)
        end
        helper.run_until(loop, function() return ls.queued == 3 end)
        C.ql_listening_close(ls)
        assert.equal(0, tonumber(helper.stats(loop).live))
        for _, fd in ipairs(clients) do
            assert.equal("", sockets.read(fd, 1))
            ffi.C.close(fd)
        end
    end))

    it("leaves the epoll set also when it is duplicated", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local ls = listen(loop, "127.0.0.1:0")
        local addr = ffi.new("ql_sockaddr_t", ls.addr)
        local copy = ffi.C.dup(ls.connection.fd)
        C.ql_listening_close(ls)
        local client = sockets.connect(addr)
        C.ql_process_events_and_timers(loop, 0)
        assert.equal(0, tonumber(helper.stats(loop).stale))
        assert.equal(0, calls("accept4"))
        ffi.C.close(client)
        ffi.C.close(copy)
    end))
end)
