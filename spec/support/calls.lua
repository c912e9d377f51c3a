-- calls.lua: for specs of runtime/fs: calls to their end, a directory of the
-- test's own.
local helper = require "spec.helper"
local files = require "spec.support.files"
local tasks = require "spec.support.tasks"
local ffi, C, inject = helper.ffi, helper.C, helper.inject

local calls = {}

pcall(ffi.cdef, "int symlink(const char *target, const char *path);")

-- A loop whose system calls can be scripted; threads: 1 makes an order.
function calls.loop(settings)
    return helper.loop(settings, inject.ql_inject_new(nil))
end

-- Any call that runtime/fs made, as a ql_call_t *.
function calls.of(call)
    assert(call ~= nil, "no call")
    return ffi.cast("ql_call_t *", call)
end

-- Begins it: NGX_OK, NGX_AGAIN, NGX_ERROR. `told` counts its events.
function calls.begin(call, told)
    call = calls.of(call)
    call.event.handler = helper.handler(told or function() end)
    return C.ql_call_attempt(call)
end

-- To its end: res, or nil and errno; it stays.
function calls.wait(loop, call)
    calls.begin(call)
    local base = calls.of(call)
    helper.run_until(loop, function()
        return C.ql_call_attempt(base) ~= C.NGX_AGAIN
    end)
    if base.rc == C.NGX_OK then
        return tonumber(base.res)
    end
    return nil, base.err
end

-- To its end and freed.
function calls.finish(loop, call)
    local res, err = calls.wait(loop, call)
    C.ql_call_free(calls.of(call))
    return res, err
end

-- fn(dir) with a directory that is removed afterwards.
function calls.in_directory(fn)
    local dir = os.tmpname()
    os.remove(dir)
    assert(os.execute("mkdir " .. dir) == 0)
    local ok, err = xpcall(fn, debug.traceback, dir)
    os.execute("rm -rf " .. dir)
    if not ok then
        error(err, 0)
    end
end

-- A test's function: fn(dir) in a task; fn(loop, dir) in a forked child.
function calls.in_task(fn)
    return function()
        calls.in_directory(function(dir)
            tasks.run(function() fn(dir) end)
        end)
    end
end

function calls.in_child(fn)
    return helper.forked(function()
        calls.in_directory(function(dir)
            fn(calls.loop(), dir)
        end)
    end)
end

function calls.write(path, data)
    local file = assert(io.open(path, "wb"))
    file:write(data)
    file:close()
end

-- The content, or nil.
function calls.read(path)
    local file = io.open(path, "rb")
    local data = file and file:read "*a"
    return file and file:close() and data
end

-- What a shell command prints, without the last newline.
function calls.shell(command, ...)
    local pipe = assert(io.popen(command:format(...)))
    local text = pipe:read "*a"
    pipe:close()
    return (text:gsub("\n$", ""))
end

-- The names in a directory, sorted, in one line.
function calls.names(dir)
    return (calls.shell("ls -A %s", dir):gsub("\n", " "))
end

calls.stat = files.stat
calls.calls = files.calls

return calls
