local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked, calls = helper.forked, sockets.calls
local listen, turns_within = sockets.listener, sockets.turns_within

local function clients(ls, n)
    local fds = {}
    for i = 1, n do
        fds[i] = sockets.connect(ls.addr)
    end
    return fds
end

local function finish(ls, fds)
    for _, fd in ipairs(fds) do
        ffi.C.close(fd)
    end
    C.ql_listening_close(ls)
end

local function queued(loop, ls, n)
    helper.run_until(loop, function() return ls.queued == n end)
end

local function take(ls)
    C.ql_close_connection(C.ql_accept(ls))
end

local function active(ls)
    return ls.connection.read.active
end

describe("ql_listening_want", function()
    it("of none leaves connections to others, without a spin",
        forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            local ls = listen(loop)
            C.ql_listening_want(ls, 0)
            local fds = clients(ls, 3)
            assert.is_true(turns_within(loop, 100) <= 3)
            assert.same({ 0, 0, 1, 0 }, { ls.queued, calls("accept4"),
                ls.idle, active(ls) })
            finish(ls, fds)
        end))

    it("takes as many as are wanted, and more when they are",
        forked(function()
            local loop = helper.loop()
            local ls = listen(loop)
            C.ql_listening_want(ls, 2)
            local fds = clients(ls, 4)
            queued(loop, ls, 2)
            assert.is_true(turns_within(loop, 50) <= 3)
            assert.same({ 2, 0 }, { ls.queued, active(ls) })
            take(ls)
            queued(loop, ls, 2)
            C.ql_listening_want(ls, 3)
            queued(loop, ls, 3)
            finish(ls, fds)
        end))

    it("costs nothing when it comes back within the turn", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local ls = listen(loop)
        C.ql_listening_want(ls, 1)
        local taken = 0
        ls.handler = ffi.cast(
            "void (*)(ql_listening_t *)", function(l)
                take(l)
                taken = taken + 1
            end)
        helper.run_until(loop, function() return active(ls) == 1 end)
        local fds, before = clients(ls, 5), calls("epoll_ctl")
        helper.run_until(loop, function() return taken == 5 end)
        assert.same({ 5, 0 }, { calls("accept4"),
            calls("epoll_ctl") - before })
        finish(ls, fds)
    end))

    it("does not bring back a listener that is paused", forked(function()
        local loop = helper.loop({ accept_delay = 60000 },
            inject.ql_inject_new(nil))
        local ls = listen(loop)
        inject.ql_inject_fail("accept4", -1, 1, 1, helper.errno.EMFILE)
        local fds = clients(ls, 1)
        helper.run_until(loop, function() return ls.paused == 1 end)
        for n = 0, 1 do
            C.ql_listening_want(ls, n)
            assert.is_true(turns_within(loop, 20) <= 3)
            assert.equal(0, active(ls))
        end
        C.ql__accept_resume(loop)
        queued(loop, ls, 1)
        finish(ls, fds)
    end))

    it("may be followed by the end at once", forked(function()
        local loop = helper.loop()
        local ls = listen(loop)
        C.ql_listening_want(ls, 0)
        C.ql_listening_close(ls)
        assert.equal(0, tonumber(helper.stats(loop).posted))
    end))
end)

describe("ql_accept_now", function()
    it("takes one that has come, wanted or not", forked(function()
        local loop = helper.loop()
        local ls = listen(loop)
        C.ql_listening_want(ls, 0)
        C.ql_accept_now(ls)
        assert.equal(0, ls.queued)
        local fds = clients(ls, 2)
        C.ql_accept_now(ls)
        assert.equal(1, ls.queued)
        finish(ls, fds)
    end))

    it("takes none where one is held up or gone", forked(function()
        local loop = helper.loop({ accept_delay = 60000 },
            inject.ql_inject_new(nil))
        local ls = listen(loop)
        local fds = clients(ls, 1)
        inject.ql_inject_fail("accept4", -1, 1, 1, helper.errno.ENFILE)
        C.ql_accept_now(ls)
        C.ql_accept_now(ls)
        assert.same({ 0, 1, 1 }, { ls.queued, ls.paused, calls("accept4") })
        C.ql_listening_stop(ls)
        C.ql_accept_now(ls)
        C.ql_del_timer(loop, loop.accept_retry)
        finish(ls, fds)
    end))
end)
