local helper = require "spec.helper"
local kept = require "spec.support.kept"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked = helper.forked

-- A body for `it`: a pool of at most `size` connections, for which `backlog`
-- claims may wait.
local function limited(size, backlog, fn)
    return forked(function()
        local loop = helper.loop()
        local pool = kept.open(loop, "here")
        C.ql_keepalive_set(pool, size, backlog, 0)
        fn(pool, loop)
        assert.equal(0, pool.waiting)
        assert.equal(0, pool.granted)
        assert.equal(0, pool.connections)
        C.ql_keepalive_close(pool)
        assert.equal(0, loop.keepalives.npools)
        kept.finish()
    end)
end

-- Claims that go on as soon as they may, in the order in which they do.
local function queue(pool, n)
    local order, claims = {}, {}
    for i = 1, n do
        claims[i] = kept.claim(pool, function(claim)
            if C.ql_keepalive_claim(claim) == C.NGX_OK then
                order[#order + 1] = i
            end
        end)
        assert(C.ql_keepalive_claim(claims[i]) == C.NGX_AGAIN)
    end
    return claims, order
end

local function turns(loop, order, n)
    helper.run_until(loop, function() return #order == n end)
end

describe("pools", function()
    it("are told apart by their keys, zero bytes included", forked(function()
        local loop = helper.loop()
        local a, b = kept.open(loop, "x\0a"), kept.open(loop, "x\0b")
        assert.are_not.equal(a, b)
        assert.equal(a, kept.open(loop, "x\0a"))
        assert.equal(2, a.refs)
        C.ql_keepalive_close(a)
        C.ql_keepalive_close(a)
        C.ql_keepalive_close(b)
        assert.equal(0, loop.keepalives.npools)
    end))

    it("may be many, and are gone when nobody needs them", forked(function()
        local loop = helper.loop()
        local pools = {}
        for i = 1, 300 do
            pools[i] = kept.open(loop, "key " .. i)
        end
        for i = 1, 300 do
            assert.equal(pools[i], kept.open(loop, "key " .. i))
        end
        local seen, pool = 0, C.ql_keepalive_next(loop, nil)
        while pool ~= nil do
            seen = seen + 1
            assert.equal("key " .. seen, ffi.string(pool.key, pool.length))
            pool = C.ql_keepalive_next(loop, pool)
        end
        assert.equal(300, seen)
        for i = 1, 300 do
            C.ql_keepalive_close(pools[i])
            C.ql_keepalive_close(pools[i])
        end
        assert.equal(0, loop.keepalives.npools)
    end))

    it("live as long as their connections", limited(1, 1, function(pool, loop)
        local other = kept.open(loop, "other")
        kept.fill(other, 1)
        C.ql_keepalive_close(other)
        assert.equal(2, loop.keepalives.npools)
        C.ql_keepalive_drop(loop)
        assert.equal(1, loop.keepalives.npools)
        assert.equal(pool, C.ql_keepalive_next(loop, nil))
        assert.equal(nil, C.ql_keepalive_next(loop, pool))
    end))

    it("keep what was set first", limited(2, 3, function(pool)
        C.ql_keepalive_set(pool, 5, 5, 1000)
        C.ql_keepalive_set(pool, 0, 0, 2000)
        assert.equal(2, pool.size)
        assert.equal(3, pool.backlog)
        assert.equal(1000, tonumber(pool.max_idle))
    end))

    it("fail without memory", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        for n = 1, 2 do
            inject.ql_inject_fail("malloc", -1, n, n, errno.ENOMEM)
            assert.equal(nil, C.ql_keepalive_open(loop, "k", 1))
            assert.equal(errno.ENOMEM, ffi.errno())
            inject.ql_inject_clear()
        end
        C.ql_keepalive_close(kept.open(loop, "k"))
    end))
end)

describe("a claim", function()
    it("waits for no room where there is no backlog", forked(function()
        local loop = helper.loop()
        local pool = kept.open(loop, "here")
        C.ql_keepalive_set(pool, 1, helper.CONF_UNSET, 0)
        for _ = 1, 3 do
            assert.is_nil(kept.take(pool))
        end
        assert.equal(3, pool.connections)
        for _ = 1, 3 do
            C.ql_keepalive_leave(pool)
        end
        C.ql_keepalive_close(pool)
    end))

    it("waits for a connection that is closed, first come, first served",
        limited(2, 9, function(pool, loop)
            assert.is_nil(kept.take(pool))
            assert.is_nil(kept.take(pool))
            local claims, order = queue(pool, 3)
            C.ql_keepalive_leave(pool)
            C.ql_keepalive_leave(pool)
            turns(loop, order, 2)
            assert.same({ 1, 2 }, order)
            for i = 1, 2 do
                assert.equal(nil, C.ql_keepalive_get(claims[i]))
            end
            C.ql_keepalive_leave(pool)
            turns(loop, order, 3)
            assert.equal(nil, C.ql_keepalive_get(claims[3]))
            C.ql_keepalive_leave(pool)
            C.ql_keepalive_leave(pool)
        end))

    it("waits for a connection that is parked, and gets it",
        limited(1, 1, function(pool, loop)
            local c = kept.connection(pool)
            local claims, order = queue(pool, 1)
            assert.equal(C.NGX_OK, kept.park(pool, c, helper.INFINITE))
            turns(loop, order, 1)
            assert.equal(c, C.ql_keepalive_get(claims[1]))
            kept.close(pool, c)
        end))

    it("may make one when the one it was granted has died",
        limited(1, 1, function(pool, loop)
            local _, b = kept.fill(pool, 1)
            local claim = kept.claim(pool)
            assert.equal(C.NGX_OK, C.ql_keepalive_claim(claim))
            kept.hang_up(b[1])
            kept.await_drop(loop, "CLOSED", 1)
            assert.equal(C.NGX_AGAIN,
                C.ql_keepalive_claim(kept.claim(pool))) -- it was granted
            assert.equal(nil, C.ql_keepalive_get(claim))
            C.ql_keepalive_unclaim(ffi.cast("ql_claim_t *",
                ffi.cast("char *", pool.claims.next)
                - ffi.offsetof("ql_claim_t", "link")))
            C.ql_keepalive_leave(pool)
        end))

    it("is refused by a full backlog", limited(1, 1, function(pool, loop)
        assert.is_nil(kept.take(pool))
        local claims = queue(pool, 1)
        assert.equal(C.NGX_BUSY, C.ql_keepalive_claim(kept.claim(pool)))
        assert.equal(1, tonumber(kept.stats(loop).refused))
        C.ql_keepalive_unclaim(claims[1])
        C.ql_keepalive_leave(pool)
    end))

    it("that is given up passes on what it waited for",
        limited(1, 9, function(pool, loop)
            assert.is_nil(kept.take(pool))
            local claims, order = queue(pool, 3)
            C.ql_keepalive_leave(pool) -- the first one is told, ...
            C.ql_keepalive_unclaim(claims[1]) -- ... and leaves
            turns(loop, order, 1)
            assert.same({ 2 }, order)
            C.ql_keepalive_unclaim(claims[2]) -- granted by now
            turns(loop, order, 2)
            assert.same({ 2, 3 }, order)
            C.ql_keepalive_unclaim(claims[3])
            C.ql_keepalive_unclaim(claims[3])
        end))

    it("does not overtake those that wait", limited(1, 9, function(pool, loop)
        assert.is_nil(kept.take(pool))
        local claims, order = queue(pool, 1)
        C.ql_keepalive_leave(pool)
        local late = kept.claim(pool)
        assert.equal(C.NGX_AGAIN, C.ql_keepalive_claim(late))
        turns(loop, order, 1)
        C.ql_keepalive_unclaim(claims[1])
        C.ql_keepalive_unclaim(late)
        C.ql_keepalive_created(pool)
        assert.equal(1, tonumber(kept.stats(loop).created))
    end))
end)
