-- pooled.lua: for specs of pools: a listener whose connections the spec has at
-- hand, and connects to it.
local pair = require "spec.support.pair"
local quoll = require "quoll"

local pooled = {}
pooled.__index = pooled

-- A body for `it`: fn(there) runs as a task; there:connect(opts) etc.
function pooled.with(fn)
    return function()
        quoll.run(function()
            local listener = assert(quoll.listen("127.0.0.1:0"))
            fn(setmetatable({ listener = listener,
                address = listener:address() }, pooled))
        end)
    end
end

-- A connection of the pool (a table or name; default true), patient.
function pooled:connect(pool, opts)
    opts = opts or {}
    opts.pool = pool or true
    opts.timeout = opts.timeout or pair.PATIENCE
    local conn, err, code = quoll.connect(self.address, opts)
    if conn then
        conn:settimeout(pair.PATIENCE)
    end
    return conn, err, code
end

-- The next connection that the listener has.
function pooled:accept()
    local conn = assert(self.listener:accept(pair.PATIENCE))
    conn:settimeout(pair.PATIENCE)
    return conn
end

-- One that is in the pool, and its other end.
function pooled:park(pool, opts)
    local conn = assert(self:connect(pool, opts))
    local peer = self:accept()
    assert(conn:setkeepalive())
    return peer
end

function pooled.stats(name)
    for _, stats in ipairs(quoll.stats().keepalive.pools) do
        if stats.name == name then
            return stats
        end
    end
end

-- Waits until stats().keepalive.dropped[reason] is n more than it was.
function pooled.watch(reason)
    local before = quoll.stats().keepalive.dropped[reason]
    return function(n)
        local stop = quoll.now() + pair.PATIENCE
        while quoll.stats().keepalive.dropped[reason] < before + n do
            assert(quoll.now() < stop, "nothing was dropped: " .. reason)
            quoll.yield()
        end
    end
end

return pooled
