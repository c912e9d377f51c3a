-- forked.lua: a test in a forked child. A crash is one red line, and no test
-- sees what another one left behind.
local ffi = require "ffi"
local native = require "spec.support.native"
local child = require "spec.support.child"
local loops = require "spec.support.loops"

local sanitizer = { "AddressSanitizer", "LeakSanitizer", "runtime error:" }

local function leaks()
    local found, check = pcall(function()
        return ffi.C.__lsan_do_recoverable_leak_check
    end)
    return found and os.getenv("QUOLL_LEAKS") ~= "0" and check() ~= 0
end

local function text_of(err)
    if type(err) == "table" and err.message then
        err = err.message
    end
    local text = debug.traceback(tostring(err), 2)
    return (text:gsub("\n%s*%[C%]: in function 'xpcall'.*", ""))
end

-- In the child: the test, then the gates; `report`: where to say what failed.
local function run(fn, report)
    jit.off() -- so that C may call back into Lua from anywhere
    jit.flush()
    local before = native.descriptors()
    local ok, err = xpcall(function()
        fn()
        loops.finish_all()
        local changed =
            native.descriptors_changed(before, native.descriptors())
        assert(not changed, changed)
        native.inject.ql_probe_done()
        assert(not leaks(), "memory leaks")
    end, text_of)
    if not ok then
        ffi.C.write(report, err, #err)
    end
    ffi.C._exit(ok and 0 or 1)
end

local function failure(result, timeout)
    if result.timeout then
        return ("no end after %g s"):format(timeout)
    end
    if result.signal then
        return "killed by signal " .. result.signal
    end
    for _, mark in ipairs(sanitizer) do
        if result.err:find(mark, 1, true) then
            return "sanitizer report"
        end
    end
    if result.code ~= 0 then
        return result.report ~= "" and result.report
            or "ended with status " .. result.code
    end
end

-- forked(fn[, seconds]) -> the body of an `it` that runs fn in a child.
return function(fn, seconds)
    local timeout = (seconds or 10)
        * tonumber(os.getenv("QUOLL_TEST_PATIENCE") or 1)
    return function()
        local pipes = { err = 2, report = -1 }
        local result = child.fork(pipes, function(ends)
            run(fn, ends.report)
        end):wait(timeout)
        local failed = failure(result, timeout)
        if failed then
            error(failed .. (result.err ~= "" and "\n" .. result.err or ""),
                0)
        end
    end
end
