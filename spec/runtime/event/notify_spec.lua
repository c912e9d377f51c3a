local helper = require "spec.helper"
local ends = require "spec.support.ends"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local errno = helper.errno

-- n events with the probe for a handler; keep it while they are in use.
local function events_of(loop, n)
    local list = ffi.new("ql_event_t *[?]", n)
    local structs = ffi.new("ql_event_t[?]", n)
    for i = 0, n - 1 do
        structs[i].handler = inject.ql_probe
        list[i] = structs + i
    end
    assert(inject.ql_probe_start(loop, n) == 0)
    return { list = list, structs = structs }
end

local function count()
    return tonumber(inject.ql_probe_count())
end

local function calls(name)
    return tonumber(inject.ql_inject_calls(name))
end

-- Is the loop's descriptor readable?
local function readable(loop)
    local fds = ffi.new("struct pollfd[1]", { { fd = C.ql_loop_fd(loop),
        events = 1 } })
    return ffi.C.poll(fds, 1, 0) == 1
end

describe("a watched loop", function()
    local function watched()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        C.ql_loop_init(loop)
        ends.turn(loop)
        C.ql_loop_watch(loop)
        assert.is_false(readable(loop))
        return loop
    end

    it("makes the descriptor readable for what is posted", forked(function()
        local loop = watched()
        local ev = events_of(loop, 2)
        C.ql_post_event(loop, ev.list[0])
        assert.is_true(readable(loop))
        C.ql_post_event(loop, ev.list[1])
        assert.equal(1, calls("write"))
        ends.turn(loop)
        assert.equal(2, count())
        assert.is_false(readable(loop))
        assert.equal(0, tonumber(helper.stats(loop).events))
        C.ql_post_next_event(loop, ev.list[0])
        assert.is_true(readable(loop))
        ends.turn(loop)
    end))

    it("and for timers", forked(function()
        local loop = watched()
        local ev = helper.event(loop, helper.handler(function() end))
        C.ql_add_timer(loop, ev, 60000)
        assert.is_true(readable(loop))
        ends.turn(loop)
        assert.is_false(readable(loop))
        C.ql_del_timer(loop, ev)
    end))

    it("says nothing of what is done in a turn", forked(function()
        local loop = watched()
        local ev = events_of(loop, 1)
        local post = helper.event(loop, helper.handler(function()
            C.ql_post_event(loop, ev.list[0])
        end))
        C.ql_post_event(loop, post)
        ends.turn(loop)
        assert.equal(1, count())
        assert.equal(1, calls("write"))
    end))

    it("loses nothing that a thread has posted meanwhile", forked(function()
        local loop = watched()
        local ev = events_of(loop, 2)
        assert.equal(0, inject.ql_probe_post_start(loop, ev.list, 1, 1))
        inject.ql_probe_post_join()
        C.ql_post_event(loop, ev.list[1])
        helper.run_until(loop, function() return count() == 2 end)
    end))

    it("leaves a parent's descriptor alone in its child", forked(function()
        local loop = watched()
        local pid = ffi.C.fork()
        if pid == 0 then
            C.ql_post_event(loop, events_of(loop, 1).list[0])
            ffi.C._exit(0)
        end
        local status = ffi.new("int[1]")
        assert.equal(pid, ffi.C.waitpid(pid, status, 0))
        assert.equal(0, status[0])
        assert.is_false(readable(loop))
    end))
end)

describe("ql_notify", function()
    it("ends a wait", forked(function()
        local loop = helper.loop()
        C.ql_loop_init(loop)
        local start = helper.now()
        local none = events_of(loop, 1)
        assert.equal(0, inject.ql_probe_post_start(loop, none.list, 1, 1))
        assert.equal(C.NGX_OK, C.ql_process_events_and_timers(loop, 9000))
        assert.is_true(helper.now() - start < 8)
        inject.ql_probe_post_join()
        helper.run_until(loop, function() return count() == 1 end)
    end))

    it("many times is one wake-up", forked(function()
        local loop = helper.loop()
        C.ql_loop_init(loop)
        for _ = 1, 1000 do
            assert.equal(C.NGX_OK, C.ql_notify(loop))
        end
        ends.turn(loop)
        ends.turn(loop)
        assert.equal(1, tonumber(helper.stats(loop).events))
    end))

    it("is repeated after a signal", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        C.ql_loop_init(loop)
        inject.ql_inject_fail("write", -1, 1, 2, errno.EINTR)
        assert.equal(C.NGX_OK, C.ql_notify(loop))
        assert.equal(3, calls("write"))
        ends.turn(loop)
        assert.equal(1, tonumber(helper.stats(loop).events))
    end))

    it("has nobody to wake before the loop is made", forked(function()
        local loop = helper.loop()
        assert.equal(C.NGX_ERROR, C.ql_notify(loop))
        assert.equal(errno.EBADF, ffi.errno())
    end))
end)

describe("ql_post_from_thread", function()
    it("posts once each, in each thread's order", forked(function()
        local threads, each = 8, 2000
        local loop = helper.loop()
        C.ql_loop_init(loop)
        local events = events_of(loop, threads * each)
        assert.equal(0, inject.ql_probe_post_start(loop, events.list,
            threads, each))
        helper.run_until(loop, function()
            return count() == threads * each
        end)
        inject.ql_probe_post_join()
        local last, records = {}, inject.ql_probe_records()
        for i = 0, threads * each - 1 do
            local index = tonumber(records[i].ev - events.structs)
            local thread = math.floor(index / each)
            assert.equal((last[thread] or thread * each - 1) + 1, index)
            last[thread] = index
        end
        ends.turn(loop)
        assert.equal(threads * each, count())
    end))

    it("wakes the loop with one write for what is taken together",
        forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            C.ql_loop_init(loop)
            local events = events_of(loop, 100)
            for i = 0, 99 do
                C.ql_post_from_thread(loop, events.list[i])
            end
            assert.equal(1, calls("write"))
            ends.turn(loop)
            assert.equal(100, count())
        end))

    it("is not lost when it comes before the loop is made", forked(function()
        local loop = helper.loop()
        local events = events_of(loop, 3)
        for i = 0, 2 do
            C.ql_post_from_thread(loop, events.list[i])
        end
        local start = helper.now()
        assert.equal(C.NGX_OK, C.ql_process_events_and_timers(loop, 9000))
        assert.is_true(helper.now() - start < 8)
        assert.equal(3, count())
    end))

    it("is not lost when the making of the loop fails first",
        forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            local events = events_of(loop, 1)
            C.ql_post_from_thread(loop, events.list[0])
            inject.ql_inject_fail("epoll_ctl", -1, 1, 1, errno.ENOSPC)
            assert.equal(C.NGX_ERROR, C.ql_loop_init(loop))
            ends.turn(loop)
            assert.equal(1, count())
        end))

    it("is taken although the eventfd cannot be read", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        C.ql_loop_init(loop)
        local events = events_of(loop, 2)
        inject.ql_inject_fail("read", loop.notify.eventfd, 1, 1,
            errno.EINTR)
        inject.ql_inject_fail("read", loop.notify.eventfd, 2, 2,
            errno.EAGAIN)
        C.ql_post_from_thread(loop, events.list[0])
        ends.turn(loop)
        assert.equal(1, count())
        C.ql_post_from_thread(loop, events.list[1])
        ends.turn(loop)
        assert.equal(2, count())
    end))
end)
