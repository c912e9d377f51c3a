local helper = require "spec.helper"
local ends = require "spec.support.ends"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local errno = helper.errno
local ADD, MOD, DEL = ends.ADD, ends.MOD, ends.DEL
local IN, OUT, ET, ONESHOT = ends.IN + ends.RDHUP, ends.OUT, ends.ET,
    ends.ONESHOT
local PRI = ends.PRI
local READ, WRITE = C.QL_READ_EVENT, C.QL_WRITE_EVENT

-- A loop that keeps its epoll_ctl calls, and a connection outside the set;
-- done() closes what is open. calls: of the connection, without fd.
local function fixture()
    local sys, recorded = ends.recorder()
    local loop = helper.loop({}, inject.ql_inject_new(sys))
    assert.equal(C.NGX_OK, C.ql_loop_init(loop))
    local a, b = ends.pair()
    local c = ends.connection(loop, a)
    local first = #recorded
    local function calls()
        local list = {}
        for i = first + 1, #recorded do
            assert.equal(a, recorded[i][2])
            list[#list + 1] = { recorded[i][1], recorded[i][3] }
        end
        first = #recorded
        return list
    end
    local function done()
        if c.fd ~= -1 then
            C.ql_close_connection(c)
        end
        ends.close(b)
    end
    return loop, c, calls, done, b
end

local function add(loop, ev, flags)
    return loop.actions.add(loop, ev, ev.write == 1 and WRITE or READ,
        flags or 0)
end

local function del(loop, ev, flags)
    return loop.actions.del(loop, ev, ev.write == 1 and WRITE or READ,
        flags or 0)
end

describe("an event", function()
    it("is added, changed and deleted by what the other direction is",
        forked(function()
            local loop, c, calls, done = fixture()
            assert.equal(C.NGX_OK, add(loop, c.read))
            assert.equal(C.NGX_OK, add(loop, c.write))
            assert.same({ 1, 1 }, { c.read.active, c.write.active })
            assert.equal(C.NGX_OK, del(loop, c.read))
            assert.same({ 0, 1 }, { c.read.active, c.write.active })
            assert.equal(C.NGX_OK, del(loop, c.write))
            assert.same({ { ADD, IN }, { MOD, IN + OUT }, { MOD, OUT },
                { DEL, 0 } }, calls())
            assert.same({ 0, 0 }, { c.read.active, c.write.active })
            done()
        end))

    it("keeps the other direction's trigger", forked(function()
        local loop, c, calls, done = fixture()
        add(loop, c.write, helper.CLEAR_EVENT)
        add(loop, c.read, helper.CLEAR_EVENT)
        del(loop, c.write)
        assert.same({ { ADD, OUT + ET }, { MOD, IN + PRI + OUT + ET },
            { MOD, IN + PRI + ET } }, calls())
        done()
    end))

    it("costs nothing to delete when it is not there", forked(function()
        local loop, c, calls, done = fixture()
        assert.equal(C.NGX_OK, del(loop, c.read))
        assert.equal(C.NGX_OK, loop.actions.del_conn(loop, c, 0))
        assert.same({}, calls())
        done()
    end))

    it("needs no call when the descriptor is closed next", forked(function()
        local loop, c, calls, done = fixture()
        add(loop, c.read)
        calls()
        assert.equal(C.NGX_OK, del(loop, c.read, C.QL_CLOSE_EVENT))
        assert.equal(0, c.read.active)
        assert.same({}, calls())
        done()
    end))

    it("is taken out of the set when closing would not do it",
        forked(function()
            local loop, c, calls, done = fixture()
            for _, bit in ipairs { "shared", "borrowed" } do
                add(loop, c.read)
                calls()
                c[bit] = 1
                assert.equal(C.NGX_OK, del(loop, c.read, C.QL_CLOSE_EVENT))
                assert.same({ { DEL, 0 } }, calls())
                c[bit] = 0
            end
            done()
        end))

    it("once, with ONESHOT, and then again without ADD", forked(function()
        local loop, c, calls, done = fixture()
        local n = 0
        c.write.handler = helper.handler(function() n = n + 1 end)
        add(loop, c.write, C.QL_ONESHOT_EVENT)
        assert.equal(1, c.write.oneshot)
        ends.turn(loop)
        ends.turn(loop)
        assert.same({ 1, 0 }, { n, c.write.active })
        add(loop, c.write, C.QL_ONESHOT_EVENT)
        ends.turn(loop)
        assert.equal(2, n)
        assert.equal(C.NGX_OK, del(loop, c.write))
        assert.same({ { ADD, OUT + ONESHOT }, { MOD, OUT + ONESHOT },
            { DEL, 0 } }, calls())
        assert.equal(0, c.write.oneshot)
        done()
    end))

    it("goes on being watched when the other fires its one shot",
        forked(function()
            local loop, c, calls, done, b = fixture()
            local n = 0
            c.read.handler = helper.handler(function(rev)
                n = n + 1
                rev.ready = 0
            end)
            c.write.handler = helper.handler(function() end)
            add(loop, c.read, helper.CLEAR_EVENT)
            add(loop, c.write,
                helper.CLEAR_EVENT + C.QL_ONESHOT_EVENT)
            ends.turn(loop)
            assert.same({ { ADD, IN + PRI + ET },
                { MOD, IN + PRI + OUT + ET + ONESHOT },
                { MOD, IN + PRI + ET } },
                calls())
            ends.write(b, "x")
            ends.turn(loop)
            assert.equal(1, n)
            done()
        end))

    it("exclusive has neither RDHUP nor a second direction",
        forked(function()
            local loop, c, calls, done = fixture()
            assert.equal(C.NGX_OK, add(loop, c.read, C.QL_EXCLUSIVE_EVENT))
            assert.equal(C.NGX_OK, del(loop, c.read))
            assert.same({ { ADD, ends.IN + ends.EXCLUSIVE }, { DEL, 0 } },
                calls())
            done()
        end))

    it("is enabled and disabled, and knows it", forked(function()
        local loop, c, calls, done = fixture()
        assert.equal(C.NGX_OK, loop.actions.enable(loop, c.read, READ, 0))
        assert.equal(C.NGX_OK, loop.actions.disable(loop, c.read, READ, 0))
        assert.same({ 1, 0 }, { c.read.disabled, c.read.active })
        assert.equal(C.NGX_OK, loop.actions.enable(loop, c.read, READ, 0))
        assert.same({ 0, 1 }, { c.read.disabled, c.read.active })
        assert.same({ { ADD, IN }, { DEL, 0 }, { ADD, IN } }, calls())
        done()
    end))
end)

describe("a connection", function()
    it("enters and leaves with one call", forked(function()
        local loop, c, calls, done = fixture()
        assert.equal(C.NGX_OK, loop.actions.add_conn(loop, c))
        assert.same({ 1, 1, 1, 1 }, { c.read.active, c.write.active,
            c.read.clear, c.write.clear })
        assert.equal(C.NGX_OK, loop.actions.del_conn(loop, c, 0))
        assert.same({ { ADD, IN + PRI + OUT + ET }, { DEL, 0 } }, calls())
        assert.same({ 0, 0 }, { c.read.active, c.write.active })
        done()
    end))

    it("of which one direction is there is changed", forked(function()
        local loop, c, calls, done = fixture()
        add(loop, c.read)
        assert.equal(C.NGX_OK, loop.actions.add_conn(loop, c))
        assert.same({ { ADD, IN }, { MOD, IN + PRI + OUT + ET } }, calls())
        done()
    end))

    it("costs one call from accept to close", forked(function()
        local loop, c, calls, done = fixture()
        for _ = 1, 3 do
            assert.equal(C.NGX_OK, C.ql_handle_read_event(c.read, 0))
            assert.equal(C.NGX_OK, C.ql_handle_write_event(c.write))
            ends.turn(loop)
            c.read.ready, c.write.ready = 0, 0
        end
        C.ql_close_connection(c)
        assert.same({ { ADD, IN + PRI + OUT + ET } }, calls())
        done()
    end))

    it("that is shared is deleted before it is closed", forked(function()
        local loop, c, calls, done = fixture()
        local copy = ffi.C.dup(c.fd)
        C.ql_handle_read_event(c.read, 0)
        c.shared = 1
        C.ql_close_connection(c)
        assert.same({ { ADD, IN + PRI + OUT + ET }, { DEL, 0 } }, calls())
        ends.turn(loop)
        assert.equal(0, tonumber(helper.stats(loop).stale))
        ends.close(copy)
        done()
    end))
end)

describe("a refused epoll_ctl", function()
    it("is told to the caller and changes nothing", forked(function()
        local loop, c, calls, done = fixture()
        for _, name in ipairs { "ENOSPC", "ENOMEM", "EPERM" } do
            inject.ql_inject_clear()
            inject.ql_inject_fail("epoll_ctl", c.fd, 1, 1, errno[name])
            assert.equal(C.NGX_ERROR, add(loop, c.read, helper.CLEAR_EVENT))
            assert.equal(errno[name], ffi.errno())
            assert.same({ 0, 0 }, { c.read.active, c.read.clear })
        end
        assert.equal(3, #helper.log())
        assert.equal(C.NGX_OK, add(loop, c.read))
        assert.same({ { ADD, IN } }, calls())
        done()
    end))

    it("leaves a connection of which one direction is in as it was",
        forked(function()
            local loop, c, calls, done = fixture()
            add(loop, c.read)
            inject.ql_inject_fail("epoll_ctl", c.fd, 1, 1, errno.ENOMEM)
            assert.equal(C.NGX_ERROR, loop.actions.add_conn(loop, c))
            assert.same({ 1, 0, 0, 0 }, { c.read.active, c.write.active,
                c.read.clear, c.write.clear })
            assert.equal(C.NGX_OK, loop.actions.add_conn(loop, c))
            assert.same({ { ADD, IN }, { MOD, IN + PRI + OUT + ET } }, calls())
            done()
        end))

    it("keeps an event that could not be deleted", forked(function()
        local loop, c, calls, done = fixture()
        add(loop, c.read)
        inject.ql_inject_fail("epoll_ctl", c.fd, 1, 1, errno.ENOMEM)
        assert.equal(C.NGX_ERROR, del(loop, c.read))
        assert.equal(1, c.read.active)
        assert.equal(C.NGX_OK, del(loop, c.read))
        assert.same({ { ADD, IN }, { DEL, 0 } }, calls())
        done()
    end))

    it("of a descriptor that was closed behind us is no failure",
        forked(function()
            local loop, c, _, done, b = fixture()
            add(loop, c.read)
            ffi.C.dup2(b, c.fd)
            assert.equal(C.NGX_OK, del(loop, c.read)) -- ENOENT
            add(loop, c.read)
            ends.close(c.fd)
            assert.equal(C.NGX_OK, del(loop, c.read)) -- EBADF
            assert.equal(0, #helper.log())
            c.borrowed = 1
            done()
        end))

    it("keeps a connection that could not be deleted", forked(function()
        local loop, c, calls, done = fixture()
        loop.actions.add_conn(loop, c)
        inject.ql_inject_fail("epoll_ctl", c.fd, 1, 1, errno.ENOMEM)
        assert.equal(C.NGX_ERROR, loop.actions.del_conn(loop, c, 0))
        assert.same({ 1, 1 }, { c.read.active, c.write.active })
        assert.equal(C.NGX_OK, loop.actions.del_conn(loop, c, 0))
        assert.same({ { ADD, IN + PRI + OUT + ET }, { DEL, 0 } }, calls())
        done()
    end))

    it("comes from a regular file, whose errno the caller gets",
        forked(function()
            local loop, _, _, done = fixture()
            local fd = C.ql_sys_default.open("Makefile", 0, 0)
            local c = ends.connection(loop, fd)
            assert.equal(C.NGX_ERROR, C.ql_handle_read_event(c.read, 0))
            assert.equal(errno.EPERM, ffi.errno())
            C.ql_close_connection(c)
            done()
        end))
end)
