-- kept.lua: for specs of the runtime's pools: connections that count in one,
-- parked, with their other ends.
local helper = require "spec.helper"
local ends = require "spec.support.ends"
local ffi, C = helper.ffi, helper.C

local kept = {}

local anchors = {}
local others = {} -- other ends that are open

-- The peer closes.
function kept.hang_up(b)
    others[b] = nil
    ends.close(b)
end

-- All of them, at the end of a test.
function kept.finish()
    for b in pairs(others) do
        kept.hang_up(b)
    end
end

function kept.open(loop, key)
    local pool = C.ql_keepalive_open(loop, key, #key)
    assert(pool ~= nil)
    return pool
end

-- A claim that has not been made; on_event(claim) when it is worth another.
function kept.claim(pool, on_event)
    local claim = ffi.new("ql_claim_t")
    claim.pool = pool
    claim.link.prev, claim.link.next = claim.link, claim.link
    claim.event.data = claim
    claim.event.handler = helper.handler(function()
        (on_event or C.ql_keepalive_claim)(claim)
    end)
    anchors[#anchors + 1] = claim
    return claim
end

-- Claims and gets: a connection, or nil when one may be made.
function kept.take(pool)
    local claim = kept.claim(pool)
    assert(C.ql_keepalive_claim(claim) == C.NGX_OK)
    local c = C.ql_keepalive_get(claim)
    return c ~= nil and c or nil
end

-- A connection that counts in the pool, and its other end.
function kept.connection(pool)
    assert(kept.take(pool) == nil)
    local a, b = ends.pair()
    others[b] = true
    return ends.connection(pool.loop, a), b
end

function kept.park(pool, c, max_idle)
    return C.ql_keepalive_park(pool, c, max_idle or helper.INFINITE)
end

-- n connections in the pool, idle, the first one parked first; their ends.
function kept.fill(pool, n)
    local list, peers = {}, {}
    for i = 1, n do
        list[i], peers[i] = kept.connection(pool)
    end
    for i = 1, n do
        assert(kept.park(pool, list[i]) == C.NGX_OK)
    end
    return list, peers
end

-- Done with one that was taken.
function kept.close(pool, c)
    C.ql_close_connection(c)
    C.ql_keepalive_leave(pool)
end

function kept.stats(loop)
    local idle = ffi.new("uint64_t[1]")
    local s = C.ql_keepalive_stats(loop, idle)
    local dropped = 0
    for i = 0, C.QL_DROPS - 1 do
        dropped = dropped + tonumber(s.dropped[i])
    end
    assert(tonumber(s.parked) == tonumber(s.reused + idle[0]) + dropped)
    return s, tonumber(idle[0])
end

-- How many were dropped for that reason ("CLOSED").
function kept.dropped(loop, reason)
    return tonumber(kept.stats(loop).dropped[C["QL_DROP_" .. reason]])
end

function kept.await_drop(loop, reason, n)
    helper.run_until(loop, function()
        return kept.dropped(loop, reason) == n
    end)
end

return kept
