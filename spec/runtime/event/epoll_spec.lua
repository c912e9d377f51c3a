local helper = require "spec.helper"
local ends = require "spec.support.ends"
local native = require "spec.support.native"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local errno = helper.errno

local function calls(name)
    return tonumber(inject.ql_inject_calls(name))
end

local function flags(loop)
    return tonumber(loop.event_flags)
end

describe("the table of actions", function()
    it("has all ten", forked(function()
        for _, name in ipairs { "add", "del", "enable", "disable",
            "add_conn", "del_conn", "notify", "process_events", "init",
            "done" } do
            assert(C.ql_epoll_actions[name] ~= nil, name)
        end
        assert.equal(10 * ffi.sizeof("void *"),
            ffi.sizeof("ql_event_actions_t"))
    end))
end)

describe("ql_epoll_init", function()
    it("says how events come", forked(function()
        local greedy = C.QL_USE_GREEDY_EVENT + C.QL_USE_EPOLL_EVENT
        local edge, level = helper.loop(), helper.loop({ level_triggered = 1 })
        C.ql_loop_init(edge)
        C.ql_loop_init(level)
        assert.equal(C.QL_USE_CLEAR_EVENT + greedy, flags(edge))
        assert.equal(C.QL_USE_LEVEL_EVENT + greedy, flags(level))
    end))

    it("closes its descriptors on exec", forked(function()
        local loop = helper.loop()
        C.ql_loop_init(loop)
        for _, fd in ipairs { loop.ep, loop.notify.eventfd } do
            assert.equal(1, ffi.C.fcntl(fd, 1))
        end
    end))

    it("grows the event list, also later, and never shrinks it",
        forked(function()
            local loop = helper.loop({ epoll_events = 4 })
            C.ql_loop_init(loop)
            local ep = loop.ep
            for _, case in ipairs { { 4, 4 }, { 100, 100 }, { 7, 100 } } do
                C.ql_loop_conf(loop).epoll.events = case[1]
                assert.equal(C.NGX_OK, C.ql_loop_init(loop))
                assert.equal(case[2], loop.nevents)
            end
            assert.equal(ep, loop.ep)
        end))

    it("keeps the old list when there is no memory for a new one",
        forked(function()
            local loop = helper.loop({ epoll_events = 4 },
                inject.ql_inject_new(nil))
            C.ql_loop_init(loop)
            C.ql_loop_conf(loop).epoll.events = 100
            inject.ql_inject_fail("realloc", -1, 1, 1, errno.ENOMEM)
            assert.equal(C.NGX_ERROR, C.ql_loop_init(loop))
            assert.equal(errno.ENOMEM, ffi.errno())
            assert.equal(4, loop.nevents)
            assert.equal(C.NGX_OK, C.ql_loop_init(loop))
            assert.equal(100, loop.nevents)
        end))

    it("takes more events than the list has, batch by batch",
        forked(function()
            local loop = helper.loop({ epoll_events = 2 })
            local opened, seen = {}, {}
            for i = 1, 7 do
                local c, b = ends.watched(loop, function(rev)
                    ends.drain(opened[i].fd)
                    rev.ready = 0
                    seen[i] = (seen[i] or 0) + 1
                end)
                opened[i] = c
                ends.write(b, "x")
                ends.close(b)
            end
            helper.run_until(loop, function() return #seen == 7 end)
            for i = 1, 7 do
                C.ql_close_connection(opened[i])
            end
        end))
end)

describe("a failed ql_epoll_init", function()
    -- The system calls of an init in their order; nth: which one of them.
    local steps = {
        { "realloc", 1, "ENOMEM" }, { "mmap", 1, "ENOMEM" },
        { "madvise", 1, "EINVAL" }, { "epoll_create1", 1, "EMFILE" },
        { "eventfd", 1, "EMFILE" }, { "realloc", 2, "ENOMEM" },
        { "memalign", 1, "ENOMEM" }, { "epoll_ctl", 1, "ENOSPC" },
        { "sigaction", 1, "EINVAL" }, { "timer_create", 1, "EAGAIN" },
        { "timer_settime", 1, "EINVAL" },
    }

    local function disposition()
        local sa = ffi.new("struct sigaction[1]")
        C.ql_sys_default.sigaction(14, nil, sa)
        return sa[0].handler
    end

    for _, step in ipairs(steps) do
        local name, nth, err = unpack(step)
        it(("at %s %d releases everything"):format(name, nth),
            forked(function()
                local before = native.descriptors()
                local loop = helper.loop({ timer_resolution = 10 },
                    inject.ql_inject_new(nil))
                inject.ql_inject_fail(name, -1, nth, nth, errno[err])
                assert.equal(C.NGX_ERROR, C.ql_loop_init(loop))
                assert.equal(errno[err], ffi.errno())
                assert.is_nil(native.descriptors_changed(before,
                    native.descriptors()))
                assert.equal(-1, C.ql_loop_fd(loop))
                assert.is_true(disposition() == nil)
                assert.equal(1, #helper.log()) -- said once
                assert.equal(C.NGX_OK, C.ql_loop_init(loop))
                ends.turn(loop)
                helper.finish(loop)
                assert.equal(calls("timer_create"),
                    calls("timer_delete")
                        + (name == "timer_create" and 1 or 0))
                assert.equal(calls("mmap"), calls("munmap")
                    + (name == "mmap" and 1 or 0))
                assert.is_true(disposition() == nil)
            end))
    end

    it("keeps the connections that were in the set of a parent",
        forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            local got = 0
            local c, b = ends.watched(loop, function(rev)
                got = got + 1
                rev.ready = 0
            end)
            loop.owner[0] = 0 -- as fork leaves it
            inject.ql_inject_fail("eventfd", -1, 1, 1, errno.EMFILE)
            assert.equal(C.NGX_ERROR, C.ql_loop_init(loop))
            ends.write(b, "x")
            helper.run_until(loop, function() return got == 1 end)
            C.ql_close_connection(c)
            ends.close(b)
        end))
end)

describe("a set built anew", function()
    -- A loop with a connection whose handler counts, and its other end.
    local function loop_with_one()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local got = { n = 0 }
        local c, b = ends.watched(loop, function(rev)
            got.n = got.n + 1
            rev.ready = 0
        end, nil)
        ends.turn(loop)
        return loop, c, b, got
    end

    it("has the connections of the old one", forked(function()
        local loop, c, b, got = loop_with_one()
        assert.equal(C.NGX_OK, C.ql__epoll_rebuild(loop))
        assert.equal(1, tonumber(helper.stats(loop).rebuilds))
        ends.write(b, "x")
        helper.run_until(loop, function() return got.n == 1 end)
        assert.equal(C.NGX_OK, C.ql_notify(loop))
        ends.turn(loop)
        C.ql_close_connection(c)
        ends.close(b)
    end))

    it("is not there when there is no descriptor for it: the old one stays",
        forked(function()
            local loop, c, b, got = loop_with_one()
            local ep = loop.ep
            inject.ql_inject_fail("epoll_create1", -1, 1, 1, errno.EMFILE)
            assert.equal(C.NGX_ERROR, C.ql__epoll_rebuild(loop))
            assert.equal(ep, loop.ep)
            ends.write(b, "x")
            helper.run_until(loop, function() return got.n == 1 end)
            C.ql_close_connection(c)
            ends.close(b)
        end))

    it("wakes the owner of what it cannot take in", forked(function()
        local loop, c, b, got = loop_with_one()
        inject.ql_inject_fail("epoll_ctl", c.fd, 1, 1, errno.ENOMEM)
        assert.equal(C.NGX_OK, C.ql__epoll_rebuild(loop))
        assert.same({ 0, 1, 1 },
            { c.read.active, c.read.ready, c.write.ready })
        ends.turn(loop)
        assert.equal(1, got.n)
        assert.equal(C.NGX_OK, C.ql_handle_read_event(c.read, 0))
        ends.write(b, "x")
        helper.run_until(loop, function() return got.n == 2 end)
        C.ql_close_connection(c)
        ends.close(b)
    end))

    it("has each connection as it was", forked(function()
        local sys, recorded = ends.recorder()
        local loop = helper.loop({}, sys)
        C.ql_loop_init(loop)
        local peers, all, expected = {}, {}, {}
        local cases = {
            { "read", C.QL_READ_EVENT, 0, ends.IN + ends.RDHUP },
            { "write", C.QL_WRITE_EVENT, helper.CLEAR_EVENT,
                ends.OUT + ends.ET },
            { "read", C.QL_READ_EVENT, C.QL_EXCLUSIVE_EVENT,
                ends.IN + ends.EXCLUSIVE },
            { "read", C.QL_READ_EVENT, C.QL_ONESHOT_EVENT,
                ends.IN + ends.RDHUP + ends.ONESHOT },
        }
        for i, case in ipairs(cases) do
            local a
            a, peers[i] = ends.pair()
            all[i] = ends.connection(loop, a)
            loop.actions.add(loop, all[i][case[1]], case[2], case[3])
            expected[a] = { ends.ADD, a, case[4] }
        end
        local first = #recorded
        assert.equal(C.NGX_OK, C.ql__epoll_rebuild(loop))
        assert.equal(first + #cases + 1, #recorded) -- the eventfd's, too
        for i = first + 1, #recorded do
            local fd = recorded[i][2]
            if fd ~= loop.notify.eventfd then
                assert.same(expected[fd], recorded[i])
            end
        end
        for i, c in ipairs(all) do
            C.ql_close_connection(c)
            ends.close(peers[i])
        end
        helper.finish(loop)
    end))
end)
