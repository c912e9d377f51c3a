local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked, calls = helper.forked, sockets.calls
local listen, accepted = sockets.listener, sockets.accepted
local turns_within = sockets.turns_within

local function stat(loop, name)
    return tonumber(helper.stats(loop)[name])
end

local function echo(loop, c, fd)
    sockets.write(fd, "still there?")
    assert.equal("still there?", sockets.receive_all(loop, c, 12))
    assert.equal(3, sockets.send(loop, c, "yes"))
    assert.equal("yes", sockets.read_all(fd, 3))
end

local function close(c, fd)
    C.ql_close_connection(c)
    ffi.C.close(fd)
end

describe("descriptors that run out", function()
    -- accept_delay, long: what brings it back is not the timer.
    local function exhausted(delay)
        local loop = helper.loop({ accept_delay = delay },
            inject.ql_inject_new(nil))
        local ls = listen(loop)
        local c, fd = accepted(loop, ls)
        local waiting = { sockets.connect(ls.addr), sockets.connect(ls.addr) }
        sockets.limit_descriptors(sockets.next_descriptor())
        helper.run_until(loop, function() return ls.paused == 1 end)
        return loop, ls, c, fd, waiting
    end

    local function finish(ls, fds)
        sockets.limit_descriptors(1024)
        for _, fd in ipairs(fds) do
            ffi.C.close(fd)
        end
        C.ql_listening_close(ls)
    end

    it("pause the listener without a spin", forked(function()
        local loop, ls, c, fd, waiting = exhausted(60000)
        local before = calls("accept4")
        assert.is_true(turns_within(loop, 300) <= 5)
        assert.equal(before, calls("accept4"))
        assert.equal(1, stat(loop, "accept_pauses"))
        assert.equal(1, #helper.log())
        assert.equal(C.QL_LOG_WARN, helper.log()[1].level)
        assert.matches("Too many open files", helper.log()[1].text)
        close(c, fd)
        finish(ls, waiting)
        C.ql_del_timer(loop, loop.accept_retry)
    end))

    it("leave existing connections served", forked(function()
        local loop, ls, c, fd, waiting = exhausted(60000)
        echo(loop, c, fd)
        assert.equal(1, ls.paused)
        close(c, fd)
        finish(ls, waiting)
    end))

    it("are back when a connection closes", forked(function()
        local loop, ls, c, fd, waiting = exhausted(60000)
        C.ql_close_connection(c)
        helper.run_until(loop, function() return ls.queued == 1 end, 2)
        -- The other one has no descriptor: paused again.
        helper.run_until(loop, function() return ls.paused == 1 end, 2)
        ffi.C.close(fd)
        C.ql_close_connection(C.ql_accept(ls))
        helper.run_until(loop, function() return ls.queued == 1 end, 2)
        finish(ls, waiting)
        C.ql_del_timer(loop, loop.accept_retry)
    end))

    it("are asked for again by the timer", forked(function()
        local loop, ls, c, fd, waiting = exhausted(50)
        local pauses = stat(loop, "accept_pauses")
        helper.run_until(loop, function()
            return stat(loop, "accept_pauses") >= pauses + 2
        end)
        sockets.limit_descriptors(1024)
        helper.run_until(loop, function() return ls.queued == 2 end)
        close(c, fd)
        finish(ls, waiting)
    end))
end)

describe("worker_connections that run out", function()
    it("leave the client in the backlog and are back on close",
        forked(function()
            local loop = helper.loop({ worker_connections = 2,
                accept_delay = 60000 }, inject.ql_inject_new(nil))
            local ls = listen(loop)
            local c, fd = accepted(loop, ls)
            local waiting = sockets.connect(ls.addr)
            helper.run_until(loop, function() return ls.paused == 1 end)
            assert.is_true(turns_within(loop, 200) <= 5)
            assert.matches("worker_connections", helper.log()[1].text)
            sockets.write(waiting, "patience")
            C.ql_close_connection(c)
            helper.run_until(loop, function() return ls.queued == 1 end, 2)
            ffi.C.close(fd)
            c = C.ql_accept(ls)
            assert.equal("patience", sockets.receive_all(loop, c, 8))
            close(c, waiting)
            C.ql_listening_close(ls)
            C.ql_del_timer(loop, loop.accept_retry)
        end))
end)
