-- loops.lua: loops of the C runtime, and the proof that nothing is left over
-- in them.
local ffi = require "ffi"
local native = require "spec.support.native"

local C, inject = native.C, native.inject

local loops = {}

local open = {}   -- made by create, not yet finished
local alerts = 0  -- ALERT lines that the test has announced

-- What must be 0 when a test is over.
local gauges = {
    "timers", "posted", "live", "aio_in_flight", "aio_queued", "reads_live",
    "files_live", "pool_pending", "calls_live", "orphans",
}

function loops.conf(settings)
    local conf = ffi.new("ql_conf_t")
    local err = ffi.new("char[256]")
    C.ql_conf_create(conf)
    for name, value in pairs(settings or {}) do
        local rc = C.ql_conf_set(conf, name, value, err, 256)
        assert(rc == C.NGX_OK, ffi.string(err))
    end
    return conf
end

-- A loop with these settings ({ epoll_events = 16 }) and this table of
-- system calls (nil: the real ones), whose log is kept.
function loops.create(settings, sys)
    local loop = C.ql_loop_create(loops.conf(settings), sys)
    assert(loop ~= nil, "ql_loop_create failed")
    C.ql_log_set_writer(loop, inject.ql_probe_writer, nil)
    open[#open + 1] = loop
    return loop
end

-- The lines logged so far by the test's loops: array of { level, text }.
function loops.log()
    local lines = {}
    local text = ffi.string(inject.ql_probe_log())
    for level, line in text:gmatch("(%d+) ([^\n]*)\n") do
        lines[#lines + 1] = { level = tonumber(level), text = line }
    end
    return lines
end

-- The test provokes exactly n ALERT lines.
function loops.expect_alerts(n)
    alerts = n
end

function loops.stats(loop)
    local stats = ffi.new("ql_stats_t")
    C.ql_stats(loop, stats)
    return stats
end

local function busy(loop)
    local stats = loops.stats(loop)
    for _, name in ipairs(gauges) do
        if stats[name] ~= 0 then
            return ("%s = %d"):format(name, tonumber(stats[name]))
        end
    end
end

-- Turns of the loop until `done()` is true; an error after `seconds`.
function loops.run_until(loop, done, seconds)
    local deadline = native.now() + (seconds or 5)
    while not done() do
        assert(native.now() < deadline, "run_until: timeout")
        assert(C.ql_process_events_and_timers(loop, 100) == C.NGX_OK)
    end
end

-- Runs the loop empty, checks the gates, destroys it.
function loops.finish(loop)
    for i = #open, 1, -1 do
        if open[i] == loop then
            table.remove(open, i)
        end
    end
    C.ql_open_cache_drop(loop)
    pcall(loops.run_until, loop, function()
        return not busy(loop)
    end, 1)
    local left = busy(loop)
    local stats = loops.stats(loop)
    assert(not left, left and "left over: " .. left)
    assert(stats.opened == stats.closed + stats.live,
        "connections: opened ~= closed + live")
    assert(stats.aio_submitted == stats.aio_reaped + stats.aio_in_flight,
        "aio: submitted ~= reaped + in flight")
    C.ql_loop_destroy(loop)
end

local function check_alerts()
    local seen, lines = 0, {}
    for _, line in ipairs(loops.log()) do
        if line.level <= C.QL_LOG_ALERT then
            seen = seen + 1
        end
        lines[#lines + 1] = line.text
    end
    if seen ~= alerts then
        error(("%d ALERT lines, %d expected:\n%s"):format(seen, alerts,
            table.concat(lines, "\n")), 0)
    end
end

-- Every loop that is still there, and the log.
function loops.finish_all()
    while open[1] do
        loops.finish(open[#open])
    end
    check_alerts()
    inject.ql_probe_log_done()
end

return loops
