local helper = require "spec.helper"
local ends = require "spec.support.ends"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local errno = helper.errno
local ADD, MOD, DEL = ends.ADD, ends.MOD, ends.DEL
local IN, OUT, ET = ends.IN + ends.RDHUP, ends.OUT, ends.ET
local PRI = ends.PRI

local modes = {
    ["edge-triggered"] = {},
    ["level-triggered"] = { level_triggered = 1 },
}

-- A loop, a connection that gathers what it reads, calls() since the last.
local function fixture(settings)
    local sys, recorded = ends.recorder()
    local loop = helper.loop(settings, inject.ql_inject_new(sys))
    local a, b = ends.pair()
    local got = { bytes = "", n = 0 }
    local c = ends.connection(loop, a, function(rev)
        got.n = got.n + 1
        got.bytes = got.bytes .. ends.drain(a)
        rev.ready = 0
        assert(C.ql_handle_read_event(rev, 0) == C.NGX_OK)
    end)
    local first = 0
    local function calls()
        local list = {}
        for i = first + 1, #recorded do
            if recorded[i][2] == a then
                list[#list + 1] = { recorded[i][1], recorded[i][3] }
            end
        end
        first = #recorded
        return list
    end
    local function done()
        C.ql_close_connection(c)
        ends.close(b)
    end
    return { loop = loop, c = c, b = b, got = got, calls = calls,
        done = done }
end

local function read_event(f)
    return C.ql_handle_read_event(f.c.read, 0)
end

for name, settings in pairs(modes) do
    describe("after NGX_AGAIN, " .. name .. ",", function()
        it("every byte comes", forked(function()
            local f = fixture(settings)
            assert.equal(C.NGX_OK, read_event(f))
            local sent = ""
            for i = 1, 50 do
                local text = ("x"):rep(i) .. i
                ends.write(f.b, text)
                sent = sent .. text
                helper.run_until(f.loop, function()
                    return f.got.bytes == sent
                end)
            end
            f.done()
        end))

        it("bytes that were there before are told", forked(function()
            local f = fixture(settings)
            ends.write(f.b, "early")
            assert.equal(C.NGX_OK, read_event(f))
            helper.run_until(f.loop, function()
                return f.got.bytes == "early"
            end)
            f.done()
        end))

        it("a wake-up without bytes loses nothing", forked(function()
            local f = fixture(settings)
            read_event(f)
            for i = 1, 5 do
                ends.report { { f.c, ends.IN } }
                ends.turn(f.loop)
                assert.equal(i, f.got.n)
            end
            ends.write(f.b, "x")
            helper.run_until(f.loop, function()
                return f.got.bytes == "x"
            end)
            f.done()
        end))

        it("bytes nobody waits for are kept and do not spin",
            forked(function()
                local f = fixture(settings)
                local handler = f.c.read.handler
                read_event(f)
                f.c.read.handler, f.c.write.handler = nil, nil
                ends.write(f.b, "x")
                helper.run_until(f.loop, function()
                    return f.c.read.ready == 1
                end)
                local before = tonumber(helper.stats(f.loop).events)
                for _ = 1, 20 do
                    ends.turn(f.loop)
                end
                assert.equal(before, tonumber(helper.stats(f.loop).events))
                assert.equal("x", ends.drain(f.c.fd))
                f.c.read.ready = 0
                f.c.read.handler = handler
                assert.equal(C.NGX_OK, read_event(f))
                ends.write(f.b, "y")
                helper.run_until(f.loop, function()
                    return f.got.bytes == "y"
                end)
                f.done()
            end))

        it("a writer hears of the room it needs", forked(function()
            local f = fixture(settings)
            local chunk = ("x"):rep(65536)
            local woken = 0
            f.c.write.handler = helper.handler(function(wev)
                woken = woken + 1
                wev.ready = 0
            end)
            while tonumber(ffi.C.write(f.c.fd, chunk, #chunk)) > 0 do end
            assert.equal(C.NGX_OK, C.ql_handle_write_event(f.c.write))
            ends.turn(f.loop)
            assert.equal(0, woken)
            while ends.drain(f.b) ~= "" do end
            helper.run_until(f.loop, function() return woken > 0 end)
            f.done()
        end))

        it("the first one makes the set, and hears when it cannot",
            forked(function()
                local f = fixture(settings)
                inject.ql_inject_fail("epoll_create1", -1, 1, 1,
                    errno.EMFILE)
                assert.equal(C.NGX_ERROR, read_event(f))
                assert.equal(errno.EMFILE, ffi.errno())
                assert.equal(0, f.c.read.active)
                assert.equal(C.NGX_OK, read_event(f))
                assert.is_true(f.loop.ep >= 0)
                f.done()
            end))
    end)
end

describe("an edge-triggered connection", function()
    it("enters once for both directions", forked(function()
        local f = fixture({})
        for _ = 1, 3 do
            assert.equal(C.NGX_OK, read_event(f))
            assert.equal(C.NGX_OK, C.ql_handle_write_event(f.c.write))
        end
        assert.same({ { ADD, IN + PRI + OUT + ET } }, f.calls())
        f.done()
        assert.same({}, f.calls())
    end))

    it("adds the direction that is missing", forked(function()
        local f = fixture({})
        assert.equal(C.NGX_OK, C.ql_loop_init(f.loop))
        f.loop.actions.add(f.loop, f.c.write, C.QL_WRITE_EVENT,
            helper.CLEAR_EVENT)
        assert.equal(C.NGX_OK, read_event(f))
        assert.same({ { ADD, OUT + ET }, { MOD, IN + PRI + OUT + ET } },
            f.calls())
        f.done()
    end))

    it("that is ready need not enter", forked(function()
        local f = fixture({})
        f.c.read.ready = 1
        assert.equal(C.NGX_OK, read_event(f))
        assert.same({}, f.calls())
        f.done()
    end))
end)

describe("a level-triggered connection", function()
    it("is in the set while somebody waits", forked(function()
        local f = fixture({ level_triggered = 1 })
        assert.equal(C.NGX_OK, read_event(f))
        assert.equal(C.NGX_OK, read_event(f))
        f.c.read.ready = 1
        assert.equal(C.NGX_OK, read_event(f))
        assert.equal(0, f.c.read.active)
        f.c.read.ready = 0
        assert.equal(C.NGX_OK, read_event(f))
        assert.equal(C.NGX_OK, C.ql_handle_write_event(f.c.write))
        f.c.write.ready = 1
        assert.equal(C.NGX_OK, C.ql_handle_write_event(f.c.write))
        assert.same({ { ADD, IN }, { DEL, 0 }, { ADD, IN },
            { MOD, IN + OUT }, { MOD, IN } }, f.calls())
        f.done()
    end))

    it("leaves without a call when it is closed next", forked(function()
        local f = fixture({ level_triggered = 1 })
        read_event(f)
        f.calls()
        assert.equal(C.NGX_OK,
            C.ql_handle_read_event(f.c.read, C.QL_CLOSE_EVENT))
        assert.equal(0, f.c.read.active)
        assert.same({}, f.calls())
        f.done()
    end))
end)

describe("an accepted connection", function()
    -- Accepts and answers `n` clients; how often each descriptor was given
    -- to epoll_ctl while it was open.
    local function serve(settings, n)
        local sys, recorded = ends.recorder()
        local loop = helper.loop(settings, sys)
        local ls = C.ql_listen(loop, helper.address("127.0.0.1:0"), nil)
        local most = 0
        for _ = 1, n do
            local client = ffi.new("ql_connection_t *[1]")
            local peer = helper.loop()
            C.ql_event_connect_peer(peer, ls.addr, nil, client)
            local c
            helper.run_until(loop, function()
                c = C.ql_accept(ls)
                return c ~= nil
            end)
            local first = #recorded
            local echoed = false
            c.read.handler = helper.handler(function(rev)
                local text = ends.drain(c.fd)
                rev.ready = 0
                if text ~= "" then
                    ends.write(c.fd, text)
                    echoed = true
                end
            end)
            assert(C.ql_handle_read_event(c.read, 0) == C.NGX_OK)
            ends.write(client[0].fd, "x")
            helper.run_until(loop, function() return echoed end)
            C.ql_close_connection(c)
            most = math.max(most, #recorded - first)
            C.ql_close_connection(client[0])
            helper.finish(peer)
        end
        C.ql_listening_close(ls)
        helper.finish(loop)
        return most
    end

    for name, settings in pairs(modes) do
        it("costs one epoll_ctl at most, " .. name, forked(function()
            assert.equal(1, serve(settings, 20))
        end))
    end
end)
