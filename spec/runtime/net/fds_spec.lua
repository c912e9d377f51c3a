local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, recv = helper.forked, sockets.recv

-- Two ends of a unix stream, both of a loop; `to` keeps descriptors.
local function opened()
    local loop = helper.loop({}, inject.ql_inject_new(nil))
    local ours, theirs = sockets.pair()
    sockets.nonblocking(theirs)
    local from, to = sockets.wrap(loop, ours), sockets.wrap(loop, theirs)
    from.peer.sa.sa_family = sockets.AF_UNIX
    to.peer.sa.sa_family = sockets.AF_UNIX
    assert.equal(C.NGX_OK, C.ql_fds_keep(to))
    assert.equal(C.NGX_OK, C.ql_fds_keep(to))
    return loop, from, to
end

local function finish(...)
    for _, c in ipairs { ... } do
        C.ql_close_connection(c)
    end
end

local function send(c, data, n)
    local fds = ffi.new("int[?]", n)
    return tonumber(C.ql_fds_send(c, data, #data, fds, n))
end

local function behind(c)
    local n = ffi.new("uint64_t[1]")
    local rc = C.ql_fds_next(c, n)
    return rc == C.NGX_OK and tonumber(n[0]) or nil
end

local function take(c)
    local fd = C.ql_fds_take(c)
    assert.is_true(fd > 0)
    ffi.C.close(fd)
end

-- Each looks at single calls, which the preload refuses first.
local alone = helper.injected and pending or it

describe("ql_fds", function()
    alone("come with their bytes", forked(function()
        local loop, from, to = opened()
        C.ql_handle_read_event(to.read, 0)
        assert.equal(3, send(from, "abc", 2))
        sockets.write(from.fd, "defg")
        sockets.await(loop, to.read)
        assert.equal("abc", recv(to))
        assert.equal(0, behind(to))
        -- A short read, but the kernel has more.
        assert.equal("defg", recv(to))
        assert.equal(4, behind(to))
        take(to)
        take(to)
        assert.is_nil(behind(to))
        finish(from, to)
    end))

    alone("are told of when they are lost", forked(function()
        local _, from, to = opened()
        assert.equal(1, send(from, "a", C.QL_FDS_MAX))
        assert.equal(1, send(from, "b", 2))
        assert.equal("a", recv(to))
        assert.equal("b", recv(to))
        for _ = 1, C.QL_FDS_MAX do
            take(to)
        end
        assert.equal(0, behind(to))
        assert.equal(-1, C.ql_fds_take(to))
        assert.equal(errno.EMFILE, ffi.errno())
        assert.is_nil(behind(to))
        finish(from, to)
    end))

    alone("are refused by a process that has too many", forked(function()
        local _, from, to = opened()
        assert.equal(1, send(from, "a", 4))
        sockets.limit_descriptors(sockets.next_descriptor() + 1)
        assert.equal("a", recv(to))
        take(to)
        assert.equal(-1, C.ql_fds_take(to))
        sockets.limit_descriptors(20000)
        finish(from, to)
    end))

    alone("survive EINTR and EAGAIN", forked(function()
        local _, from, to = opened()
        inject.ql_inject_fail("sendmsg", -1, 1, 1, errno.EINTR)
        inject.ql_inject_fail("sendmsg", -1, 2, 2, errno.EAGAIN)
        assert.equal(C.NGX_AGAIN, send(from, "a", 1))
        assert.equal(1, send(from, "a", 1))
        inject.ql_inject_fail("recvmsg", -1, 1, 1, errno.EINTR)
        inject.ql_inject_fail("recvmsg", -1, 2, 2, errno.EAGAIN)
        assert.same({ nil, C.NGX_AGAIN }, { recv(to) })
        assert.equal("a", recv(to))
        finish(from)
        assert.equal("", recv(to))
        assert.equal("", recv(to))
        finish(to)
    end))

    alone("break nothing when the system takes none", forked(function()
        local _, from, to = opened()
        local ETOOMANYREFS = 109
        inject.ql_inject_fail("sendmsg", -1, 1, 1, ETOOMANYREFS)
        assert.equal(C.NGX_ERROR, send(from, "a", 1))
        assert.equal(ETOOMANYREFS, from.err)
        assert.equal(1, send(from, "a", 1))
        inject.ql_inject_fail("sendmsg", -1, 1, 1, errno.EPIPE)
        assert.equal(C.NGX_ERROR, send(from, "a", 1))
        assert.equal(C.NGX_ERROR, send(from, "a", 1))
        finish(from, to)
    end))

    alone("are not kept where there are none", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local ours, theirs = sockets.tcp()
        local c = sockets.wrap(loop, ours)
        assert.equal(C.NGX_ERROR, C.ql_fds_keep(c))
        assert.equal(errno.EOPNOTSUPP, ffi.errno())
        c.peer.sa.sa_family = sockets.AF_UNIX
        inject.ql_inject_fail("malloc", -1, 1, 1, errno.ENOMEM)
        assert.equal(C.NGX_ERROR, C.ql_fds_keep(c))
        assert.equal(errno.ENOMEM, ffi.errno())
        finish(c)
        ffi.C.close(theirs)
    end))

    alone("travel only where bytes go as they are", forked(function()
        local _, from, to = opened()
        assert.equal(1, C.ql_fds_travel(from))
        assert.equal(1, C.ql_fds_travel(to))
        local io = from.io
        local other = ffi.new("ql_os_io_t", io[0])
        from.io = other
        assert.equal(0, C.ql_fds_travel(from))
        local before = inject.ql_inject_calls "sendmsg"
        assert.equal(C.NGX_ERROR, send(from, "x", 1))
        assert.equal(errno.EOPNOTSUPP, from.err)
        assert.equal(before, inject.ql_inject_calls "sendmsg")
        from.io = io
        assert.equal(1, send(from, "x", 1))
        finish(from, to)
    end))
end)
