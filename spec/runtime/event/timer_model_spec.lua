local helper = require "spec.helper"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local TIMERS = 200
local TICK = 16384
local MOST = 4400000000000000000LL -- ns that pass; twice that fits a clock

-- Numbers from 0 to below n, the same for each seed.
local function random_from(seed)
    local state = seed
    return function(n)
        state = (state * 48271) % 2147483647
        return math.floor(state / 2147483647 * n)
    end
end

-- A sorted list of { due, seq, i } stands against the wheel.
local model = {}
model.__index = model

function model.new(seed)
    local sys = inject.ql_inject_new(nil)
    inject.ql_inject_clock_freeze(1)
    local loop = helper.loop({}, sys)
    local self = setmetatable({
        loop = loop, random = random_from(seed), armed = {}, seq = 0,
        start = ffi.cast("int64_t", C.ql_nsec(loop)), passed = 0LL, seen = 0,
        events = ffi.new("ql_event_t[?]", TIMERS),
    }, model)
    for i = 0, TIMERS - 1 do
        self.events[i].handler = inject.ql_probe
    end
    assert(inject.ql_probe_start(loop, 100000) == 0)
    return self
end

-- 0 to about 64^n, every magnitude as often.
function model:span(n)
    return math.floor(self.random(65) * 64 ^ self.random(n)
        + self.random(64))
end

function model:add()
    local i = self.random(TIMERS)
    local ev, ns = self.events + i
    if self.random(2) == 0 then
        local ms = self:span(7)
        ns = math.min(ms, 2 ^ 42) * 1000000LL
        C.ql_add_timer(self.loop, ev, ms)
    else
        ns = self:span(6) * 1LL
        C.ql_add_timer_nsec(self.loop, ev, ns)
    end
    local due = (self.start + self.passed + ns + TICK - 1) / TICK * TICK
    self.seq = self.seq + 1
    self.armed[i] = { due = due, seq = self.seq, i = i }
    assert(ev.due == due)
end

function model:del()
    local i = self.random(TIMERS)
    C.ql_del_timer(self.loop, self.events + i)
    self.armed[i] = nil
end

-- Takes what is due by now out of the list, in order.
function model:take(now)
    local due = {}
    for i, entry in pairs(self.armed) do
        if entry.due <= now then
            due[#due + 1] = entry
            self.armed[i] = nil
        end
    end
    table.sort(due, function(a, b)
        return a.due < b.due or (a.due == b.due and a.seq < b.seq)
    end)
    return due
end

function model:next_due()
    local earliest
    for _, entry in pairs(self.armed) do
        if not earliest or entry.due < earliest then
            earliest = entry.due
        end
    end
    return earliest
end

-- The wheel may ask to be turned earlier than the first is due, not later.
function model:check_find()
    local wait = C.ql_event_find_timer(self.loop)
    local earliest = self:next_due()
    if not earliest then
        assert(wait == helper.INFINITE)
    else
        local now = self.start + self.passed
        assert(wait <= (earliest > now and earliest - now or 0))
    end
end

function model:pass(ms, ns)
    self.passed = self.passed + ms * 1000000LL + ns
    inject.ql_inject_clock(self.passed)
    C.ql_time_update(self.loop)
    self:check_find()
    C.ql_event_expire_timers(self.loop)
    local records = inject.ql_probe_records()
    for _, entry in ipairs(self:take(self.start + self.passed)) do
        local i = tonumber(records[self.seen].ev - self.events)
        assert(i == entry.i, "wrong timer")
        assert(records[self.seen].timedout == 1)
        assert(self.events[i].timer_set == 0)
        self.seen = self.seen + 1
    end
    assert(tonumber(inject.ql_probe_count()) == self.seen, "one too many")
end

function model:step()
    local what = self.random(10)
    if what < 5 then
        self:add()
    elseif what < 7 then
        self:del()
    else
        local ms = self.random(4) == 0 and self:span(7) or self.random(100)
        if self.passed + ms * 1000000LL < MOST then
            self:pass(ms, self.random(1000000))
        end
    end
    self:check_find()
end

function model:finish()
    local left = 0
    for _ in pairs(self.armed) do
        left = left + 1
    end
    assert(tonumber(helper.stats(self.loop).timers) == left)
    self:pass(2 ^ 42 + 1, 0)
    assert(next(self.armed) == nil)
end

describe("timers against a sorted list", function()
    for seed = 1, 12 do
        it("agree, seed " .. seed, forked(function()
            local self = model.new(seed)
            for _ = 1, 3000 do
                self:step()
            end
            self:finish()
            assert(self.seen > 50)
        end, 30))
    end
end)

describe("1,000,000 timers", function()
    -- Each makes garbage in the spec: fewer for a collector that never rests.
    local N = helper.collecting and 20000 or 1000000

    -- fn(i) for each; it may be compiled, as nothing of Lua's is called back.
    local function each(fn)
        if not helper.collecting then
            jit.on()
        end
        for i = 0, N - 1 do
            fn(i)
        end
        jit.off()
    end

    it("fire in order and take no memory", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        inject.ql_inject_clock_freeze(1)
        C.ql_time_update(loop)
        local random = random_from(7)
        local events = ffi.new("ql_event_t[?]", N)
        assert(inject.ql_probe_start(loop, N) == 0)
        local function allocations()
            return tonumber(inject.ql_inject_calls("malloc")
                + inject.ql_inject_calls("realloc")
                + inject.ql_inject_calls("memalign"))
        end
        local before = allocations()
        each(function(i)
            events[i].handler = inject.ql_probe
            C.ql_add_timer_nsec(loop, events + i, random(3600000000) * 1000LL)
        end)
        assert.equal(N, tonumber(helper.stats(loop).timers))
        for minute = 1, 61 do
            inject.ql_inject_clock(minute * 60000000000LL)
            C.ql_time_update(loop)
            C.ql_event_expire_timers(loop)
        end
        assert.equal(before, allocations())
        assert.equal(N, tonumber(inject.ql_probe_count()))
        local records, last = inject.ql_probe_records(), 0ULL
        each(function(i)
            local due = records[i].ev.due
            assert(due >= last and due / 1000000 <= records[i].msec)
            last = due
        end)
    end, 60))

    it("of one tick are all called, and deleted as fast", forked(function()
        local loop = helper.loop()
        local events = ffi.new("ql_event_t[?]", N)
        assert(inject.ql_probe_start(loop, 1) == 0)
        each(function(i)
            events[i].handler = inject.ql_probe
            C.ql_add_timer_cached(loop, events + i, 0)
        end)
        each(function(i)
            if i % 2 == 1 then
                C.ql_del_timer(loop, events + i)
            end
        end)
        helper.run_until(loop, function()
            return helper.stats(loop).timers == 0
        end)
        assert.equal(N / 2, tonumber(inject.ql_probe_count()))
    end, 60))
end)
