-- grandchild.lua: what a process forked from a test sees.
local ffi = require "ffi"
local child = require "spec.support.child"

-- Runs fn in a fork of this process; its error is raised here.
return function(fn)
    local forked = child.fork({ err = 2, report = -1 }, function(ends)
        local ok, err = pcall(fn)
        if not ok then
            err = type(err) == "table" and err.message or tostring(err)
            ffi.C.write(ends.report, err, #err)
        end
        ffi.C._exit(ok and 0 or 1)
    end)
    local result = forked:wait(5)
    if result.code ~= 0 then
        error(("grandchild: %s%s"):format(result.report, result.err), 0)
    end
end
