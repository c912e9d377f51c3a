local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, calls = helper.forked, sockets.calls

local SLAB = 64

local function address(c)
    return tonumber(ffi.cast("uintptr_t", c))
end

local function turn(loop)
    assert.equal(C.NGX_OK, C.ql_process_events_and_timers(loop, 0))
end

-- n connections without a descriptor of their own.
local function take(loop, n)
    local taken = {}
    for i = 1, n do
        taken[i] = sockets.wrap(loop, 1000000 + i)
    end
    return taken
end

local function free(taken)
    for _, c in ipairs(taken) do
        C.ql_free_connection(c)
    end
end

local function counters(loop)
    local stats = helper.stats(loop)
    return { opened = tonumber(stats.opened), closed = tonumber(stats.closed),
        live = tonumber(stats.live) }
end

local function logged(level)
    local n = 0
    for _, line in ipairs(helper.log()) do
        n = n + (line.level == level and 1 or 0)
    end
    return n
end

describe("a connection", function()
    it("is taken clean", forked(function()
        local loop = helper.loop()
        local c = sockets.wrap(loop, 77)
        assert.equal(77, c.fd)
        assert.is_true(c.loop == loop)
        assert.is_true(c.io == C.ql_os_io)
        assert.is_true(c.read.data == c and c.write.data == c)
        assert.is_true(c.read.handler == nil and c.write.handler == nil)
        assert.same({ 0, 1 }, { c.read.write, c.write.write })
        assert.same({ -1, -1 }, { c.read.available, c.write.available })
        assert.equal(c.read.instance, c.write.instance)
        for _, bit in ipairs { "active", "ready", "eof", "error", "timedout",
            "timer_set", "pending_eof", "posted", "accept" } do
            assert.same({ bit, 0, 0 }, { bit, c.read[bit], c.write[bit] })
        end
        assert.same({ 1, 0, 0, 0, 0 }, { c.stream, c.shared, c.pseudo,
            c.borrowed, c.plain })
        assert.is_true(c.data == nil and c.listening == nil)
        C.ql_free_connection(c)
    end))

    it("is clean again after an eventful life", forked(function()
        local loop = helper.loop()
        local c = sockets.wrap(loop, 5)
        c.read.eof, c.read.error, c.write.error = 1, 1, 1
        c.err, c.shared, c.plain = 104, 1, 1
        c.data = c
        C.ql_free_connection(c)
        turn(loop)
        local again = sockets.wrap(loop, 6)
        assert.is_true(again == c)
        assert.same({ 0, 0, 0, 0, 0, 0 }, { c.read.eof, c.read.error,
            c.write.error, c.err, c.shared, c.plain })
        assert.is_true(c.data == nil)
        C.ql_free_connection(c)
    end))

    it("has a number of its own for each use", forked(function()
        local loop = helper.loop()
        local seen = {}
        for _ = 1, 5 do
            local c = sockets.wrap(loop, 5)
            assert.is_nil(seen[tonumber(c.number)])
            seen[tonumber(c.number)] = true
            C.ql_free_connection(c)
            turn(loop)
        end
    end))

    it("costs no system call to take and to give back", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        C.ql_free_connection(sockets.wrap(loop, 0))
        for _, name in ipairs { "epoll_create1", "epoll_ctl", "close",
            "getsockopt", "fstat" } do
            assert.same({ name, 0 }, { name, calls(name) })
        end
    end))
end)

describe("connection slabs", function()
    it("hold 64 each, aligned, no struct twice", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local taken = take(loop, SLAB)
        assert.equal(1, calls("memalign"))
        taken[SLAB + 1] = sockets.wrap(loop, 1)
        assert.equal(2, calls("memalign"))
        local seen = {}
        for _, c in ipairs(taken) do
            assert.equal(0, address(c) % 8)
            assert.is_nil(seen[address(c)])
            seen[address(c)] = true
        end
        free(taken)
    end))

    it("are many, their table grows by doubling", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local taken = take(loop, 100 * SLAB)
        assert.equal(100, loop.nslabs)
        assert.equal(8, calls("realloc"))
        local n = 0
        local visit = ffi.cast("void (*)(ql_connection_t *, void *)",
            function() n = n + 1 end)
        C.ql__connections_each(loop, visit, nil)
        assert.equal(100 * SLAB, n)
        free(taken)
    end))

    it("are kept and used again", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        turn(loop)
        for _ = 1, 5 do
            free(take(loop, 2 * SLAB))
            turn(loop)
        end
        assert.equal(3, loop.nslabs) -- one begun by the loop's own
    end))

    for _, call in ipairs { "memalign", "realloc" } do
        it("that cannot be had are ENOMEM: " .. call, forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            inject.ql_inject_fail(call, -1, 1, 1, errno.ENOMEM)
            assert.is_true(C.ql_get_connection(loop, 5) == nil)
            assert.equal(errno.ENOMEM, ffi.errno())
            assert.equal(1, logged(C.QL_LOG_ERR))
            assert.same({ opened = 0, closed = 0, live = 0 }, counters(loop))
            C.ql_free_connection(sockets.wrap(loop, 5))
        end))
    end
end)

describe("a connection that was given back", function()
    it("is not reused before the next epoll_wait", forked(function()
        local loop = helper.loop()
        local first = sockets.wrap(loop, 5)
        local second
        for _ = 1, 3 * SLAB do
            C.ql_free_connection(first)
            second = sockets.wrap(loop, 5)
            assert.is_false(second == first)
            C.ql_free_connection(second)
            first = sockets.wrap(loop, 5)
            assert.is_false(second == first)
        end
        C.ql_free_connection(first)
    end))

    it("is the first to be reused after it", forked(function()
        local loop = helper.loop()
        local taken = take(loop, 3)
        C.ql_free_connection(taken[2])
        turn(loop)
        assert.is_true(sockets.wrap(loop, 9) == taken[2])
        free(taken)
    end))

    it("comes back with its instance flipped", forked(function()
        local loop = helper.loop()
        local c = sockets.wrap(loop, 5)
        local last = c.read.instance
        for _ = 1, 4 do
            C.ql_free_connection(c)
            turn(loop)
            assert.is_true(sockets.wrap(loop, 5) == c)
            assert.equal(1 - last, c.read.instance)
            assert.equal(c.read.instance, c.write.instance)
            last = c.read.instance
        end
        C.ql_free_connection(c)
    end))
end)

describe("the connection counters", function()
    it("keep opened = closed + live", forked(function()
        local loop = helper.loop()
        math.randomseed(11)
        local taken, opened, closed = {}, 0, 0
        for i = 1, 500 do
            if #taken == 0 or math.random() < 0.6 then
                taken[#taken + 1] = sockets.wrap(loop, i)
                opened = opened + 1
            else
                C.ql_free_connection(table.remove(taken,
                    math.random(#taken)))
                closed = closed + 1
            end
            if i % 50 == 0 then
                turn(loop)
            end
            assert.same({ opened = opened, closed = closed,
                live = opened - closed }, counters(loop))
        end
        free(taken)
    end))

    it("leave pseudo connections out", forked(function()
        local loop = helper.loop()
        local c = C.ql_get_pseudo_connection(loop, 5)
        assert.equal(1, c.pseudo)
        assert.same({ opened = 0, closed = 0, live = 0 }, counters(loop))
        C.ql_free_connection(c)
        assert.same({ opened = 0, closed = 0, live = 0 }, counters(loop))
    end))
end)

describe("worker_connections", function()
    it("are not exceeded: ENFILE, and said", forked(function()
        local loop = helper.loop({ worker_connections = 2 })
        local taken = take(loop, 2)
        assert.is_true(C.ql_get_connection(loop, 5) == nil)
        assert.equal(errno.ENFILE, ffi.errno())
        assert.equal(1, logged(C.QL_LOG_WARN))
        assert.matches("worker_connections", helper.log()[1].text)
        assert.same({ opened = 2, closed = 0, live = 2 }, counters(loop))
        free(taken)
    end))

    it("do not limit pseudo connections", forked(function()
        local loop = helper.loop({ worker_connections = 1 })
        local c = sockets.wrap(loop, 5)
        local pseudo = C.ql_get_pseudo_connection(loop, 6)
        assert.is_true(pseudo ~= nil)
        free { c, pseudo }
    end))

    it("are there again once one is given back", forked(function()
        local loop = helper.loop({ worker_connections = 1 })
        for _ = 1, 3 do
            C.ql_free_connection(sockets.wrap(loop, 5))
        end
    end))
end)
