local helper = require "spec.helper"
local ends = require "spec.support.ends"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local errno = helper.errno
local IN, OUT, ERR, HUP, RDHUP = ends.IN, ends.OUT, ends.ERR, ends.HUP,
    ends.RDHUP

local function new_loop(settings)
    local loop = helper.loop(settings, inject.ql_inject_new(nil))
    assert(C.ql_loop_init(loop) == C.NGX_OK)
    return loop
end

-- A watched connection whose handlers write down r and w, and close(), which
-- ends it.
local function noting(loop)
    local calls = {}
    local c, b = ends.watched(loop, function() calls[#calls + 1] = "r" end,
        function() calls[#calls + 1] = "w" end)
    ends.process(loop, C.QL_POST_EVENTS) -- the edge of being writable
    C.ql_delete_posted_event(loop, c.write)
    c.read.ready, c.write.ready = 0, 0
    return c, function()
        local text = table.concat(calls)
        calls = {}
        return text
    end, function()
        C.ql_close_connection(c)
        ends.close(b)
    end, b
end

describe("a wait that fails", function()
    it("by a signal is the caller's to look at", forked(function()
        local loop = new_loop()
        C.ql_log_set_level(loop, C.QL_LOG_INFO)
        inject.ql_inject_fail("epoll_pwait2", -1, 1, 1, errno.EINTR)
        assert.equal(C.NGX_ERROR, ends.process(loop))
        assert.equal(errno.EINTR, ffi.errno())
        local line = helper.log()[1]
        assert.same({ C.QL_LOG_INFO,
            "epoll_wait() interrupted (4: Interrupted system call)" },
            { line.level, line.text })
    end))

    it("by the alarm is none, and time is updated", forked(function()
        local loop = new_loop()
        inject.ql_inject_clock_freeze(1)
        C.ql_time_update(loop)
        local before = tonumber(C.ql_msec(loop))
        inject.ql_inject_clock(7000000)
        loop.timer_alarm = 1
        inject.ql_inject_fail("epoll_pwait2", -1, 1, 1, errno.EINTR)
        assert.equal(C.NGX_OK, ends.process(loop))
        assert.equal(0, loop.timer_alarm)
        assert.equal(before + 7, tonumber(C.ql_msec(loop)))
    end))

    it("without events and without timeout is a bug", forked(function()
        helper.expect_alerts(1)
        local loop = new_loop()
        inject.ql_inject_result("epoll_pwait2", -1, 1, 2, 0)
        assert.equal(C.NGX_OK, ends.process(loop, 0, 5))
        assert.equal(C.NGX_ERROR, ends.process(loop, 0, helper.INFINITE))
        assert.equal("epoll_wait() returned no events without timeout",
            helper.log()[1].text)
    end))
end)

describe("the timeout of a wait", function()
    -- The calls of a loop that waits for each of the times.
    local function waits(times, refused)
        local seen, refusals = {}, 0
        local real = C.ql_sys_default.epoll_wait
        local sys = ffi.new("ql_sys_t", C.ql_sys_default)
        sys.epoll_wait = function(ep, events, n, timeout)
            seen[#seen + 1] = timeout
            return real(ep, events, n, 0)
        end
        sys.epoll_pwait2 = function(ep, events, n, timeout)
            if refused then
                refusals = refusals + 1
                ffi.errno(refused)
                return -1
            end
            seen[#seen + 1] = timeout == nil and "for ever" or {
                tonumber(timeout.tv_sec), tonumber(timeout.tv_nsec) }
            return real(ep, events, n, 0)
        end
        local loop = helper.loop({}, sys)
        C.ql_log_set_debug(loop, C.QL_DEBUG_EVENT)
        assert.equal(C.NGX_OK, C.ql_loop_init(loop))
        for _, ns in ipairs(times) do
            C.ql_notify(loop) -- so that there is an event each time
            assert.equal(C.NGX_OK, ends.process(loop, 0, ns))
        end
        helper.finish(loop)
        return seen, refusals
    end

    local function said()
        local n = 0
        for _, line in ipairs(helper.log()) do
            n = n + (line.text:find("^epoll_pwait2%(%) refused: ") and 1 or 0)
        end
        return n
    end

    it("is exact", forked(function()
        assert.same({ { 0, 0 }, { 0, 1 }, { 0, 999999999 }, { 1, 0 },
            { 4398046511, 104000000 }, "for ever" }, (waits { 0, 1, 999999999,
            1000000000, 4398046511104000000ULL, helper.INFINITE }))
        assert.equal(0, said())
    end))

    for name, refusal in pairs { ENOSYS = errno.ENOSYS, EPERM = errno.EPERM } do
        it("is milliseconds, rounded up, after " .. name, forked(function()
            local seen, refusals = waits({ 0, 1, 1000000, 1000001, 2000000,
                4398046511104000000ULL, helper.INFINITE }, refusal)
            assert.same({ 0, 1, 1, 2, 2, 2 ^ 31 - 1, -1 }, seen)
            assert.same({ 1, 1 }, { refusals, said() })
        end))
    end

    it("is not given up for another error", forked(function()
        local loop = new_loop()
        inject.ql_inject_fail("epoll_pwait2", -1, 1, 1, errno.EINTR)
        assert.equal(C.NGX_ERROR, ends.process(loop))
        assert.equal(C.NGX_OK, ends.process(loop))
        assert.equal(0, tonumber(inject.ql_inject_calls("epoll_wait")))
    end))
end)

describe("an event", function()
    it("is handled at once", forked(function()
        local loop = new_loop()
        local c, calls, done = noting(loop)
        ends.report { { c, IN + OUT } }
        assert.equal(C.NGX_OK, ends.process(loop, 0))
        assert.equal("rw", calls())
        assert.same({ 1, 1, 0 }, { c.read.ready, c.write.ready,
            c.read.posted })
        done()
    end))

    it("is posted when asked", forked(function()
        local loop = new_loop()
        local c, calls, done = noting(loop)
        ends.report { { c, IN + OUT } }
        assert.equal(C.NGX_OK, ends.process(loop, C.QL_POST_EVENTS))
        assert.same({ "", 1, 1, 1 }, { calls(), c.read.posted,
            c.write.posted, c.read.ready })
        ends.turn(loop)
        assert.equal("rw", calls())
        done()
    end))

    it("of a listener goes to a queue of its own", forked(function()
        for _, flag in ipairs { C.QL_POST_EVENTS, C.QL_POST_THREAD_EVENTS } do
            local loop = new_loop()
            local c, calls, done = noting(loop)
            c.read.accept = 1
            ends.report { { c, IN } }
            ends.process(loop, flag)
            assert.is_true(loop.posted.next == loop.posted)
            assert.is_true(loop.posted_accept.next == c.read.queue)
            assert.equal(1, c.read.ready)
            C.ql__posted_process_accept(loop)
            assert.equal("r", calls())
            done()
        end
    end))

    it("is ready when its queue reaches it, with POST_THREAD_EVENTS",
        forked(function()
            local loop = new_loop()
            local c, calls, done = noting(loop)
            local ready
            c.read.handler = helper.handler(function(rev)
                ready = rev.ready
            end)
            ends.report { { c, IN } }
            ends.process(loop, C.QL_POST_THREAD_EVENTS)
            assert.same({ 0, 1, 1 }, { c.read.ready, c.read.posted_ready,
                c.read.posted })
            C.ql__posted_process(loop)
            assert.same({ 1, 0 }, { ready, c.read.posted_ready })
            assert.equal("", calls())
            done()
        end))

    it("that waits is ready when it is taken out of its queue",
        forked(function()
            local loop = new_loop()
            local c, calls, done = noting(loop)
            ends.report { { c, IN } }
            ends.process(loop, C.QL_POST_THREAD_EVENTS)
            C.ql_delete_posted_event(loop, c.read)
            assert.same({ 1, 0, "" }, { c.read.ready, c.read.posted_ready,
                calls() })
            done()
        end))

    it("on which nobody is parked is ready and not posted", forked(function()
        local loop = new_loop()
        local c, calls, done = noting(loop)
        c.read.handler, c.write.handler = nil, nil
        for _, flags in ipairs { 0, C.QL_POST_EVENTS,
            C.QL_POST_THREAD_EVENTS } do
            c.read.ready, c.write.ready = 0, 0
            ends.report { { c, IN + OUT } }
            ends.process(loop, flags)
            assert.same({ 1, 1, 0, 0 }, { c.read.ready, c.write.ready,
                c.read.posted, c.write.posted })
        end
        assert.equal("", calls())
        done()
    end))

    it("is for active directions only", forked(function()
        local loop = new_loop()
        local c, calls, done = noting(loop)
        for _, case in ipairs { { 1, 0, "r" }, { 0, 1, "w" },
            { 0, 0, "" } } do
            c.read.active, c.write.active = case[1], case[2]
            ends.report { { c, IN + OUT } }
            ends.process(loop)
            assert.equal(case[3], calls())
        end
        done()
    end))

    it("with ERR or HUP reaches every active direction", forked(function()
        local loop = new_loop()
        local c, calls, done = noting(loop)
        for _, events in ipairs { ERR, HUP, ERR + HUP, ERR + IN, ERR + OUT,
            HUP + IN, HUP + OUT, HUP + RDHUP } do
            for _, case in ipairs { { 1, 1, "rw" }, { 1, 0, "r" },
                { 0, 1, "w" } } do
                c.read.active, c.write.active = case[1], case[2]
                ends.report { { c, events } }
                ends.process(loop)
                assert.equal(case[3], calls())
            end
        end
        done()
    end))

    it("with RDHUP sets pending_eof", forked(function()
        local loop = new_loop()
        local c, calls, done, b = noting(loop)
        ends.report { { c, IN } }
        ends.process(loop)
        assert.equal(0, c.read.pending_eof)
        ffi.C.shutdown(b, 1)
        ends.process(loop)
        assert.equal(1, c.read.pending_eof)
        assert.matches("^rr", calls())
        done()
    end))

    it("forgets how many bytes there were", forked(function()
        local loop = new_loop()
        local c, _, done = noting(loop)
        c.read.available = 100
        ends.report { { c, IN } }
        ends.process(loop)
        assert.equal(-1, c.read.available)
        done()
    end))

    it("of a saturated eventfd, with ERR, is drained", forked(function()
        local loop = new_loop()
        local eventfd = loop.notify.eventfd
        local most = ffi.new("uint64_t[1]", 0xfffffffffffffffeULL)
        ffi.C.write(eventfd, most, 8)
        assert.equal(C.NGX_OK, C.ql_notify(loop)) -- EAGAIN: on its way
        ends.report { { loop.notify.conn, IN + ERR } }
        ends.turn(loop)
        assert.equal("", ends.drain(eventfd))
        ends.turn(loop)
    end))

    it("is counted", forked(function()
        local loop = new_loop()
        local c, _, done = noting(loop)
        local before = tonumber(helper.stats(loop).events)
        ends.report { { c, IN + OUT }, { c, IN } }
        ends.process(loop)
        assert.equal(before + 2, tonumber(helper.stats(loop).events))
        done()
    end))

    it("of a descriptor above 1,024 comes as well", forked(function()
        local loop = new_loop()
        local a, b = ends.pair()
        local fd = ffi.C.fcntl(a, 1030, ffi.cast("int", 1500)) -- DUPFD_CLOEXEC
        assert.is_true(fd >= 1500)
        ends.close(a)
        local got
        local c = ends.connection(loop, fd, function() got = true end)
        C.ql_handle_read_event(c.read, 0)
        ends.write(b, "x")
        helper.run_until(loop, function() return got end)
        C.ql_close_connection(c)
        ends.close(b)
    end))
end)

describe("a batch", function()
    it("gives the same in any order and size", forked(function()
        local function bytes(settings, seed)
            local loop = new_loop(settings)
            inject.ql_inject_shuffle(seed)
            local got, open = { "", "", "", "" }, {}
            for i = 1, 4 do
                open[i] = { ends.watched(loop, function(rev)
                    got[i] = got[i] .. ends.drain(open[i][1].fd)
                    rev.ready = 0
                end) }
            end
            for i = 1, 20 do
                ends.write(open[i % 4 + 1][2], string.char(96 + i))
                ends.turn(loop)
            end
            for i = 1, 4 do
                C.ql_close_connection(open[i][1])
                ends.close(open[i][2])
            end
            return got
        end
        local expected = { "dhlpt", "aeimq", "bfjnr", "cgkos" }
        assert.same(expected, bytes({}, 0))
        assert.same(expected, bytes({}, 99))
    end))
end)
