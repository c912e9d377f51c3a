local helper = require "spec.helper"
local ends = require "spec.support.ends"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local CLOCK_MONOTONIC = 1
local HOUR = 3600000000000LL -- ns

local function nsec(loop)
    return tonumber(C.ql_nsec(loop))
end

-- A loop whose clock stands still.
local function frozen()
    local sys = inject.ql_inject_new(nil)
    inject.ql_inject_clock_freeze(1)
    return helper.loop({}, sys)
end

describe("the cached clock", function()
    it("is read when the loop is made", forked(function()
        local before = helper.now()
        local loop = helper.loop()
        assert.is_true(nsec(loop) >= before * 1e9 - 1e6)
        assert.is_true(nsec(loop) <= helper.now() * 1e9 + 1e6)
    end))

    it("has whole milliseconds, cut", forked(function()
        local loop = frozen()
        for _, offset in ipairs { 0, 1, 999999, 1000000, 1999999 } do
            inject.ql_inject_clock(offset)
            C.ql_time_update(loop)
            assert.equal(math.floor(nsec(loop) / 1e6),
                tonumber(C.ql_msec(loop)))
        end
    end))

    it("changes by an update only", forked(function()
        local loop = frozen()
        local before = nsec(loop)
        inject.ql_inject_clock(5000000)
        assert.equal(before, nsec(loop))
        C.ql_time_update(loop)
        assert.equal(before + 5000000, nsec(loop))
    end))

    it("is updated every turn", forked(function()
        local loop = frozen()
        local before = nsec(loop)
        for i = 1, 3 do
            inject.ql_inject_clock(i * 1000000)
            ends.turn(loop)
            assert.equal(before + i * 1000000, nsec(loop))
        end
    end))

    it("is left alone by process_events unless it is asked", forked(function()
        local loop = frozen()
        assert.equal(C.NGX_OK, C.ql_loop_init(loop))
        local before = nsec(loop)
        inject.ql_inject_clock(1000000)
        assert.equal(C.NGX_OK, ends.process(loop, 0))
        assert.equal(before, nsec(loop))
        assert.equal(C.NGX_OK, ends.process(loop, C.QL_UPDATE_TIME))
        assert.equal(before + 1000000, nsec(loop))
    end))

    it("never follows the wall clock", forked(function()
        local real = C.ql_sys_default.clock_gettime
        local sys = ffi.new("ql_sys_t", C.ql_sys_default)
        local asked = {}
        sys.clock_gettime = function(clock, ts)
            asked[clock] = true
            return real(clock, ts)
        end
        local loop = helper.loop({}, sys)
        C.ql_add_timer(loop, helper.event(loop, nil), 0)
        helper.run_until(loop, function()
            return helper.stats(loop).timers == 0
        end)
        assert.same({ [CLOCK_MONOTONIC] = true }, asked)
        helper.finish(loop)
    end))

    it("goes far ahead, as after a suspend", forked(function()
        local loop = frozen()
        local fired = 0
        C.ql_add_timer(loop, helper.event(loop, helper.handler(function()
            fired = fired + 1
        end)), 1000)
        inject.ql_inject_clock(HOUR)
        ends.turn(loop)
        ends.turn(loop)
        assert.equal(1, fired)
    end))
end)
