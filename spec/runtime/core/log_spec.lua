local helper = require "spec.helper"
local ends = require "spec.support.ends"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local EMFILE = helper.errno.EMFILE
local SECOND = 1000000000 -- ns

-- The texts logged so far, by all loops of the test.
local function texts()
    local found = {}
    for i, line in ipairs(helper.log()) do
        found[i] = line.text
    end
    return found
end

local function count(loop, level)
    return tonumber(C.ql_log_count(loop, level))
end

-- A loop whose clock moves by inject.ql_inject_clock() only.
local function frozen()
    local sys = inject.ql_inject_new(nil)
    inject.ql_inject_clock_freeze(1)
    return helper.loop({}, sys)
end

local function repeated(loop, n, level, text)
    for _ = 1, n do
        C.ql_log_error(loop, level, 0, text)
    end
end

describe("a log line", function()
    it("has the errno and its text", forked(function()
        local loop = helper.loop()
        C.ql_log_error(loop, C.QL_LOG_ERR, EMFILE, "accept4() failed")
        C.ql_log_error(loop, C.QL_LOG_ERR, 0, "fd:%d", ffi.cast("int", 7))
        assert.same({
            "accept4() failed (24: Too many open files)", "fd:7",
        }, texts())
    end))

    it("keeps its errno when it is very long", forked(function()
        local loop = helper.loop()
        C.ql_log_error(loop, C.QL_LOG_ERR, EMFILE, "%s", ("x"):rep(9000))
        local line = texts()[1]
        assert.matches("^x+ %(24: Too many open files%)$", line)
        assert.is_true(#line > 1500 and #line < 2048)
    end))

    it("leaves errno alone", forked(function()
        local loop = helper.loop()
        for _, level in ipairs { C.QL_LOG_ERR, C.QL_LOG_INFO } do
            ffi.errno(EMFILE)
            C.ql_log_error(loop, level, 2, "failed")
            assert.equal(EMFILE, ffi.errno())
        end
        ffi.errno(EMFILE)
        C.ql_log_text(loop, C.QL_LOG_ERR, "text")
        assert.equal(EMFILE, ffi.errno())
    end))

    it("above the level is dropped and counted", forked(function()
        local loop = helper.loop()
        assert.equal(C.QL_LOG_NOTICE, C.ql_log_level(loop))
        for level = C.QL_LOG_CRIT, C.QL_LOG_DEBUG do
            C.ql_log_error(loop, level, 0, "line")
            C.ql_log_text(loop, level, "text")
            assert.equal(2, count(loop, level))
        end
        assert.equal(2 * (C.QL_LOG_NOTICE - C.QL_LOG_CRIT + 1), #texts())
        C.ql_log_set_level(loop, C.QL_LOG_INFO)
        assert.equal(C.QL_LOG_INFO, C.ql_log_level(loop))
        C.ql_log_error(loop, C.QL_LOG_INFO, 0, "told")
        assert.equal("told", texts()[#texts()])
    end))

    it("is counted at its own level only", forked(function()
        local loop = helper.loop()
        C.ql_log_text(loop, C.QL_LOG_WARN, "text")
        for level = C.QL_LOG_EMERG, C.QL_LOG_DEBUG do
            assert.equal(level == C.QL_LOG_WARN and 1 or 0,
                count(loop, level))
        end
        assert.same({ 0, 0 }, { count(loop, 0), count(loop, 9) })
    end))

    it("goes to the writer with its data and level", forked(function()
        local loop = helper.loop()
        local seen
        local data = ffi.new("int[1]")
        local writer = ffi.cast("ql_log_writer_pt", function(d, level, text)
            seen = { d == data, level, ffi.string(text) }
        end)
        C.ql_log_set_writer(loop, writer, data)
        C.ql_log_text(loop, C.QL_LOG_WARN, "hello")
        C.ql_log_set_writer(loop, inject.ql_probe_writer, nil)
        assert.same({ true, C.QL_LOG_WARN, "hello" }, seen)
    end))
end)

describe("the limit of lines", function()
    it("is 10 a second for one format", forked(function()
        local loop = frozen()
        repeated(loop, 25, C.QL_LOG_WARN, "flood")
        assert.equal(10, #texts())
        assert.equal(25, count(loop, C.QL_LOG_WARN))
        C.ql_log_error(loop, C.QL_LOG_WARN, 0, "another")
        assert.equal("another", texts()[11])
    end))

    it("says how many were left out when the second is over",
        forked(function()
            local loop = frozen()
            repeated(loop, 25, C.QL_LOG_WARN, "flood")
            inject.ql_inject_clock(SECOND - 1000000)
            ends.turn(loop)
            assert.equal(10, #texts())
            inject.ql_inject_clock(SECOND)
            ends.turn(loop)
            ends.turn(loop)
            assert.equal(11, #texts())
            assert.equal('15 more lines like "flood"', texts()[11])
        end))

    it("says so when nothing else happens, too", forked(function()
        local loop = helper.loop()
        repeated(loop, 11, C.QL_LOG_WARN, "flood")
        local start = helper.now()
        assert.equal(C.NGX_OK, C.ql_process_events_and_timers(loop, 9000))
        assert.is_true(helper.now() - start < 5)
        helper.run_until(loop, function() return #texts() == 11 end)
    end))

    it("says so at the level of what was left out", forked(function()
        local loop = frozen()
        C.ql_log_set_level(loop, C.QL_LOG_CRIT)
        repeated(loop, 11, C.QL_LOG_CRIT, "flood")
        repeated(loop, 11, C.QL_LOG_WARN, "unheard")
        inject.ql_inject_clock(SECOND)
        ends.turn(loop)
        local lines = helper.log()
        assert.equal(11, #lines)
        assert.equal(C.QL_LOG_CRIT, lines[11].level)
    end))

    it("says so before the next line of that format", forked(function()
        local loop = frozen()
        repeated(loop, 12, C.QL_LOG_ERR, "flood")
        inject.ql_inject_clock(SECOND)
        repeated(loop, 1, C.QL_LOG_ERR, "flood")
        assert.same({ '2 more lines like "flood"', "flood" },
            { texts()[11], texts()[12] })
    end))

    it("says so at the end of the loop", forked(function()
        local loop = frozen()
        repeated(loop, 12, C.QL_LOG_ERR, "flood")
        helper.finish(loop)
        assert.equal('2 more lines like "flood"', texts()[11])
    end))

    it("begins anew each second", forked(function()
        local loop = frozen()
        for i = 0, 2 do
            inject.ql_inject_clock(i * SECOND)
            repeated(loop, 10, C.QL_LOG_WARN, "flood")
        end
        assert.equal(30, #texts())
    end))

    it("loses no count when there are many formats", forked(function()
        local loop = frozen()
        local formats = {} -- a format is known by its address
        for i = 1, 40 do
            formats[i] = "flood " .. i
            repeated(loop, 12, C.QL_LOG_WARN, formats[i])
        end
        inject.ql_inject_clock(SECOND)
        ends.turn(loop)
        local lines, more = 0, 0
        for _, text in ipairs(texts()) do
            local n = text:match("^(%d+) more")
            more = more + (n or 0)
            lines = lines + (n and 0 or 1)
        end
        assert.same({ 400, 80 }, { lines, more })
    end))

    it("is not for notices and what a script logs", forked(function()
        local loop = frozen()
        repeated(loop, 25, C.QL_LOG_NOTICE, "notice")
        for _ = 1, 25 do
            C.ql_log_text(loop, C.QL_LOG_ERR, "script")
        end
        assert.equal(50, #texts())
    end))
end)

describe("debug lines", function()
    it("are silent until their category is on", forked(function()
        local loop = helper.loop()
        local ev = helper.event(loop, nil)
        C.ql_add_timer(loop, ev, 1000)
        assert.equal(0, count(loop, C.QL_LOG_DEBUG))
        C.ql_log_set_debug(loop, C.QL_DEBUG_TIMER)
        C.ql_post_event(loop, ev)
        C.ql_del_timer(loop, ev)
        C.ql_log_set_debug(loop, 0)
        C.ql_delete_posted_event(loop, ev)
        assert.equal(1, #texts())
        assert.matches("^timer del: 0x%x+$", texts()[1])
        assert.equal(C.QL_LOG_DEBUG, helper.log()[1].level)
    end))

    it("come from each mechanism of the event core", forked(function()
        local loop = helper.loop()
        local expected = {
            event = "^epoll timer: 0 ns$", posted = "^post event ",
            timer = "^timer add: ",
        }
        local ev = helper.event(loop, nil)
        C.ql_loop_init(loop)
        for name, pattern in pairs(expected) do
            C.ql_log_set_debug(loop, C.ql_log_debug_by_name(name))
            local first = #texts() + 1
            C.ql_post_event(loop, ev)
            C.ql_add_timer(loop, ev, 0)
            ends.turn(loop)
            C.ql_log_set_debug(loop, 0)
            helper.run_until(loop, function() return ev.timer_set == 0 end)
            assert.matches(pattern, texts()[first])
        end
    end))
end)
