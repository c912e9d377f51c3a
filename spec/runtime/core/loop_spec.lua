local helper = require "spec.helper"
local ends = require "spec.support.ends"
local grandchild = require "spec.support.grandchild"
local native = require "spec.support.native"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local errno = helper.errno

local function calls(name)
    return tonumber(inject.ql_inject_calls(name))
end

local function turn(loop, max_wait)
    return C.ql_process_events_and_timers(loop, max_wait or 0)
end

describe("ql_loop_create", function()
    it("makes no kernel object", forked(function()
        local before = native.descriptors()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        assert.is_nil(native.descriptors_changed(before,
            native.descriptors()))
        assert.equal(-1, C.ql_loop_fd(loop))
        for _, name in ipairs { "epoll_create1", "eventfd", "io_setup",
            "mmap", "timer_create", "thread_create", "sigaction", "open" } do
            assert.equal(0, calls(name))
        end
    end))

    it("needs no settings and no table", forked(function()
        local loop = C.ql_loop_create(nil, nil)
        assert.equal(512, C.ql_loop_conf(loop).epoll.events)
        assert.equal(C.NGX_OK, turn(loop))
        C.ql_loop_destroy(loop)
    end))

    it("fails without memory", forked(function()
        local sys = inject.ql_inject_new(nil)
        inject.ql_inject_fail("malloc", -1, 1, 1, errno.ENOMEM)
        assert.is_true(C.ql_loop_create(nil, sys) == nil)
        assert.equal(errno.ENOMEM, ffi.errno())
    end))

    it("keeps a pointer for the bindings", forked(function()
        local loop = helper.loop()
        local data = ffi.new("int[1]")
        assert.is_true(C.ql_loop_data(loop) == nil)
        C.ql_loop_set_data(loop, data)
        assert.is_true(C.ql_loop_data(loop) == data)
    end))

    it("knows its process, also after a fork", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local function known()
            return C.ql_loop_pid(loop) == ffi.C.getpid()
        end
        assert.is_true(known())
        C.ql_loop_init(loop)
        local asked = calls "getpid"
        assert.is_true(known())
        assert.equal(asked, calls "getpid")
        grandchild(function()
            assert(known(), "before its first turn")
            assert(C.ql_loop_init(loop) == C.NGX_OK and known(), "after")
        end)
    end))
end)

describe("ql_loop_init", function()
    it("is idempotent", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        assert.equal(C.NGX_OK, C.ql_loop_init(loop))
        local fd, before = C.ql_loop_fd(loop), native.descriptors()
        assert.is_true(fd >= 0)
        for _ = 1, 3 do
            assert.equal(C.NGX_OK, C.ql_loop_init(loop))
            assert.equal(C.NGX_OK, turn(loop))
        end
        assert.equal(fd, C.ql_loop_fd(loop))
        assert.is_nil(native.descriptors_changed(before,
            native.descriptors()))
        assert.same({ 1, 1 }, { calls("epoll_create1"), calls("eventfd") })
    end))

    it("is called by the first turn", forked(function()
        local loop = helper.loop()
        assert.equal(C.NGX_OK, turn(loop))
        assert.is_true(C.ql_loop_fd(loop) >= 0)
    end))

    it("fails the turn that cannot make the set", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        inject.ql_inject_fail("epoll_create1", -1, 1, 1, errno.EMFILE)
        assert.equal(C.NGX_ERROR, turn(loop))
        assert.equal(errno.EMFILE, ffi.errno())
        assert.equal(0, tonumber(helper.stats(loop).turns))
        assert.equal(C.NGX_OK, turn(loop))
    end))
end)

describe("a turn", function()
    it("calls accept events, timers, posted events, in this order",
        forked(function()
            local loop = helper.loop()
            local order = {}
            local function event(name)
                return helper.event(loop, helper.handler(function()
                    order[#order + 1] = name
                end))
            end
            local accept, timer = event("accept"), event("timer")
            local posted, from_timer = event("posted"), event("from timer")
            accept.accept = 1
            timer.handler = helper.handler(function()
                order[#order + 1] = "timer"
                C.ql_post_event(loop, from_timer)
            end)
            C.ql_add_timer(loop, timer, 0)
            local due = helper.now() + 0.002
            while helper.now() < due do end
            C.ql_post_event(loop, posted)
            C.ql_post_event(loop, accept)
            assert.equal(C.NGX_OK, turn(loop))
            assert.same({ "accept", "timer", "posted", "from timer" }, order)
        end))

    it("waits no longer than it is told", forked(function()
        local loop = helper.loop()
        local ev = helper.event(loop, nil)
        C.ql_add_timer(loop, ev, 60000)
        local start = helper.now()
        assert.equal(C.NGX_OK, turn(loop, 20))
        local waited = helper.now() - start
        assert.is_true(waited >= 0.0195 and waited < 5)
        C.ql_del_timer(loop, ev)
    end))

    it("waits for the next timer", forked(function()
        local loop = helper.loop()
        local fired = false
        C.ql_add_timer(loop, helper.event(loop, helper.handler(function()
            fired = true
        end)), 30)
        local start = helper.now()
        helper.run_until(loop, function() return fired end)
        assert.is_true(helper.now() - start >= 0.03)
        assert.is_true(helper.stats(loop).turns <= 4)
    end))

    it("goes on after a signal", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        inject.ql_inject_fail("epoll_pwait2", -1, 1, 1, errno.EINTR)
        local called = false
        C.ql_post_event(loop, helper.event(loop, helper.handler(function()
            called = true
        end)))
        assert.equal(C.NGX_OK, turn(loop))
        assert.is_true(called)
    end))

    it("fails when epoll fails", forked(function()
        helper.expect_alerts(1)
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        inject.ql_inject_fail("epoll_pwait2", -1, 1, 1, errno.EBADF)
        assert.equal(C.NGX_ERROR, turn(loop))
        assert.equal(errno.EBADF, ffi.errno())
        assert.equal(C.NGX_OK, turn(loop))
    end))
end)

describe("ql_loop_run", function()
    it("turns until it is stopped", forked(function()
        local loop = helper.loop()
        local left = 3
        C.ql_add_timer(loop, helper.event(loop, helper.handler(function(ev)
            left = left - 1
            if left == 0 then
                C.ql_loop_stop(loop)
            else
                C.ql_add_timer(loop, ev, 1)
            end
        end)), 1)
        assert.equal(C.NGX_OK, C.ql_loop_run(loop))
        assert.equal(0, left)
    end))

    it("may run again", forked(function()
        local loop = helper.loop()
        local count = 0
        local ev = helper.event(loop, helper.handler(function()
            count = count + 1
            C.ql_loop_stop(loop)
        end))
        for i = 1, 3 do
            C.ql_post_event(loop, ev)
            assert.equal(C.NGX_OK, C.ql_loop_run(loop))
            assert.equal(i, count)
        end
    end))

    it("ends with the error of a turn", forked(function()
        helper.expect_alerts(1)
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        inject.ql_inject_fail("epoll_pwait2", -1, 1, 1, errno.EBADF)
        assert.equal(C.NGX_ERROR, C.ql_loop_run(loop))
    end))
end)

describe("ql_loop_destroy", function()
    it("takes NULL", forked(function()
        C.ql_loop_destroy(nil)
    end))

    it("releases what was made, with everything still in use",
        forked(function()
            local before = native.descriptors()
            local loop = C.ql_loop_create(helper.conf({
                timer_resolution = 10, level_triggered = 1,
            }), nil)
            C.ql_log_set_writer(loop, inject.ql_probe_writer, nil)
            local called = helper.handler(function() error("called") end)
            local a, b = ends.pair()
            local c = ends.connection(loop, a, called, called)
            assert.equal(C.NGX_OK, C.ql_handle_read_event(c.read, 0))
            C.ql_add_timer(loop, c.read, 1000)
            C.ql_add_timer(loop, helper.event(loop, called), 0)
            C.ql_post_event(loop, c.write)
            C.ql_post_next_event(loop, helper.event(loop, called))
            ends.close(b)
            C.ql_loop_destroy(loop)
            assert.is_nil(native.descriptors_changed(before,
                native.descriptors()))
        end))

    it("leaves a borrowed descriptor open and out of the set",
        forked(function()
            local sys, recorded = ends.recorder()
            local loop = C.ql_loop_create(nil, sys)
            local c, b = ends.watched(loop)
            local fd = c.fd
            c.borrowed = 1
            C.ql_loop_destroy(loop)
            assert.same({ ends.DEL, fd, 0 }, recorded[#recorded])
            ends.write(b, "x")
            assert.equal("x", ends.drain(fd))
            ends.close(fd)
            ends.close(b)
        end))
end)
