local helper = require "spec.helper"
local ends = require "spec.support.ends"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local SIGALRM = 14
local SIG_IGN = ffi.cast("void *", 1)

local function disposition()
    local sa = ffi.new("struct sigaction[1]")
    assert(C.ql_sys_default.sigaction(SIGALRM, nil, sa) == 0)
    return sa[0].handler
end

local function ignore_alarms()
    local sa = ffi.new("struct sigaction[1]")
    sa[0].handler = SIG_IGN
    assert(C.ql_sys_default.sigaction(SIGALRM, sa, nil) == 0)
end

local function busy(seconds)
    local deadline = helper.now() + seconds
    while helper.now() < deadline do end
end

describe("timer_resolution", function()
    it("takes no signal when it is 0", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        C.ql_loop_init(loop)
        assert.equal(0, tonumber(inject.ql_inject_calls("sigaction")))
        assert.equal(0, tonumber(inject.ql_inject_calls("timer_create")))
    end))

    it("is the interval of the alarm", forked(function()
        local intervals = {}
        local real = C.ql_sys_default.timer_settime
        local sys = ffi.new("ql_sys_t", C.ql_sys_default)
        sys.timer_settime = function(id, flags, it_, old)
            for _, ts in ipairs { it_.it_value, it_.it_interval } do
                intervals[#intervals + 1] =
                    tonumber(ts.tv_sec) * 1000 + tonumber(ts.tv_nsec) / 1e6
            end
            return real(id, flags, it_, old)
        end
        for _, ms in ipairs { 1, 999, 1000, 60000 } do
            local loop = helper.loop({ timer_resolution = ms }, sys)
            C.ql_loop_init(loop)
            helper.finish(loop)
        end
        assert.same({ 1, 1, 999, 999, 1000, 1000, 60000, 60000 }, intervals)
    end))

    it("updates the time at the alarm only", forked(function()
        local loop = helper.loop({ timer_resolution = 60000 },
            inject.ql_inject_new(nil))
        inject.ql_inject_clock_freeze(1)
        C.ql_loop_init(loop)
        C.ql_time_update(loop)
        local before = tonumber(C.ql_msec(loop))
        inject.ql_inject_clock(50000000)
        ends.turn(loop)
        assert.equal(before, tonumber(C.ql_msec(loop)))
        loop.timer_alarm = 1
        ends.turn(loop)
        assert.equal(before + 50, tonumber(C.ql_msec(loop)))
        assert.equal(0, loop.timer_alarm)
    end))

    it("ends a wait, without a word", forked(function()
        local loop = helper.loop({ timer_resolution = 10 })
        C.ql_log_set_level(loop, C.QL_LOG_INFO)
        C.ql_loop_init(loop)
        local start = helper.now()
        for _ = 1, 3 do
            assert.equal(C.NGX_OK, C.ql_process_events_and_timers(loop,
                helper.INFINITE))
        end
        assert.is_true(helper.now() - start < 5)
        assert.equal(0, #helper.log())
    end))

    it("fires timers, never early, at most that much later", forked(function()
        local loop = helper.loop({ timer_resolution = 20 })
        C.ql_loop_init(loop)
        local at
        local ev = helper.event(loop, helper.handler(function()
            at = helper.now()
        end))
        local start = helper.now()
        C.ql_add_timer(loop, ev, 30)
        helper.run_until(loop, function() return at end)
        assert.is_true(at - start >= 0.03)
        assert.is_true(helper.stats(loop).turns <= 10)
    end))

    it("waits for the alarm, not for a clock that stands still",
        forked(function()
            local waits = {}
            local sys = ffi.new("ql_sys_t", C.ql_sys_default)
            sys.epoll_pwait2 = function(_, _, _, timeout)
                waits[#waits + 1] = tonumber(timeout.tv_sec) * 1000
                    + tonumber(timeout.tv_nsec) / 1e6
                return 0
            end
            local loop = helper.loop({ timer_resolution = 60000 }, sys)
            C.ql_loop_init(loop)
            local ev = helper.event(loop, nil)
            for i, case in ipairs { { 5, 1000000, 60000 },
                { 5, 20, 20 }, { 90000, 1000000, 1 } } do
                C.ql_add_timer(loop, ev, case[1])
                C.ql_process_events_and_timers(loop, case[2])
                assert.is_true(waits[i] >= case[3] and waits[i] <= case[2])
            end
            loop.timer_alarm = 1 -- it came while handlers ran
            C.ql_add_timer(loop, ev, 0)
            busy(0.002)
            C.ql_process_events_and_timers(loop, 1000000)
            assert.same({ 0, 0, 1 }, { waits[4], ev.timer_set, ev.timedout })
            helper.finish(loop)
        end))

    it("looks at the alarm of its own timer only", forked(function()
        local loop = helper.loop({ timer_resolution = 60000 })
        C.ql_loop_init(loop)
        ffi.C.kill(ffi.C.getpid(), SIGALRM)
        assert.equal(0, loop.timer_alarm)
        ends.turn(loop)
    end))

    it("gives the signal back as it was", forked(function()
        assert.is_true(disposition() == nil)
        for _, before in ipairs { "default", "ignored" } do
            local was = disposition()
            local loop = helper.loop({ timer_resolution = 1 })
            C.ql_loop_init(loop)
            assert.is_true(disposition() ~= was, before)
            helper.finish(loop)
            assert.is_true(disposition() == was, before)
            ignore_alarms()
        end
    end))

    it("leaves no alarm behind that the process would die of",
        forked(function()
            for _ = 1, 30 do
                local loop = helper.loop({ timer_resolution = 1 })
                C.ql_loop_init(loop)
                busy(0.0015)
                helper.finish(loop)
            end
            assert.is_true(disposition() == nil)
            busy(0.003)
        end))

    it("may be of two loops that end in reverse", forked(function()
        local first = helper.loop({ timer_resolution = 1 })
        C.ql_loop_init(first)
        local second = helper.loop({ timer_resolution = 1 })
        C.ql_loop_init(second)
        for _, loop in ipairs { first, second, first } do
            local before = tonumber(C.ql_nsec(loop))
            helper.run_until(loop, function()
                return tonumber(C.ql_nsec(loop)) > before
            end)
        end
        helper.finish(second)
        local before = tonumber(C.ql_nsec(first))
        helper.run_until(first, function()
            return tonumber(C.ql_nsec(first)) > before
        end)
        helper.finish(first)
        assert.is_true(disposition() == nil)
    end))
end)
