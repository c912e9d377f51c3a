local helper = require "spec.helper"
local ffi, inject, errno = helper.ffi, helper.inject, helper.errno
local forked = helper.forked

local AF_UNIX, SOCK_STREAM, SOCK_NONBLOCK = 1, 1, 0x800
local EPOLL_CTL_ADD, EPOLLIN, EPOLLET = 1, 1, 0x80000000

ffi.cdef "int socketpair(int domain, int type, int protocol, int fds[2]);"

local function pair()
    local fds = ffi.new("int[2]")
    assert(ffi.C.socketpair(AF_UNIX, SOCK_STREAM + SOCK_NONBLOCK, 0, fds) == 0)
    finally(function()
        ffi.C.close(fds[0])
        ffi.C.close(fds[1])
    end)
    return fds[0], fds[1]
end

-- What a receive gives: text, or its errno.
local function recv(sys, fd, size)
    local buf = ffi.new("char[64]")
    local n = tonumber(sys.recv(fd, buf, size or 64, 0))
    return n == -1 and ffi.errno() or ffi.string(buf, n)
end

local function wait(sys, ep)
    local events = ffi.new("struct epoll_event[8]")
    return sys.epoll_wait(ep, events, 8, 0), events
end

-- With the preload, its refusals would come on top of the table's.
local alone = helper.injected and pending or it

describe("a rule", function()
    alone("fails the calls from n to m of one descriptor", function()
        local sys = inject.ql_inject_new(nil)
        local a, b = pair()
        assert.equal(0, inject.ql_inject_fail("recv", a, 2, 3,
            errno.ECONNRESET))
        sys.send(b, "xyz", 3, 0)
        assert.equal(errno.EAGAIN, recv(sys, b))
        assert.equal("x", recv(sys, a, 1))
        assert.equal(errno.ECONNRESET, recv(sys, a))
        assert.equal(errno.ECONNRESET, recv(sys, a))
        assert.equal("yz", recv(sys, a))
        assert.equal(5, tonumber(inject.ql_inject_calls("recv")))
    end)

    it("answers for a call that is not made", function()
        local sys = inject.ql_inject_new(nil)
        assert.equal(0, inject.ql_inject_result("epoll_wait", -1, 1, 0, 0))
        assert.equal(0, (wait(sys, -1)))
        inject.ql_inject_clear()
        assert.equal(-1, (wait(sys, -1)))
    end)

    alone("cuts a count", function()
        local sys = inject.ql_inject_new(nil)
        local a, b = pair()
        inject.ql_inject_cut("send", b, 1, 1, 2)
        assert.equal(2, tonumber(sys.send(b, "abcd", 4, 0)))
        assert.equal("ab", recv(sys, a))
    end)

    alone("cuts a list of buffers", function()
        local sys = inject.ql_inject_new(nil)
        local a, b = pair()
        local text = { ffi.new("char[2]", "ab"), ffi.new("char[2]", "cd") }
        local iov = ffi.new("struct iovec[2]",
            { { text[1], 2 }, { text[2], 2 } })
        local msg = ffi.new("struct msghdr", { msg_iov = iov, msg_iovlen = 2 })
        inject.ql_inject_cut("sendmsg", -1, 1, 0, 3)
        assert.equal(3, tonumber(sys.sendmsg(b, msg, 0)))
        assert.equal("abc", recv(sys, a))
    end)

    it("delays", function()
        local sys = inject.ql_inject_new(nil)
        local a = pair()
        inject.ql_inject_delay("recv", a, 1, 1, 20000)
        local start = helper.now()
        recv(sys, a)
        assert.is_true(helper.now() - start >= 0.02)
    end)

    it("fails an allocation", function()
        local sys = inject.ql_inject_new(nil)
        inject.ql_inject_fail("malloc", -1, 1, 1, errno.ENOMEM)
        assert.is_true(sys.malloc(8) == nil)
        assert.equal(errno.ENOMEM, ffi.errno())
        local p = sys.malloc(8)
        assert.is_true(p ~= nil)
        sys.free(p)
    end)

    it("fails libaio's way", function()
        local sys = inject.ql_inject_new(nil)
        local ctx = ffi.new("io_context_t[1]")
        inject.ql_inject_fail("io_setup", -1, 1, 1, errno.EAGAIN)
        assert.equal(-errno.EAGAIN, sys.io_setup(8, ctx))
    end)

    it("needs a call that there is", function()
        inject.ql_inject_new(nil)
        assert.equal(-1, inject.ql_inject_fail("recve", -1, 1, 1, 1))
    end)
end)

describe("one byte at a time", function()
    alone("answers EAGAIN first and arms the edge again", function()
        local sys = inject.ql_inject_new(nil)
        local a, b = pair()
        local ep = sys.epoll_create1(0)
        finally(function() ffi.C.close(ep) end)
        local ee = ffi.new("struct epoll_event", EPOLLIN + EPOLLET)
        assert.equal(0, sys.epoll_ctl(ep, EPOLL_CTL_ADD, a, ee))
        sys.send(b, "hi", 2, 0)
        inject.ql_inject_one_byte(1)
        for _, expected in ipairs { "h", "i" } do
            assert.equal(1, (wait(sys, ep)))
            assert.equal(errno.EAGAIN, recv(sys, a))
            assert.equal(1, (wait(sys, ep)))
            assert.equal(expected, recv(sys, a))
        end
        assert.equal(0, (wait(sys, ep)))
    end)
end)

describe("scripted events", function()
    it("are reported once, as given", function()
        local sys = inject.ql_inject_new(nil)
        local given = ffi.new("struct epoll_event[2]")
        given[0].events, given[1].events = 8, 16
        inject.ql_inject_epoll_events(given, 2)
        local n, events = wait(sys, -1)
        assert.same({ 2, 8, 16 }, { n, events[0].events, events[1].events })
        assert.equal(-1, (wait(sys, -1)))
    end)

    it("come in another order when shuffled, none lost", function()
        local sys = inject.ql_inject_new(nil)
        local given = ffi.new("struct epoll_event[8]")
        local orders = {}
        for i = 0, 7 do
            given[i].events = i
        end
        inject.ql_inject_shuffle(12345)
        for _ = 1, 4 do
            inject.ql_inject_epoll_events(given, 8)
            local _, events = wait(sys, -1)
            local order, sum = "", 0
            for i = 0, 7 do
                order = order .. events[i].events
                sum = sum + events[i].events
            end
            assert.equal(28, sum)
            orders[order] = true
        end
        assert.is_not_nil(next(orders, (next(orders))))
    end)
end)

describe("the scripted clock", function()
    local function read(sys)
        local ts = ffi.new("struct timespec")
        sys.clock_gettime(1, ts)
        return tonumber(ts.tv_sec) * 1e9 + tonumber(ts.tv_nsec)
    end

    it("stands still and jumps", function()
        local sys = inject.ql_inject_new(nil)
        inject.ql_inject_clock_freeze(1)
        local now = read(sys)
        assert.equal(now, read(sys))
        inject.ql_inject_clock(3600000000000LL)
        assert.equal(now + 3600e9, read(sys))
    end)
end)

describe("a table in a loop that exists", function()
    it("takes the place of the one before", forked(function()
        local loop = helper.loop()
        inject.ql_inject_install(loop)
        assert.equal(helper.C.NGX_OK, helper.C.ql_loop_init(loop))
        assert.equal(1, tonumber(inject.ql_inject_calls("epoll_create1")))
    end))
end)
