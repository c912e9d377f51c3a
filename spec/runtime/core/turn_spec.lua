local helper = require "spec.helper"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local US = 1000

-- A loop whose clock stands still; pass(ns) moves it on.
local function frozen(settings)
    local loop = helper.loop(settings, inject.ql_inject_new(nil))
    local passed = 0
    inject.ql_inject_clock_freeze(1)
    return loop, function(ns)
        passed = passed + ns
        inject.ql_inject_clock(passed)
    end
end

-- A turn in which a handler takes ns; fn, if given, runs in it.
local function turn_of(loop, pass, ns, fn)
    C.ql_post_event(loop, helper.event(loop, helper.handler(function()
        pass(ns)
        if fn then
            fn()
        end
    end)))
    assert.equal(C.NGX_OK, C.ql_process_events_and_timers(loop, 0))
end

-- { [i] = n } of the buckets that are not empty; their sum.
local function lengths(loop)
    local found, sum = {}, 0
    for i = 0, C.QL_TURN_BUCKETS - 1 do
        local n = tonumber(C.ql_turns(loop).lengths[i])
        found[i] = n > 0 and n or nil
        sum = sum + n
    end
    return found, sum
end

describe("a turn's length", function()
    it("is counted by powers of two, the waiting not", forked(function()
        local loop, pass = frozen()
        local cases = {
            { 0, 0 }, { 999, 0 }, { 1 * US, 1 }, { 1999, 1 }, { 2 * US, 2 },
            { 3 * US, 2 }, { 4 * US, 3 }, { 1000 * US, 10 },
            { 1024 * US, 11 }, { 4e9, 22 }, { 4.2e9, 23 }, { 1e12, 23 },
        }
        local expected, total = {}, 0
        for _, case in ipairs(cases) do
            pass(7e9) -- before the turn
            turn_of(loop, pass, case[1])
            expected[case[2]] = (expected[case[2]] or 0) + 1
            total = total + case[1]
        end
        local found, sum = lengths(loop)
        assert.same(expected, found)
        assert.equal(tonumber(helper.stats(loop).turns), sum)
        assert.equal(total, tonumber(C.ql_turns(loop).ns))
    end))

    it("is right when the cached clock stands still", forked(function()
        local loop, pass = frozen { timer_resolution = 60000 }
        pass(5e9)
        turn_of(loop, pass, 3 * US)
        pass(5e9)
        turn_of(loop, pass, 3 * US)
        assert.same({ [2] = 2 }, (lengths(loop)))
    end))

    it("leaves the turns inside it out", forked(function()
        local loop, pass = frozen()
        local inside
        turn_of(loop, pass, 3 * US, function()
            turn_of(loop, pass, 100 * US)
            inside = C.ql_loop_turn(loop)
            pass(9 * US)
        end)
        assert.same({ [4] = 1, [7] = 1 }, (lengths(loop)))
        assert.equal(112 * US, tonumber(C.ql_turns(loop).ns))
        assert.equal(2, tonumber(inside))
        assert.equal(2, tonumber(C.ql_turns(loop).longest_turn))
    end))

    it("counts no turn whose wait failed", forked(function()
        local loop, pass = frozen()
        helper.expect_alerts(1)
        turn_of(loop, pass, 3 * US)
        inject.ql_inject_fail("epoll_pwait2", -1, 1, 1, helper.errno.EBADF)
        assert.equal(C.NGX_ERROR, C.ql_process_events_and_timers(loop, 0))
        turn_of(loop, pass, 3 * US)
        assert.same({ [2] = 2 }, (lengths(loop)))
        assert.equal(2, tonumber(helper.stats(loop).turns))
    end))
end)

describe("the longest turn", function()
    it("is kept with its number and its end until reset", forked(function()
        local loop, pass = frozen()
        local turns = ffi.cast("const ql_turns_t *", C.ql_turns(loop))
        turn_of(loop, pass, 10 * US)
        turn_of(loop, pass, 50 * US)
        C.ql_time_update(loop)
        local finished = C.ql_nsec(loop)
        turn_of(loop, pass, 20 * US)
        assert.same({ 50 * US, 2 },
            { tonumber(turns.longest), tonumber(turns.longest_turn) })
        assert.is_true(turns.longest_end == finished)
        C.ql_turns_reset(loop)
        assert.equal(0, tonumber(turns.longest))
        turn_of(loop, pass, 20 * US)
        assert.same({ 20 * US, 4 },
            { tonumber(turns.longest), tonumber(turns.longest_turn) })
        local _, sum = lengths(loop)
        assert.equal(4, sum)
    end))
end)
