local helper = require "spec.helper"
local C = helper.C
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

describe("posted events", function()
    it("are called in the order of posting", forked(function()
        local loop = helper.loop()
        local events, order = noting(loop, 3)
        for _, i in ipairs { 2, 3, 1 } do
            C.ql_post_event(loop, events[i])
        end
        assert.equal(3, posted(loop))
        turn(loop)
        assert.same({ 2, 3, 1 }, order)
        assert.equal(0, posted(loop))
    end))

    it("come last, before the loop waits", forked(function()
        local loop = helper.loop()
        local events, order = noting(loop, 3)
        events[4] = helper.event(loop, helper.handler(function()
            order[#order + 1] = 4
            C.ql_post_last_event(loop, events[1])
            C.ql_post_event(loop, events[2])
        end))
        C.ql_post_event(loop, events[4])
        turn(loop)
        assert.same({ 4, 2 }, order)
        assert.equal(1, posted(loop))
        turn(loop)
        assert.same({ 4, 2, 1 }, order)
        C.ql_post_last_event(loop, events[3])
        C.ql_delete_posted_event(loop, events[3])
        turn(loop)
        assert.same({ 4, 2, 1 }, order)
    end))

    it("are posted once", forked(function()
        local loop = helper.loop()
        local events, order = noting(loop, 2)
        C.ql_post_event(loop, events[1])
        C.ql_post_event(loop, events[2])
        C.ql_post_event(loop, events[1])
        assert.equal(2, posted(loop))
        turn(loop)
        assert.same({ 1, 2 }, order)
    end))

    it("can be deleted, in a queue or not", forked(function()
        local loop = helper.loop()
        local events, order = noting(loop, 3)
        for i = 1, 3 do
            C.ql_post_event(loop, events[i])
        end
        C.ql_delete_posted_event(loop, events[2])
        C.ql_delete_posted_event(loop, events[2])
        assert.equal(0, events[2].posted)
        turn(loop)
        assert.same({ 1, 3 }, order)
    end))

    it("lose `posted` before they are called", forked(function()
        local loop = helper.loop()
        local seen
        local ev = helper.event(loop, helper.handler(function(called)
            seen = called.posted
        end))
        C.ql_post_event(loop, ev)
        assert.equal(1, ev.posted)
        turn(loop)
        assert.equal(0, seen)
    end))

    it("may delete a later one of their round", forked(function()
        local loop = helper.loop()
        local events, order = noting(loop, 2)
        local first = helper.event(loop, helper.handler(function()
            C.ql_delete_posted_event(loop, events[1])
        end))
        C.ql_post_event(loop, first)
        C.ql_post_event(loop, events[1])
        C.ql_post_event(loop, events[2])
        turn(loop)
        assert.same({ 2 }, order)
    end))

    it("do not let the loop sleep", forked(function()
        local loop = helper.loop()
        local events, order = noting(loop, 1)
        C.ql_post_event(loop, events[1])
        local start = helper.now()
        assert.equal(C.NGX_OK, C.ql_process_events_and_timers(loop, 5000))
        assert.is_true(helper.now() - start < 4)
        assert.same({ 1 }, order)
    end))

    it("that post themselves starve no timer", forked(function()
        local loop = helper.loop()
        local fired, calls = false, 0
        local again
        again = helper.event(loop, helper.handler(function(ev)
            calls = calls + 1
            if not fired then
                C.ql_post_event(loop, ev)
            end
        end))
        C.ql_add_timer(loop, helper.event(loop, helper.handler(function()
            fired = true
        end)), 20)
        C.ql_post_event(loop, again)
        helper.run_until(loop, function() return fired end)
        assert.is_true(calls > 1)
        C.ql_delete_posted_event(loop, again)
    end))

    it("are bounded a turn", forked(function()
        local loop = helper.loop()
        local inject = helper.inject
        assert.equal(0, inject.ql_probe_start(loop, 1))
        local events = {}
        for i = 1, 5000 do
            events[i] = helper.event(loop, inject.ql_probe)
            C.ql_post_event(loop, events[i])
        end
        turn(loop)
        local calls = tonumber(inject.ql_probe_count())
        assert.is_true(calls >= 1)
        assert.equal(5000 - calls, posted(loop))
        helper.run_until(loop, function() return posted(loop) == 0 end)
        assert.equal(5000, tonumber(inject.ql_probe_count()))
    end))
end)

describe("events posted for the next turn", function()
    it("wait for it and are then ready", forked(function()
        local loop = helper.loop()
        local calls, ready = 0, nil
        local next_event = helper.event(loop, helper.handler(function(ev)
            calls = calls + 1
            ready = ev.ready
        end))
        local now = helper.event(loop, helper.handler(function()
            C.ql_post_next_event(loop, next_event)
        end))
        C.ql_post_event(loop, now)
        turn(loop)
        assert.equal(0, calls)
        assert.equal(1, next_event.posted)
        turn(loop)
        assert.same({ 1, 1 }, { calls, ready })
    end))

    it("do not let the loop sleep", forked(function()
        local loop = helper.loop()
        local events, order = noting(loop, 1)
        C.ql_post_next_event(loop, events[1])
        local start = helper.now()
        assert.equal(C.NGX_OK, C.ql_process_events_and_timers(loop, 5000))
        assert.is_true(helper.now() - start < 4)
        assert.same({ 1 }, order)
    end))

    it("can be deleted", forked(function()
        local loop = helper.loop()
        local events, order = noting(loop, 1)
        C.ql_post_next_event(loop, events[1])
        C.ql_delete_posted_event(loop, events[1])
        turn(loop)
        assert.same({}, order)
    end))
end)
