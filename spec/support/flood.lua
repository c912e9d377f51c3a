-- flood.lua: in a task: stale events flood the loop until its epoll set has
-- been built anew: a duplicate that quoll does not know of goes on reporting
-- for a connection that is closed.
local ffi = require "ffi"
local quoll = require "quoll"

pcall(ffi.cdef, "int dup(int fd); int close(int fd);")

return function()
    local listener = quoll.listen("127.0.0.1:0")
    local client = quoll.connect(listener:address())
    local conn = listener:accept(5)
    local reader = quoll.spawn(conn.receive, conn)
    quoll.yield()
    local copy = ffi.C.dup(conn:getfd())
    conn:close()
    assert(not reader:wait())
    local before = quoll.stats().loop.rebuilds
    repeat
        assert(client:send("x"))
        quoll.yield()
    until quoll.stats().loop.rebuilds > before
    ffi.C.close(copy)
    client:close()
    listener:close()
end
