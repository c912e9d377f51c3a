local helper = require "spec.helper"
local ends = require "spec.support.ends"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local TICK = 16384

-- A loop whose clock stands still, at a whole round of the wheel's first
-- levels, so that no short timer is cascaded, and go(ms, ns): moves it and
-- expires.
local ROUND = 64 ^ 5 * TICK * 1LL

local function frozen()
    local sys = inject.ql_inject_new(nil)
    inject.ql_inject_clock_freeze(1)
    local loop = helper.loop({}, sys)
    local offset = ROUND - ffi.cast("int64_t", C.ql_nsec(loop)) % ROUND
    local function go(ms, ns)
        offset = offset + ms * 1000000LL + (ns or 0)
        inject.ql_inject_clock(offset)
        C.ql_time_update(loop)
        C.ql_event_expire_timers(loop)
    end
    go(0)
    return loop, go
end

-- An event that counts, and what it does besides.
local function counting(loop, also)
    local fired = { n = 0 }
    fired.ev = helper.event(loop, helper.handler(function(ev)
        fired.n = fired.n + 1
        if also then
            also(ev, fired)
        end
    end))
    return fired
end

local function timers(loop)
    return tonumber(helper.stats(loop).timers)
end

local function find(loop)
    return tonumber(C.ql_event_find_timer(loop))
end

-- ns of a number of ms, rounded up to ticks
local function ticks(ms)
    local ns = ffi.cast("int64_t", ms) * 1000000
    return (ns + TICK - 1) / TICK * TICK
end

-- ns at which ev is due, after `start`
local function due(ev, start)
    return ffi.cast("int64_t", ev.due) - ffi.cast("int64_t", start)
end

describe("a timer", function()
    it("fires once, when it is due and not before", forked(function()
        local loop, go = frozen()
        local fired = counting(loop)
        C.ql_add_timer(loop, fired.ev, 5)
        assert.same({ 1, 1, tonumber(ticks(5)) }, { fired.ev.timer_set,
            timers(loop), find(loop) })
        go(0, ticks(5) - 1)
        assert.equal(0, fired.n)
        go(0, 1)
        go(100)
        assert.same({ 1, 0, 1, 0 }, { fired.n, fired.ev.timer_set,
            fired.ev.timedout, timers(loop) })
    end))

    it("is never early and less than a tick late", forked(function()
        local loop, go = frozen()
        for _, ns in ipairs { 1, TICK / 2, TICK - 1, 499999, 999999 } do
            local fired = counting(loop)
            go(0, ns)
            C.ql_add_timer(loop, fired.ev, 1)
            go(0, 999999)
            assert.equal(0, fired.n)
            go(0, TICK)
            assert.equal(1, fired.n)
        end
    end))

    it("takes nanoseconds", forked(function()
        local loop, go = frozen()
        for _, ns in ipairs { 1, TICK, TICK + 1, 62500, 1000001 } do
            local fired = counting(loop)
            C.ql_add_timer_nsec(loop, fired.ev, ns)
            go(0, ns - 1)
            assert.equal(0, fired.n)
            go(0, TICK)
            assert.equal(1, fired.n)
        end
    end))

    it("takes a time of the clock, also of the past", forked(function()
        local loop, go = frozen()
        local fired = counting(loop)
        local start = C.ql_nsec(loop)
        C.ql_add_timer_at(loop, fired.ev, start + 3 * TICK)
        assert.equal(3 * TICK, find(loop))
        C.ql_add_timer_at(loop, fired.ev, start + 3 * TICK + 1)
        assert.equal(4 * TICK, find(loop))
        for _, at in ipairs { 0, start - 10000000, start } do
            C.ql_add_timer_at(loop, fired.ev, at)
            assert.equal(0, find(loop))
        end
        go(0)
        assert.equal(1, fired.n)
        C.ql_add_timer_at(loop, fired.ev, helper.INFINITE)
        assert.is_true(fired.ev.due == 2ULL ^ 63)
        C.ql_add_timer_nsec(loop, fired.ev, helper.INFINITE - 1)
        assert.is_true(fired.ev.due == 2ULL ^ 63)
        go(2 ^ 42)
        assert.equal(1, fired.n)
        C.ql_del_timer(loop, fired.ev)
    end))

    it("counts from now, or from the cached clock", forked(function()
        local loop, go = frozen()
        local cached, exact = counting(loop), counting(loop)
        local start = C.ql_nsec(loop)
        go(10)
        loop.nsec = loop.nsec - 10000000 -- as if the turn had taken 10 ms
        C.ql_add_timer_cached(loop, cached.ev, 20)
        C.ql_add_timer(loop, exact.ev, 20)
        assert.is_true(due(cached.ev, start) == ticks(20))
        assert.is_true(due(exact.ev, start) == ticks(30))
        go(30)
    end))

    it("that is armed again is moved", forked(function()
        local loop, go = frozen()
        local fired = counting(loop)
        C.ql_add_timer(loop, fired.ev, 5)
        C.ql_add_timer(loop, fired.ev, 50)
        assert.equal(1, timers(loop))
        go(49)
        assert.equal(0, fired.n)
        C.ql_add_timer(loop, fired.ev, 0)
        go(0, TICK)
        assert.equal(1, fired.n)
        go(100)
        assert.equal(1, fired.n)
    end))

    it("can be deleted, armed or not", forked(function()
        local loop, go = frozen()
        local fired = counting(loop)
        C.ql_del_timer(loop, fired.ev)
        C.ql_add_timer(loop, fired.ev, 5)
        C.ql_del_timer(loop, fired.ev)
        C.ql_del_timer(loop, fired.ev)
        assert.same({ 0, 0 }, { fired.ev.timer_set, timers(loop) })
        assert.is_true(C.ql_event_find_timer(loop) == helper.INFINITE)
        go(100)
        assert.equal(0, fired.n)
    end))

    it("in the past fires once and does not spin", forked(function()
        local loop, go = frozen()
        local fired = counting(loop)
        go(10)
        C.ql_add_timer_at(loop, fired.ev, C.ql_nsec(loop) - 10000000)
        assert.equal(0, find(loop))
        ends.turn(loop)
        ends.turn(loop)
        assert.equal(1, fired.n)
        assert.is_true(C.ql_event_find_timer(loop) == helper.INFINITE)
    end))

    it("of 0 ms that arms itself runs once a turn", forked(function()
        local loop = frozen() -- at a whole tick
        local fired = counting(loop, function(ev)
            C.ql_add_timer(loop, ev, 0)
        end)
        C.ql_add_timer(loop, fired.ev, 0)
        for i = 1, 10 do
            ends.turn(loop)
            assert.equal(i, fired.n)
        end
        C.ql_del_timer(loop, fired.ev)
    end))

    it("of 0 ms that arms itself does not spin", forked(function()
        local loop = helper.loop()
        local fired = counting(loop, function(ev)
            C.ql_add_timer(loop, ev, 0)
        end)
        C.ql_add_timer(loop, fired.ev, 0)
        local start = helper.now()
        helper.run_until(loop, function()
            return helper.now() - start >= 0.05
        end)
        local passed = (helper.now() - start) * 1e9 / TICK
        assert.is_true(helper.stats(loop).turns <= 2 * passed + 4)
        C.ql_del_timer(loop, fired.ev)
    end))

    it("takes any number of milliseconds", forked(function()
        local loop, go = frozen()
        local most = 2 ^ 42
        local start = C.ql_nsec(loop)
        local fired = counting(loop)
        for _, ms in ipairs { 2 ^ 32, 2 ^ 41, most, most + 1, 2 ^ 53 } do
            C.ql_add_timer(loop, fired.ev, ms)
            local ns = ticks(math.min(ms, most))
            assert.is_true(due(fired.ev, start) == ns)
            assert.is_true(find(loop) > 0 and find(loop) <= tonumber(ns))
        end
        C.ql_add_timer(loop, fired.ev, helper.INFINITE)
        assert.is_true(due(fired.ev, start) == ticks(most))
        go(0, ticks(most) - 1)
        assert.equal(0, fired.n)
        go(0, 1)
        assert.equal(1, fired.n)
    end))

    it("without a handler only says so", forked(function()
        local loop, go = frozen()
        local ev = helper.event(loop, nil)
        C.ql_add_timer(loop, ev, 1)
        go(1, TICK)
        assert.same({ 1, 0 }, { ev.timedout, ev.timer_set })
    end))

    it("is waited for at once, however far", forked(function()
        local loop, go = frozen()
        local fired = counting(loop)
        go(0, 12345678)
        for _, ms in ipairs { 1, 7, 1000, 60000, 86400000 } do
            C.ql_add_timer(loop, fired.ev, ms)
            assert.equal(tonumber(due(fired.ev, C.ql_nsec(loop))), find(loop))
        end
        go(86400000, TICK)
        assert.equal(1, fired.n)
    end))
end)

describe("timers that are due together", function()
    it("fire in the order of due time, then of arming", forked(function()
        local loop, go = frozen()
        local order, expected = {}, {}
        for i, ms in ipairs { 70, 5, 4096, 5, 70, 0, 5 } do
            local fired = counting(loop, function() order[#order + 1] = i end)
            C.ql_add_timer(loop, fired.ev, ms)
        end
        go(10000)
        for i, n in ipairs { 6, 2, 4, 7, 1, 5, 3 } do
            expected[i] = n
        end
        assert.same(expected, order)
    end))

    it("can delete and move one another", forked(function()
        local loop, go = frozen()
        local deleted, moved = counting(loop), counting(loop)
        local first = counting(loop, function()
            C.ql_del_timer(loop, deleted.ev)
            C.ql_add_timer(loop, moved.ev, 10)
        end)
        C.ql_add_timer(loop, first.ev, 1)
        C.ql_add_timer(loop, deleted.ev, 1)
        C.ql_add_timer(loop, moved.ev, 2)
        go(5)
        assert.same({ 1, 0, 0 }, { first.n, deleted.n, moved.n })
        assert.same({ 0, 1 }, { deleted.ev.timer_set, moved.ev.timer_set })
        go(10, TICK)
        assert.equal(1, moved.n)
    end))

    it("are fixed before the first is called", forked(function()
        local loop, go = frozen()
        local late = counting(loop)
        local first = counting(loop, function()
            C.ql_add_timer(loop, late.ev, 0)
        end)
        C.ql_add_timer(loop, first.ev, 1)
        go(5)
        assert.same({ 1, 0 }, { first.n, late.n })
        go(0, TICK)
        assert.equal(1, late.n)
    end))

    it("fire once each when one of them runs a turn", forked(function()
        local loop, go = frozen()
        local others = {}
        local first = counting(loop, function()
            assert.equal(0, find(loop))
            assert.equal(C.NGX_OK,
                C.ql_process_events_and_timers(loop, 60000))
        end)
        C.ql_add_timer(loop, first.ev, 1)
        for i = 1, 5 do
            others[i] = counting(loop)
            C.ql_add_timer(loop, others[i].ev, i)
        end
        go(100)
        for i = 1, 5 do
            assert.equal(1, others[i].n)
        end
        assert.equal(1, first.n)
    end))
end)

describe("the wheel", function()
    it("turns over at the end of each level", forked(function()
        local loop, go = frozen()
        for level = 1, 7 do
            local round = 64LL ^ level * TICK
            local now = ffi.cast("int64_t", C.ql_nsec(loop))
            go(0, round - now % round - 3 * TICK)
            local fired = {}
            for i = 1, 6 do
                fired[i] = counting(loop)
                C.ql_add_timer_nsec(loop, fired[i].ev, i * TICK)
            end
            for i = 1, 6 do
                assert.equal(0, fired[i].n)
                go(0, TICK)
                assert.equal(1, fired[i].n)
            end
        end
        assert.equal(0, timers(loop))
    end))
end)
