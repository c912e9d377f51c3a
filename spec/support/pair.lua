-- pair.lua: two connected ends in one task, for specs of connections.
local helper = require "spec.helper"
local quoll = require "quoll"

local PATIENCE = 5 * (tonumber(os.getenv "QUOLL_TEST_PATIENCE") or 1)

local pair = {
    PATIENCE = PATIENCE,
    -- Bytes; a unit of long data. One byte at a time, it is less.
    MIB = helper.injected and 1024 or 1024 * 1024,
}

-- An abstract unix address that is this process' alone.
function pair.name()
    return "unix:@quoll-pair-" .. helper.ffi.C.getpid()
end

-- client, server; each wait of theirs fails after PATIENCE seconds.
function pair.connect(address)
    local listener = assert(quoll.listen(address or "127.0.0.1:0"))
    local client = assert(quoll.connect(listener:address(),
        { timeout = PATIENCE }))
    local server = assert(listener:accept(PATIENCE))
    listener:close()
    client:settimeout(PATIENCE)
    server:settimeout(PATIENCE)
    return client, server
end

-- A body for `it`: fn(client, server) runs as a task.
function pair.with(fn, address)
    return function()
        quoll.run(function()
            fn(pair.connect(address))
        end)
    end
end

-- Sends data and waits until the other end, which had nothing, has all of it,
-- unread.
function pair.deliver(from, to, data)
    assert(from:send(data))
    assert(to:peek(#data))
end

-- fn raises what matches pattern, position included (luassert cuts it off).
function pair.raises(fn, pattern)
    local ok, err = pcall(fn)
    assert(not ok, "no error was raised")
    assert(err:find(pattern), err)
end

-- Resets the connection: the other end gets ECONNRESET.
function pair.reset(conn)
    assert(conn:setoption("linger", 0))
    conn:close()
end

return pair
