local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, calls, recv = helper.forked, sockets.calls, sockets.recv

-- Counts of calls are not the kernel's under `make test-inject`.
local exact = helper.injected and pending or it

-- A loop whose calls are counted, our connection in its epoll set, their end.
local function watched(kind)
    local loop = helper.loop({}, inject.ql_inject_new(nil))
    local ours, theirs = sockets[kind or "tcp"]()
    local c = sockets.wrap(loop, ours)
    assert.equal(C.NGX_OK, C.ql_handle_read_event(c.read, 0))
    return loop, c, theirs
end

local function finish(c, ...)
    C.ql_close_connection(c)
    for _, fd in ipairs { ... } do
        ffi.C.close(fd)
    end
end

local function again(c, kind)
    local text, rc = recv(c, 4096, kind)
    assert.same({ nil, C.NGX_AGAIN }, { text, rc })
end

local function failed(c, err)
    local text, rc = recv(c)
    assert.same({ nil, C.NGX_ERROR, err }, { text, rc, c.err })
    assert.equal(err, ffi.errno())
end

describe("recv", function()
    exact("after a short read is AGAIN without a system call",
        forked(function()
            local loop, c, theirs = watched()
            sockets.write(theirs, "hello")
            sockets.await(loop, c.read)
            assert.equal("hello", recv(c))
            assert.equal(0, c.read.ready)
            again(c)
            again(c)
            assert.equal(1, calls("recv"))
            finish(c, theirs)
        end))

    exact("costs one call a message", forked(function()
        local loop, c, theirs = watched()
        for i = 1, 10 do
            sockets.write(theirs, "message" .. i)
            sockets.await(loop, c.read)
            assert.equal("message" .. i, recv(c))
            again(c)
        end
        assert.equal(10, calls("recv"))
        finish(c, theirs)
    end))

    exact("goes to the kernel while not in the epoll set", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local ours, theirs = sockets.pair()
        local c = sockets.wrap(loop, ours)
        again(c)
        sockets.write(theirs, "x")
        assert.equal("x", recv(c))
        again(c)
        assert.equal(3, calls("recv"))
        finish(c, theirs)
    end))

    exact("clears ready on EAGAIN", forked(function()
        local loop, c, theirs = watched()
        sockets.write(theirs, "abcd")
        sockets.await(loop, c.read)
        assert.equal("ab", recv(c, 2))
        assert.equal("cd", recv(c, 2))
        assert.equal(1, c.read.ready) -- full reads prove nothing
        again(c)
        assert.equal(0, c.read.ready)
        assert.equal(3, calls("recv"))
        finish(c, theirs)
    end))

    it("retries EINTR", forked(function()
        local loop, c, theirs = watched()
        inject.ql_inject_fail("recv", c.fd, 1, 3, errno.EINTR)
        sockets.write(theirs, "x")
        assert.equal("x", sockets.receive(loop, c))
        finish(c, theirs)
    end))

    it("works level-triggered too", forked(function()
        local loop = helper.loop({ level_triggered = 1 })
        local ours, theirs = sockets.tcp()
        local c = sockets.wrap(loop, ours)
        for i = 1, 5 do
            sockets.write(theirs, "m" .. i)
            assert.equal("m" .. i, sockets.receive_all(loop, c, 2))
        end
        ffi.C.close(theirs)
        assert.equal("", sockets.receive(loop, c))
        finish(c)
    end))

    it("gives the same bytes one at a time, EAGAIN before each",
        forked(function()
            local loop, c, theirs = watched()
            local parts = {}
            for i = 1, 400 do
                parts[i] = tostring(i)
            end
            local data = table.concat(parts, " ")
            sockets.write(theirs, data)
            ffi.C.shutdown(theirs, sockets.SHUT_WR)
            inject.ql_inject_one_byte(1)
            assert.equal(data, sockets.receive_all(loop, c, #data))
            assert.equal("", sockets.receive(loop, c))
            inject.ql_inject_one_byte(0)
            finish(c, theirs)
        end))

    it("does not wake for nothing", forked(function()
        local loop, c, theirs = watched()
        C.ql_process_events_and_timers(loop, 0)
        again(c)
        assert.is_true(sockets.turns_within(loop, 100) <= 3)
        finish(c, theirs)
    end))
end)

describe("the end of what is received", function()
    it("is there without another event", forked(function()
        local loop, c, theirs = watched()
        sockets.write(theirs, "last words")
        ffi.C.close(theirs)
        helper.run_until(loop, function()
            return c.read.pending_eof == 1
        end)
        assert.equal("last words", sockets.receive_all(loop, c, 10))
        assert.equal("", sockets.receive(loop, c))
        assert.equal(1, c.read.eof)
        finish(c)
    end))

    exact("is known after a short read, and remembered", forked(function()
        local loop, c, theirs = watched()
        sockets.write(theirs, "abc")
        ffi.C.close(theirs)
        helper.run_until(loop, function()
            return c.read.pending_eof == 1
        end)
        assert.equal("abc", recv(c))
        assert.equal(1, c.read.ready)
        for _ = 1, 3 do
            assert.equal("", recv(c))
        end
        assert.equal(2, calls("recv"))
        finish(c)
    end))

    it("of one direction leaves the other open", forked(function()
        local loop, c, theirs = watched()
        sockets.write(theirs, "request")
        ffi.C.shutdown(theirs, sockets.SHUT_WR)
        assert.equal("request", sockets.receive_all(loop, c, 7))
        assert.equal("", sockets.receive(loop, c))
        assert.equal(8, sockets.send(loop, c, "response"))
        assert.equal("response", sockets.read_all(theirs, 8))
        finish(c, theirs)
    end))
end)

describe("FIONREAD", function()
    exact("counts a long message down to the last byte", forked(function()
        local loop, c, theirs = watched("pair")
        sockets.write(theirs, ("x"):rep(10000))
        sockets.await(loop, c.read)
        local seen = {}
        for i, size in ipairs { 4096, 4096, 1808 } do
            assert.equal(size, #recv(c, size))
            seen[i] = c.read.available
        end
        assert.same({ 5904, 1808, 0 }, seen)
        again(c)
        assert.same({ 3, 1 }, { calls("recv"), calls("fionread") })
        finish(c, theirs)
    end))

    exact("is not asked for small reads", forked(function()
        local loop, c, theirs = watched()
        sockets.write(theirs, ("x"):rep(4095 * 2))
        sockets.await(loop, c.read)
        assert.equal(4095, #recv(c, 4095))
        assert.same({ -1, 0 }, { c.read.available, calls("fionread") })
        finish(c, theirs)
    end))

    exact("that has become too low makes it wait for the event",
        forked(function()
            local loop, c, theirs = watched("pair")
            sockets.write(theirs, ("x"):rep(4096 + 100))
            sockets.await(loop, c.read)
            assert.equal(4096, #recv(c, 4096))
            assert.equal(100, c.read.available)
            sockets.write(theirs, ("y"):rep(400))
            assert.equal(300, #recv(c, 300))
            assert.equal(0, c.read.ready)
            sockets.await(loop, c.read)
            assert.equal(("y"):rep(200), recv(c))
            finish(c, theirs)
        end))

    exact("that fails is done without", forked(function()
        local loop, c, theirs = watched("pair")
        inject.ql_inject_fail("fionread", -1, 1, 0, errno.EINVAL)
        sockets.write(theirs, ("x"):rep(8192))
        sockets.await(loop, c.read)
        assert.equal(4096, #recv(c, 4096))
        assert.same({ -1, 1 }, { c.read.available, c.read.ready })
        assert.equal(4096, #recv(c, 4096))
        again(c)
        finish(c, theirs)
    end))

    exact("loses no byte of a stream of any sizes", forked(function()
        local loop, c, theirs = watched("pair")
        math.randomseed(3)
        local sent, got = {}, {}
        for i = 1, 60 do
            sent[i] = (string.char(65 + i % 26)):rep(math.random(1, 9000))
            sockets.write(theirs, sent[i])
            for _ = 1, math.random(0, 3) do
                got[#got + 1] = recv(c, math.random(1, 8192)) or ""
            end
            sockets.await(loop, c.read)
            local text
            repeat
                text = recv(c, math.random(1, 8192))
                got[#got + 1] = text or ""
            until not text
        end
        sent, got = table.concat(sent), table.concat(got)
        got = got .. sockets.receive_all(loop, c, #sent - #got)
        assert.is_true(sent == got)
        finish(c, theirs)
    end))
end)

describe("a receive that fails", function()
    it("with a reset says so, and says it again", forked(function()
        local loop, c, theirs = watched()
        sockets.reset(theirs)
        local text, rc = sockets.receive(loop, c)
        assert.same({ nil, C.NGX_ERROR }, { text, rc })
        assert.same({ errno.ECONNRESET, 1 }, { c.err, c.read.error })
        failed(c, errno.ECONNRESET)
        finish(c)
    end))

    for _, name in ipairs { "ECONNRESET", "ETIMEDOUT", "ENOMEM" } do
        it("with " .. name .. " is no news to the log", forked(function()
            local loop, c, theirs = watched()
            sockets.write(theirs, "x")
            sockets.await(loop, c.read)
            inject.ql_inject_fail("recv", c.fd, 1, 1, errno[name])
            failed(c, errno[name])
            failed(c, errno[name])
            assert.equal(1, calls("recv"))
            assert.equal(0, #helper.log())
            finish(c, theirs)
        end))
    end
end)
