local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, calls = helper.forked, sockets.calls

local EBADF_FD = 999999

local function is_open(fd)
    return ffi.C.fcntl(fd, 1) ~= -1
end

local function levels()
    local list = {}
    for i, line in ipairs(helper.log()) do
        list[i] = line.level
    end
    return list
end

-- A loop whose calls are counted, a connection of it in the epoll set.
local function watched()
    local loop = helper.loop({}, inject.ql_inject_new(nil))
    local ours, theirs = sockets.pair()
    local c = sockets.wrap(loop, ours)
    assert.equal(C.NGX_OK, C.ql_handle_read_event(c.read, 0))
    assert.equal(1, c.read.active)
    return loop, c, ours, theirs
end

describe("ql_close_connection", function()
    it("closes the descriptor and gives the struct back", forked(function()
        local loop, c, ours, theirs = watched()
        C.ql_close_connection(c)
        assert.is_false(is_open(ours))
        assert.equal(-1, c.fd)
        assert.equal(0, tonumber(helper.stats(loop).live))
        assert.equal("", sockets.read(theirs, 1))
        ffi.C.close(theirs)
    end))

    it("deletes timers and posted events", forked(function()
        local loop, c, _, theirs = watched()
        assert.equal(0, inject.ql_probe_start(loop, 4))
        c.read.handler, c.write.handler = inject.ql_probe, inject.ql_probe
        C.ql_add_timer(loop, c.read, 0)
        C.ql_add_timer(loop, c.write, 0)
        C.ql_post_event(loop, c.read)
        C.ql_post_next_event(loop, c.write)
        C.ql_close_connection(c)
        local stats = helper.stats(loop)
        assert.same({ 0, 0 }, { tonumber(stats.timers),
            tonumber(stats.posted) })
        C.ql_process_events_and_timers(loop, 0)
        C.ql_process_events_and_timers(loop, 0)
        assert.equal(0, tonumber(inject.ql_probe_count()))
        ffi.C.close(theirs)
    end))

    it("costs no epoll_ctl", forked(function()
        local _, c, _, theirs = watched()
        local before = calls("epoll_ctl")
        C.ql_close_connection(c)
        assert.equal(before, calls("epoll_ctl"))
        ffi.C.close(theirs)
    end))

    it("takes a shared descriptor out of the epoll set", forked(function()
        local loop, c, ours, theirs = watched()
        local copy = ffi.C.dup(ours)
        c.shared = 1
        C.ql_close_connection(c)
        sockets.write(theirs, "x")
        C.ql_process_events_and_timers(loop, 0)
        assert.equal(0, tonumber(helper.stats(loop).stale))
        ffi.C.close(copy)
        ffi.C.close(theirs)
    end))

    it("leaves a borrowed descriptor open and out of the set",
        forked(function()
            local loop, c, ours, theirs = watched()
            c.borrowed = 1
            C.ql_close_connection(c)
            assert.is_true(is_open(ours))
            sockets.write(theirs, "x")
            C.ql_process_events_and_timers(loop, 0)
            assert.equal(0, tonumber(helper.stats(loop).stale))
            assert.equal("x", sockets.read(ours, 4))
            assert.equal(0, calls("close"))
            ffi.C.close(ours)
            ffi.C.close(theirs)
        end))

    it("a second time is a bug of ours: ALERT, nothing closed",
        forked(function()
            local loop, c, ours, theirs = watched()
            C.ql_close_connection(c)
            local reused = ffi.C.dup(theirs)
            assert.equal(ours, reused)
            helper.expect_alerts(1)
            C.ql_close_connection(c)
            assert.is_true(is_open(reused))
            assert.equal(1, tonumber(helper.stats(loop).closed))
            ffi.C.close(reused)
            ffi.C.close(theirs)
        end))

    it("is not repeated on EINTR", forked(function()
        local loop, c, ours, theirs = watched()
        inject.ql_inject_fail("close", ours, 1, 0, errno.EINTR)
        C.ql_close_connection(c)
        assert.equal(1, calls("close"))
        assert.same({}, levels())
        inject.ql_inject_clear()
        ffi.C.close(theirs)
        assert.equal(0, tonumber(helper.stats(loop).live))
    end))

    it("says when close(2) failed", forked(function()
        local _, c, ours, theirs = watched()
        inject.ql_inject_fail("close", ours, 1, 1, errno.EIO)
        C.ql_close_connection(c)
        assert.same({ C.QL_LOG_ERR }, levels())
        ffi.C.close(theirs)
    end))

    it("copes with a descriptor that was closed behind its back",
        forked(function()
            local loop = helper.loop()
            C.ql_close_connection(sockets.wrap(loop, EBADF_FD))
            assert.same({ C.QL_LOG_ERR }, levels())
        end))

    it("inside its own handler ends the delivery", forked(function()
        local loop, c, _, theirs = watched()
        local called = 0
        c.read.handler = helper.handler(function(ev)
            called = called + 1
            C.ql_close_connection(ffi.cast("ql_connection_t *", ev.data))
        end)
        c.write.handler = c.read.handler
        ffi.C.close(theirs)
        helper.run_until(loop, function() return called > 0 end)
        C.ql_process_events_and_timers(loop, 0)
        assert.equal(1, called)
        assert.equal(-1, c.fd)
    end))
end)

describe("the end of a loop", function()
    it("closes what is still open", forked(function()
        local loop = C.ql_loop_create(nil, nil)
        local ours, theirs = sockets.pair()
        local lent, other = sockets.pair()
        local c = sockets.wrap(loop, ours)
        C.ql_handle_read_event(c.read, 0)
        sockets.wrap(loop, lent).borrowed = 1
        C.ql_loop_destroy(loop)
        assert.is_false(is_open(ours))
        assert.is_true(is_open(lent))
        for _, fd in ipairs { theirs, lent, other } do
            ffi.C.close(fd)
        end
    end))

    it("needs no turn to have been made", forked(function()
        C.ql_loop_destroy(C.ql_loop_create(nil, nil))
        C.ql_loop_destroy(nil)
    end))
end)
