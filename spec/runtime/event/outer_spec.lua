local helper = require "spec.helper"
local child = require "spec.support.child"
local ends = require "spec.support.ends"
local native = require "spec.support.native"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local errno = helper.errno

local function new_loop(settings)
    return helper.loop(settings or {}, inject.ql_inject_new(nil))
end

local function watched(settings)
    local loop = new_loop(settings)
    assert(C.ql_loop_watch(loop) == C.NGX_OK)
    ends.turn(loop)
    return loop
end

local function readable(fd)
    local fds = ffi.new("struct pollfd[1]", { { fd = fd, events = 1 } })
    return ffi.C.poll(fds, 1, 0) == 1
end

-- A connection that counts what it is told, and its other end.
local function living(loop)
    local got = { n = 0 }
    got.c, got.b = ends.watched(loop, function(rev)
        ends.drain(got.c.fd)
        rev.ready = 0
        got.n = got.n + 1
    end)
    ends.turn(loop)
    return got
end

local function close(got)
    C.ql_close_connection(got.c)
    ends.close(got.b)
end

local function descriptors_same(before)
    assert.is_nil(native.descriptors_changed(before, native.descriptors()))
end

describe("the descriptor of a watched loop", function()
    it("is there at once, closed on exec, and asked for again the same",
        forked(function()
            local loop = new_loop()
            assert.equal(C.NGX_OK, C.ql_loop_watch(loop))
            local fd = C.ql_loop_fd(loop)
            assert.is_true(fd >= 0 and fd ~= loop.ep)
            assert.equal(1, ffi.C.fcntl(fd, 1))
            assert.equal(C.NGX_OK, C.ql_loop_watch(loop))
            assert.equal(fd, C.ql_loop_fd(loop))
        end))

    it("is readable while something has come", forked(function()
        local loop = watched()
        local got, fd = living(loop), C.ql_loop_fd(loop)
        assert.is_false(readable(fd))
        ends.write(got.b, "x")
        assert.is_true(readable(fd))
        assert.is_true(readable(fd))
        helper.run_until(loop, function() return got.n == 1 end)
        assert.is_false(readable(fd))
        close(got)
    end))

    it("outlives the set that stale events have built anew",
        forked(function()
            local loop = watched({ level_triggered = 1 })
            local got, fd = living(loop), C.ql_loop_fd(loop)
            C.ql_handle_read_event(got.c.read, 0)
            local a, b = ends.pair()
            local gone = ends.connection(loop, a, function() error("gone") end)
            C.ql_handle_read_event(gone.read, 0)
            local copy, ep = ffi.C.dup(a), loop.ep
            C.ql_close_connection(gone)
            ends.write(b, "x")
            helper.run_until(loop, function()
                assert.is_true(readable(fd))
                return helper.stats(loop).rebuilds == 1
            end)
            assert.is_true(ep ~= loop.ep)
            assert.equal(fd, C.ql_loop_fd(loop))
            ends.turn(loop) -- that the new set finds writable is told once
            assert.is_false(readable(fd))
            ends.write(got.b, "x")
            assert.is_true(readable(fd))
            helper.run_until(loop, function() return got.n == 1 end)
            local post = helper.event(loop, helper.handler(function() end))
            C.ql_post_event(loop, post)
            assert.is_true(readable(fd))
            ends.turn(loop)
            assert.is_false(readable(fd))
            close(got)
            ends.close(copy)
            ends.close(b)
        end))

    it("tells nothing of an old set that a child still has",
        forked(function()
            local loop = watched()
            local got = living(loop)
            local fd, copy = C.ql_loop_fd(loop), ffi.C.dup(loop.ep)
            assert.equal(C.NGX_OK, C.ql__epoll_rebuild(loop))
            ends.write(got.b, "x")
            helper.run_until(loop, function() return got.n == 1 end)
            ends.write(got.b, "x")
            assert.is_true(readable(copy))
            C.ql_close_connection(got.c)
            assert.is_false(readable(fd))
            ends.close(copy)
            ends.close(got.b)
        end))

    it("goes on with the old set when the new one is refused",
        forked(function()
            local loop = watched()
            local got = living(loop)
            local fd, ep = C.ql_loop_fd(loop), loop.ep
            local before = native.descriptors()
            -- The lowest free number is the new set's.
            local free = ffi.C.dup(fd)
            ends.close(free)
            inject.ql_inject_fail("epoll_ctl", free, 1, 1, errno.ENOSPC)
            assert.equal(C.NGX_ERROR, C.ql__epoll_rebuild(loop))
            assert.equal(errno.ENOSPC, ffi.errno())
            assert.equal(ep, loop.ep)
            descriptors_same(before)
            ends.write(got.b, "x")
            assert.is_true(readable(fd))
            helper.run_until(loop, function() return got.n == 1 end)
            close(got)
        end))
end)

describe("ql_loop_watch", function()
    for _, case in ipairs { { "epoll_create1", "EMFILE" },
        { "epoll_ctl", "ENOMEM" } } do
        local name, err = unpack(case)
        it("leaves the loop as it was when " .. name .. " fails",
            forked(function()
                local loop = new_loop()
                assert.equal(C.NGX_OK, C.ql_loop_init(loop))
                local fd, before = C.ql_loop_fd(loop), native.descriptors()
                inject.ql_inject_fail(name, -1, 1, 1, errno[err])
                assert.equal(C.NGX_ERROR, C.ql_loop_watch(loop))
                assert.equal(errno[err], ffi.errno())
                assert.equal(1, #helper.log())
                assert.equal(fd, C.ql_loop_fd(loop))
                assert.is_false(loop.watched)
                descriptors_same(before)
                assert.equal(C.NGX_OK, C.ql_loop_watch(loop))
                assert.is_true(fd ~= C.ql_loop_fd(loop))
            end))
    end

    it("fails where the loop cannot be made", forked(function()
        local loop = new_loop()
        inject.ql_inject_fail("epoll_create1", -1, 1, 1, errno.EMFILE)
        assert.equal(C.NGX_ERROR, C.ql_loop_watch(loop))
        assert.equal(errno.EMFILE, ffi.errno())
        assert.equal(-1, C.ql_loop_fd(loop))
    end))

    it("gives a forked child a descriptor of its own", forked(function()
        local loop = watched()
        local fd = C.ql_loop_fd(loop)
        local other = child.fork({}, function()
            assert(C.ql_loop_watch(loop) == C.NGX_OK)
            ends.turn(loop)
            local ev = helper.event(loop, helper.handler(function() end))
            local quiet = not readable(C.ql_loop_fd(loop))
            C.ql_post_event(loop, ev)
            local woken = readable(C.ql_loop_fd(loop))
            ffi.C._exit(quiet and woken and 7 or 1)
        end)
        assert.equal(7, other:wait(5).code)
        assert.equal(fd, C.ql_loop_fd(loop))
        assert.is_false(readable(fd))
    end))

    it("has made none when the child's cannot be made", forked(function()
        local loop = watched()
        loop.owner[0] = 0 -- as fork leaves it
        inject.ql_inject_fail("epoll_create1", -1, 2, 2, errno.EMFILE)
        assert.equal(C.NGX_ERROR, C.ql_loop_init(loop))
        assert.equal(errno.EMFILE, ffi.errno())
        assert.equal(-1, C.ql_loop_fd(loop))
        ends.turn(loop)
        assert.is_false(readable(C.ql_loop_fd(loop)))
        assert.equal(C.NGX_OK, C.ql_notify(loop))
        assert.is_true(readable(C.ql_loop_fd(loop)))
        ends.turn(loop)
    end))
end)
