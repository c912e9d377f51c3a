-- passing.lua: for specs of descriptors that travel over unix sockets.
local ffi = require "ffi"
local pair = require "spec.support.pair"

pcall(ffi.cdef, "int close(int fd);")

local passing = {}

-- A body for `it`: fn(client, server), two ends of a unix stream.
function passing.with(fn)
    return function()
        local path = os.tmpname()
        os.remove(path)
        pair.with(fn, "unix:" .. path)()
    end
end

function passing.close(fd)
    assert(ffi.C.close(fd) == 0)
end

-- Open descriptors of this process.
function passing.count()
    local n = 0
    for fd = 0, 255 do
        if ffi.C.fcntl(fd, 1) ~= -1 then -- F_GETFD
            n = n + 1
        end
    end
    return n
end

return passing
