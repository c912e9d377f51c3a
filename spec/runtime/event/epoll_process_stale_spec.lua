local helper = require "spec.helper"
local ends = require "spec.support.ends"
local child = require "spec.support.child"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local IN, OUT = ends.IN, ends.OUT

local function new_loop(settings)
    local loop = helper.loop(settings, inject.ql_inject_new(nil))
    assert(C.ql_loop_init(loop) == C.NGX_OK)
    return loop
end

local function stale(loop)
    return tonumber(helper.stats(loop).stale)
end

-- A connection that raises when it is called, and a handler to change.
local function silent(loop)
    local c, b = ends.watched(loop)
    c.read.handler = helper.handler(function() error("read handler") end)
    c.write.handler = helper.handler(function() error("write handler") end)
    ends.close(b)
    return c
end

-- In direct mode: A's handler does fn() while B's event waits in the batch.
local function while_waiting(loop, fn)
    local b = silent(loop)
    local a, peer = ends.watched(loop, function() fn(b) end)
    ends.report { { a, IN }, { b, IN + OUT } }
    assert.equal(C.NGX_OK, ends.process(loop))
    C.ql_close_connection(a)
    ends.close(peer)
    return b
end

describe("a stale event", function()
    it("is dropped: closed by another's handler", forked(function()
        local loop = new_loop()
        while_waiting(loop, function(b)
            C.ql_close_connection(b)
        end)
        assert.equal(1, stale(loop))
    end))

    it("is dropped: its descriptor is another connection's by now",
        forked(function()
            local loop = new_loop()
            local second, fd
            while_waiting(loop, function(b)
                fd = b.fd
                C.ql_close_connection(b)
                second = silent(loop)
                assert.equal(fd, second.fd)
            end)
            assert.equal(1, stale(loop))
            C.ql_close_connection(second)
        end))

    it("is dropped: closed and reused twice in one batch", forked(function()
        local loop = new_loop()
        local last
        local first = while_waiting(loop, function(b)
            local fd = b.fd
            C.ql_close_connection(b)
            for _ = 1, 2 do
                last = silent(loop)
                assert.equal(fd, last.fd)
                assert.is_true(last ~= b)
                C.ql_close_connection(last)
            end
            last = silent(loop)
        end)
        assert.equal(1, stale(loop))
        assert.is_true(first ~= last)
        C.ql_close_connection(last)
    end))

    it("is dropped however many structs are in use", forked(function()
        local loop = new_loop()
        local taken = {}
        while_waiting(loop, function(b)
            local instance = b.read.instance
            C.ql_close_connection(b)
            for i = 1, 200 do -- more than a slab has
                taken[i] = C.ql_get_connection(loop, 1000000 + i)
                assert.is_true(taken[i] ~= b)
            end
            assert.equal(instance, b.read.instance)
        end)
        assert.equal(1, stale(loop))
        for _, c in ipairs(taken) do
            C.ql_free_connection(c)
        end
    end))

    it("has no write half when its own read handler closed it",
        forked(function()
            local loop = new_loop()
            local c = silent(loop)
            c.read.handler = helper.handler(function()
                C.ql_close_connection(c)
            end)
            ends.report { { c, IN + OUT } }
            assert.equal(C.NGX_OK, ends.process(loop))
            assert.equal(-1, c.fd)
        end))

    it("is dropped before its write half: its struct is in use again",
        forked(function()
            local loop = new_loop()
            local c, fd = silent(loop), nil
            local instance = c.read.instance
            c.read.handler = helper.handler(function()
                fd = c.fd
                C.ql_close_connection(c)
                -- A nested turn is another wait: the struct comes back.
                assert.equal(C.NGX_OK, ends.process(loop))
                local again = silent(loop)
                assert.is_true(again == c)
                assert.equal(fd, again.fd)
            end)
            ends.report { { c, IN + OUT } }
            assert.equal(C.NGX_OK, ends.process(loop))
            assert.equal(1, c.write.active)
            assert.is_true(instance ~= c.read.instance)
            assert.equal(1, stale(loop))
            C.ql_close_connection(c)
        end))

    it("is told apart by the instance after the next wait", forked(function()
        local loop = new_loop()
        local c = C.ql_get_connection(loop, 1000000)
        local instance = c.read.instance
        C.ql_free_connection(c)
        ends.process(loop)
        local again = C.ql_get_connection(loop, 1000000)
        assert.is_true(again == c)
        assert.equal(1 - instance, again.read.instance)
        assert.equal(1 - instance, again.write.instance)
        again.read.active = 1
        again.read.handler = helper.handler(function() error("called") end)
        again.read.instance = instance -- as the old event has it
        ends.report { { again, IN } }
        again.read.instance = 1 - instance
        ends.process(loop)
        assert.equal(1, stale(loop))
        again.read.active = 0
        C.ql_free_connection(again)
    end))

    it("does not end the batch", forked(function()
        local loop = new_loop()
        local called = 0
        local gone = silent(loop)
        local c, b = ends.watched(loop, function() called = called + 1 end)
        ends.report { { gone, IN }, { c, IN } }
        C.ql_close_connection(gone)
        ends.process(loop)
        assert.equal(1, called)
        C.ql_close_connection(c)
        ends.close(b)
    end))
end)

describe("a duplicate of a closed descriptor", function()
    -- A process that holds every descriptor we have until its input ends.
    local function holder()
        return child.fork({ input = 0 }, function()
            ends.drain(0)
            ffi.C._exit(0)
        end)
    end

    local function living(loop)
        local got = { n = 0 }
        got.c, got.b = ends.watched(loop, function(rev)
            ends.drain(got.c.fd)
            rev.ready = 0
            got.n = got.n + 1
        end)
        return got
    end

    it("that keeps reporting has the set built anew", forked(function()
        local loop = new_loop({ level_triggered = 1 })
        local a, b = ends.pair()
        local gone = ends.connection(loop, a, function() error("gone") end)
        local live = living(loop)
        C.ql_handle_read_event(gone.read, 0)
        local held = holder()
        C.ql_close_connection(gone)
        ends.write(b, "x")
        helper.run_until(loop, function()
            return helper.stats(loop).rebuilds == 1
        end)
        local seen = stale(loop)
        assert.is_true(seen >= 64 and seen < 200)
        ends.write(live.b, "y")
        helper.run_until(loop, function() return live.n == 1 end)
        for _ = 1, 100 do
            ends.turn(loop)
        end
        assert.equal(seen, stale(loop))
        assert.equal(1, tonumber(helper.stats(loop).rebuilds))
        assert.equal(0, held:wait(5).code)
        C.ql_close_connection(live.c)
        ends.close(live.b)
        ends.close(b)
    end))

    it("that reports now and then is only counted", forked(function()
        local loop = new_loop()
        local gone, b = ends.watched(loop)
        ends.turn(loop)
        local copy = ffi.C.dup(gone.fd)
        C.ql_close_connection(gone)
        for i = 1, 63 do
            ends.write(b, "x")
            ends.turn(loop)
            assert.equal(i, stale(loop))
        end
        assert.equal(0, tonumber(helper.stats(loop).rebuilds))
        inject.ql_inject_clock(2000000000) -- another second
        for _ = 1, 63 do
            ends.write(b, "x")
            ends.turn(loop)
        end
        assert.equal(0, tonumber(helper.stats(loop).rebuilds))
        ends.write(b, "x")
        ends.turn(loop)
        assert.equal(1, tonumber(helper.stats(loop).rebuilds))
        ends.close(copy)
        ends.close(b)
    end))

    it("is taken out of the set when it is known", forked(function()
        local loop = new_loop()
        local c, b = ends.watched(loop)
        local copy = ffi.C.dup(c.fd)
        c.shared = 1
        C.ql_close_connection(c)
        ends.write(b, "x")
        ends.turn(loop)
        assert.equal(0, stale(loop))
        ends.close(copy)
        ends.close(b)
    end))
end)
