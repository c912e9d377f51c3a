local helper = require "spec.helper"
local pair = require "spec.support.pair"
local pooled = require "spec.support.pooled"
local quoll = require "quoll"

local function results(...)
    return { n = select("#", ...), ... }
end

local function refused(err, code, conn)
    assert.same(results(nil, err, code), results(conn:setkeepalive()))
end

describe("setkeepalive", function()
    helper.gates()

    it("closes the handle and keeps the connection",
        pooled.with(function(there)
            local conn = there:connect()
            local peer, fd = there:accept(), conn:getfd()
            conn:settimeout(0.001)
            assert.equal(0, conn:getreusedtimes())
            assert.same(results(true), results(conn:setkeepalive()))
            refused("closed", "CLOSED", conn)
            assert.same(results(nil, "closed", "CLOSED"),
                results(conn:getreusedtimes()))
            assert.same(results(nil, "closed", "CLOSED"),
                results(conn:close()))
            local again = there:connect()
            assert.equal(fd, again:getfd())
            assert.equal(1, again:getreusedtimes())
            pair.deliver(peer, again, "x") -- waits: no timeout was inherited
            assert.equal("x", again:receive(1))
        end))

    it("refuses a connection that has no pool", pair.with(function(conn)
        refused("connection has no pool", "EINVAL", conn)
        assert.equal(0, conn:getreusedtimes())
    end))

    it("refuses what has been left unread", pooled.with(function(there)
        local conn, peer = there:connect(), there:accept()
        pair.deliver(peer, conn, "xy")
        refused("unread data in buffer", "EPROTO", conn)
        assert.equal("xy", conn:receive(2))
        assert.is_true(conn:setkeepalive())
    end))

    it("refuses what the peer has sent meanwhile, and loses none of it",
        pooled.with(function(there)
            local conn, peer = there:connect(), there:accept()
            pair.deliver(peer, conn, "x")
            assert.equal("x", conn:receive(1))
            assert(peer:send("yz"))
            assert(quoll.waitfd(conn:getfd(), "r", pair.PATIENCE))
            if not helper.injected then
                refused("connection in dubious state", "EPROTO", conn)
                refused("unread data in buffer", "EPROTO", conn)
            end
            assert.equal("yz", conn:receive(2))
        end))

    it("refuses what the peer has closed", pooled.with(function(there)
        local conn, peer = there:connect(), there:accept()
        peer:close()
        assert(quoll.waitfd(conn:getfd(), "r", pair.PATIENCE))
        if helper.injected then
            conn:receive(1)
        end
        refused("closed", "CLOSED", conn)
        refused("closed", "CLOSED", conn)
    end))

    it("refuses what the peer has reset", pooled.with(function(there)
        local conn, peer = there:connect(), there:accept()
        pair.reset(peer)
        assert(quoll.waitfd(conn:getfd(), "r", pair.PATIENCE))
        local _, err = conn:setkeepalive()
        if not helper.injected then
            assert.equal("connection reset by peer", err)
            refused("invalid connection", "EINVAL", conn)
        end
    end))

    it("refuses one whose last read timed out or was cancelled",
        pooled.with(function(there)
            local conn, peer = there:connect(), there:accept()
            conn:settimeout(0)
            assert.equal("timeout", select(2, conn:receive(1)))
            refused("invalid connection", "EINVAL", conn)
            conn:settimeout(pair.PATIENCE)
            pair.deliver(peer, conn, "x")
            assert.equal("x", conn:receive(1)) -- the answer did come
            assert.is_true(conn:setkeepalive())
            conn = there:connect()
            assert.equal("DEADLINE", select(3, quoll.deadline(0.001, function()
                conn:receive(1)
            end)))
            refused("invalid connection", "EINVAL", conn)
        end))

    it("refuses one that cannot send any more", pooled.with(function(there)
        local conn, _ = there:connect(), there:accept()
        assert(conn:shutdown("send"))
        refused("invalid connection", "EINVAL", conn)
    end))

    it("refuses one on which somebody waits", pooled.with(function(there)
        local conn, _ = there:connect(), there:accept()
        quoll.spawn(conn.receive, conn, 1)
        quoll.yield()
        refused("busy reading", "BUSY", conn)
        conn:close()
        conn = there:connect()
        local _ = there:accept()
        quoll.spawn(conn.send, conn, ("x"):rep(16 * pair.MIB))
        while conn:send("") do
            quoll.yield()
        end
        refused("busy writing", "BUSY", conn)
        conn:close()
    end))

    it("is busy until what a cork has gathered is sent",
        pooled.with(function(there)
            local conn, peer = there:connect(), there:accept()
            local size = 4 * pair.MIB
            assert(conn:cork(size))
            assert(conn:send(("x"):rep(size)))
            refused("busy writing", "BUSY", conn)
            quoll.spawn(peer.receive, peer, size)
            assert(conn:uncork())
            assert.is_true(conn:setkeepalive())
            conn = there:connect()
            assert(conn:send("y")) -- is not corked
        end))

    it("refuses bad arguments", pooled.with(function(there)
        local conn, _ = there:connect(), there:accept()
        for _, bad in ipairs { -1, 0 / 0, "x", {} } do
            pair.raises(function() conn:setkeepalive(bad) end,
                "keepalive_spec.lua:%d+: bad argument 'max_idle' to "
                .. "'setkeepalive'")
        end
        for _, bad in ipairs { 0, -1, 1.5, "x" } do
            pair.raises(function() conn:setkeepalive(1, bad) end,
                "bad argument 'size' to 'setkeepalive'")
        end
        assert.is_true(conn:setkeepalive(math.huge, 1))
    end))

    it("keeps it for as long as it says", pooled.with(function(there)
        local dropped = pooled.watch("timeout")
        local conn, peer = there:connect(), there:accept()
        assert.is_true(conn:setkeepalive(0.001))
        assert.equal("closed", select(2, peer:receive(1)))
        dropped(1)
        conn, peer = there:connect({ max_idle = 0.001 }), there:accept()
        assert.is_true(conn:setkeepalive())
        assert.equal("closed", select(2, peer:receive(1)))
        conn = there:connect()
        local _ = there:accept()
        assert.is_true(conn:setkeepalive(0))
        assert.equal(0, quoll.stats().loop.timers)
    end))
end)
