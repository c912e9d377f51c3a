local helper = require "spec.helper"
local ends = require "spec.support.ends"
local grandchild = require "spec.support.grandchild"
local kept = require "spec.support.kept"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked = helper.forked

-- A body for `it`: a loop, a pool of it, all gone at the end.
local function with(fn, settings)
    return forked(function()
        local loop = helper.loop(settings)
        local pool = kept.open(loop, "here")
        fn(loop, pool)
        C.ql_keepalive_drop(loop)
        C.ql_keepalive_close(pool)
        assert.equal(0, loop.keepalives.npools)
        kept.finish()
    end)
end

local function closed(fd)
    local byte = ffi.new("char[1]")
    return ffi.C.read(fd, byte, 1) == 0
end

describe("a kept connection", function()
    it("is taken, the last one parked first", with(function(loop, pool)
        local c = kept.fill(pool, 3)
        for i = 3, 1, -1 do
            assert.equal(c[i], kept.take(pool))
            assert.equal(1, c[i].reused)
            assert.equal(nil, c[i].read.handler)
        end
        assert.is_nil(kept.take(pool))
        assert.equal(C.NGX_OK, kept.park(pool, c[1]))
        assert.equal(c[1], kept.take(pool))
        assert.equal(2, c[1].reused)
        C.ql_keepalive_leave(pool)
        for i = 1, 3 do
            kept.close(pool, c[i])
        end
        assert.equal(4, tonumber(kept.stats(loop).reused))
    end))

    it("is dropped when its peer closes", with(function(loop, pool)
        local _, b = kept.fill(pool, 2)
        kept.hang_up(b[1])
        kept.await_drop(loop, "CLOSED", 1)
        assert.equal(1, pool.nidle)
        assert.equal(1, pool.connections)
    end))

    it("is dropped when its peer sends", with(function(loop, pool)
        local _, b = kept.fill(pool, 1)
        ends.write(b[1], "x")
        kept.await_drop(loop, "READABLE", 1)
        assert.is_true(closed(b[1]))
    end))

    it("is not handed out when its peer has closed or sent since the last turn",
        with(function(loop, pool)
            local c, b = kept.fill(pool, 3)
            ends.turn(loop)
            kept.hang_up(b[3])
            ends.write(b[2], "x")
            helper.run_until(loop, function() -- one byte at a time: its EAGAIN
                return not helper.injected or pool.nidle == 1
            end)
            assert.equal(c[1], kept.take(pool))
            assert.equal(1, kept.dropped(loop, "CLOSED"))
            assert.equal(1, kept.dropped(loop, "READABLE"))
            kept.close(pool, c[1])
        end))

    it("is dropped when its time is over", with(function(loop, pool)
        local c = kept.connection(pool)
        assert.equal(C.NGX_OK, kept.park(pool, c, 1000000))
        kept.await_drop(loop, "TIMEOUT", 1)
        assert.equal(0, pool.connections)
        c = kept.connection(pool)
        assert.equal(C.NGX_OK, kept.park(pool, c, 3600 * 1000000000ULL))
        assert.equal(c, kept.take(pool))
        assert.equal(0, c.read.timer_set)
        kept.close(pool, c)
    end))

    it("makes room in its pool, the oldest first", with(function(loop, pool)
        C.ql_keepalive_set(pool, 2, helper.CONF_UNSET, 0)
        local c, b = kept.fill(pool, 4)
        assert.equal(2, kept.dropped(loop, "EVICTED"))
        assert.is_true(closed(b[1]) and closed(b[2]))
        assert.equal(c[4], kept.take(pool))
        assert.equal(c[3], kept.take(pool))
        kept.close(pool, c[3])
        kept.close(pool, c[4])
    end))

    it("makes room for those of other pools", with(function(loop, pool)
        local other = kept.open(loop, "there")
        local _, b = kept.fill(pool, 2)
        kept.fill(other, 2)
        assert.is_true(closed(b[1]))
        assert.equal(1, pool.nidle)
        assert.equal(2, other.nidle)
        loop.conf.keepalive = 1
        C.ql_keepalive_trim(loop)
        assert.equal(1, select(2, kept.stats(loop)))
        assert.equal(1, other.nidle)
        C.ql_keepalive_close(other)
    end, { keepalive = 3 }))

    it("is closed at once where none may be kept", with(function(_, pool)
        local _, b = kept.fill(pool, 1)
        assert.is_true(closed(b[1]))
        assert.equal(0, pool.connections)
    end, { keepalive = 0 }))

    it("stays when its io table says that nothing came for it",
        with(function(loop, pool)
            local io = ffi.new("ql_os_io_t", C.ql_os_io)
            local looks = 0
            io.recv = function(c)
                looks = looks + 1
                ends.drain(c.fd)
                c.read.ready = 0
                return C.NGX_AGAIN
            end
            local c, b = kept.connection(pool)
            c.io = io
            assert.equal(C.NGX_OK, kept.park(pool, c))
            ends.write(b, "a ticket")
            helper.run_until(loop, function() return looks == 1 end)
            assert.equal(1, pool.nidle)
            assert.equal(c, kept.take(pool))
            assert.equal(2, looks)
            kept.close(pool, c)
            io.recv:free()
        end))
end)

describe("parking", function()
    it("fails without memory, and the connection is the caller's",
        forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            local pool = kept.open(loop, "here")
            local c = kept.connection(pool)
            for call, err in pairs { malloc = errno.ENOMEM,
                epoll_ctl = errno.ENOSPC } do
                inject.ql_inject_fail(call, -1, 1, 1, err)
                assert.equal(C.NGX_ERROR, kept.park(pool, c))
                assert.equal(err, ffi.errno())
                inject.ql_inject_clear()
            end
            assert.equal(0, pool.nidle)
            kept.close(pool, c)
            C.ql_keepalive_close(pool)
            kept.finish()
        end))
end)

describe("kept connections", function()
    it("are closed with their loop", forked(function()
        local loop = C.ql_loop_create(nil, nil)
        local pool = kept.open(loop, "here")
        local _, b = kept.fill(pool, 2)
        C.ql_loop_destroy(loop)
        assert.is_true(closed(b[1]) and closed(b[2]))
        kept.finish()
    end))

    it("are their process's: a child has none and takes nothing from them",
        with(function(loop, pool)
            local c, b = kept.fill(pool, 1)
            ends.turn(loop)
            grandchild(function()
                ends.write(b[1], "x") -- the parent's to read
                assert(C.ql_loop_init(loop) == C.NGX_OK)
                assert(kept.dropped(loop, "FORKED") == 1)
                assert(kept.take(pool) == nil)
            end)
            assert.equal(1, pool.nidle)
            assert.equal("x", ends.drain(c[1].fd))
            assert.equal(c[1], kept.take(pool))
            kept.close(pool, c[1])
        end))
end)

describe("ql_test_idle", function()
    it("tells what the peer has done", with(function(loop)
        local a, b = ends.pair()
        local c = ends.connection(loop, a)
        local byte = ffi.new("char[1]")
        local function test()
            local rc = C.ql_test_idle(c, byte)
            if rc == C.NGX_OK and helper.injected then
                rc = C.ql_test_idle(c, byte) -- the first look was an EAGAIN
            end
            return rc
        end
        assert.equal(C.NGX_OK, test())
        ends.write(b, "xy")
        assert.equal(C.NGX_DECLINED, test())
        assert.equal(("x"):byte(), byte[0])
        assert.equal(C.NGX_DECLINED, test())
        ends.close(b)
        assert.equal(C.NGX_DONE, test())
        C.ql_close_connection(c)
    end))
end)
