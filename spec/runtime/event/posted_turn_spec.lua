local helper = require "spec.helper"
local ends = require "spec.support.ends"
local C, inject = helper.C, helper.inject
local forked = helper.forked

-- n events that note their number in `order` when they are called.
local function noting(loop, n)
    local order, events = {}, {}
    for i = 1, n do
        events[i] = helper.event(loop, helper.handler(function()
            order[#order + 1] = i
        end))
    end
    return events, order
end

local function turn(loop)
    assert.equal(C.NGX_OK, C.ql_process_events_and_timers(loop, 0))
end

local function posted(loop)
    return tonumber(helper.stats(loop).posted)
end

describe("a turn's budget", function()
    -- A loop with an event that posts itself for ever.
    local function endless(settings)
        local loop = helper.loop(settings, inject.ql_inject_new(nil))
        inject.ql_inject_clock_freeze(1)
        local calls = { n = 0 }
        calls.ev = helper.event(loop, helper.handler(function(ev)
            calls.n = calls.n + 1
            C.ql_post_event(loop, ev)
        end))
        C.ql_post_event(loop, calls.ev)
        return loop, calls
    end

    it("is 1,024 events", forked(function()
        local loop, calls = endless()
        for i = 1, 3 do
            turn(loop)
            assert.equal(1024 * i, calls.n)
        end
        C.ql_delete_posted_event(loop, calls.ev)
    end))

    it("is 1 ms", forked(function()
        local loop, calls = endless()
        local passed = 0
        local handler = helper.handler(function(ev)
            calls.n = calls.n + 1
            passed = passed + 200000
            inject.ql_inject_clock(passed)
            C.ql_post_event(loop, ev)
        end)
        calls.ev.handler = handler
        turn(loop)
        assert.is_true(calls.n >= 5 and calls.n <= 12)
        C.ql_delete_posted_event(loop, calls.ev)
    end))

    -- The events of one turn when each takes `us`, in an endless loop with a
    -- timer of 300 us.
    local function until_timer(us, settings)
        local loop, calls = endless(settings)
        C.ql_loop_init(loop)
        C.ql_time_update(loop)
        local passed = 0
        calls.ev.handler = helper.handler(function(ev)
            calls.n = calls.n + 1
            passed = passed + us * 1000
            inject.ql_inject_clock(passed)
            C.ql_post_event(loop, ev)
        end)
        local timer = helper.event(loop, nil)
        C.ql_add_timer_nsec(loop, timer, 300000)
        turn(loop)
        assert.equal(0, timer.timedout)
        local n = calls.n
        turn(loop)
        C.ql_delete_posted_event(loop, calls.ev)
        C.ql_del_timer(loop, timer)
        return n, timer.timedout
    end

    it("ends when a timer is due", forked(function()
        assert.same({ 4, 1 }, { until_timer(100) })
        local n, timedout = until_timer(5)
        assert.is_true(n >= 60 and n <= 72)
        assert.equal(1, timedout)
    end))

    it("does not end for a timer that waits for the alarm", forked(function()
        assert.same({ 10, 0 }, { until_timer(100,
            { timer_resolution = 60000 }) })
    end))

    it("costs a look at the clock for every eighth quick event",
        forked(function()
            local loop, calls = endless()
            turn(loop)
            local before = inject.ql_inject_calls("clock_gettime")
            turn(loop)
            assert.is_true(inject.ql_inject_calls("clock_gettime") - before
                <= 1024 / 8 + 4)
            C.ql_delete_posted_event(loop, calls.ev)
        end))

    -- The events of each of n turns, of 600 us each, after a turn of quick
    -- ones. looks: they bring the loop's time up to date.
    local function slow_turns(n, looks)
        local loop, calls = endless()
        turn(loop)
        local passed, counts = 0, {}
        calls.ev.handler = helper.handler(function(ev)
            calls.n = calls.n + 1
            passed = passed + 600000
            inject.ql_inject_clock(passed)
            if looks then
                C.ql_time_update(loop)
            end
            C.ql_post_event(loop, ev)
        end)
        for i = 1, n do
            local before = calls.n
            turn(loop)
            counts[i] = calls.n - before
        end
        C.ql_delete_posted_event(loop, calls.ev)
        return counts
    end

    it("is kept by slow events behind quick ones", forked(function()
        assert.same({ 8, 4, 2, 2, 2 }, slow_turns(5, false))
        assert.same({ 2, 2 }, slow_turns(2, true))
    end))

    it("lets descriptors be served", forked(function()
        local loop, calls = endless()
        local got = false
        local c, b = ends.watched(loop, function(rev)
            rev.ready = 0
            got = true
        end)
        ends.write(b, "x")
        turn(loop)
        turn(loop)
        assert.is_true(got)
        C.ql_delete_posted_event(loop, calls.ev)
        C.ql_close_connection(c)
        ends.close(b)
    end))

    it("carries the rest of a round over, in order", forked(function()
        local loop, calls = endless()
        C.ql_delete_posted_event(loop, calls.ev)
        local events = {}
        assert.equal(0, inject.ql_probe_start(loop, 2000))
        for i = 1, 1500 do
            events[i] = helper.event(loop, inject.ql_probe)
            C.ql_post_event(loop, events[i])
        end
        turn(loop)
        assert.equal(1024, tonumber(inject.ql_probe_count()))
        assert.equal(476, posted(loop))
        C.ql_delete_posted_event(loop, events[1025])
        C.ql_post_event(loop, events[1])
        turn(loop)
        local records = inject.ql_probe_records()
        for n, i in pairs { [1025] = 1026, [1499] = 1500, [1500] = 1 } do
            assert.is_true(records[n - 1].ev == events[i])
        end
    end))
end)

describe("accept events", function()
    it("that post themselves wait for the next turn", forked(function()
        local loop = helper.loop()
        local calls = 0
        local ev = helper.event(loop, helper.handler(function(called)
            calls = calls + 1
            C.ql_post_event(loop, called)
        end))
        ev.accept = 1
        C.ql_post_event(loop, ev)
        for i = 1, 5 do
            turn(loop)
            assert.equal(i, calls)
        end
        C.ql_delete_posted_event(loop, ev)
    end))

    it("may delete one another", forked(function()
        local loop = helper.loop()
        local events, order = noting(loop, 3)
        for i = 1, 3 do
            events[i].accept = 1
            C.ql_post_event(loop, events[i])
        end
        local first = helper.event(loop, helper.handler(function()
            C.ql_delete_posted_event(loop, events[2])
        end))
        first.accept = 1
        C.ql_delete_posted_event(loop, events[1])
        C.ql_post_event(loop, first)
        C.ql_post_event(loop, events[1])
        turn(loop)
        assert.same({ 2, 3, 1 }, order)
    end))
end)

describe("a posted event", function()
    it("whose handler has left by then is let go", forked(function()
        local loop = helper.loop()
        local events, order = noting(loop, 2)
        C.ql_post_event(loop, events[1])
        C.ql_post_event(loop, events[2])
        events[1].handler = nil
        turn(loop)
        assert.same({ 2 }, order)
        assert.equal(0, events[1].posted)
    end))

    it("may run a turn, which goes on with its round", forked(function()
        local loop = helper.loop()
        local events, order = noting(loop, 3)
        local nested = helper.event(loop, helper.handler(function()
            C.ql_process_events_and_timers(loop, 60000)
            order[#order + 1] = "nested"
        end))
        C.ql_post_event(loop, events[1])
        C.ql_post_event(loop, nested)
        C.ql_post_event(loop, events[2])
        C.ql_post_event(loop, events[3])
        turn(loop)
        assert.same({ 1, 2, 3, "nested" }, order)
    end))

    it("is deleted by the close of its connection", forked(function()
        local loop = helper.loop()
        local c, b = ends.watched(loop, function() error("called") end,
            function() error("called") end)
        C.ql_post_event(loop, c.read)
        C.ql_post_next_event(loop, c.write)
        C.ql_add_timer(loop, c.read, 0)
        C.ql_close_connection(c)
        assert.equal(0, posted(loop))
        turn(loop)
        ends.close(b)
    end))
end)
