-- Listeners whose socket other processes accept on: here two listeners, with a
-- descriptor each of one socket.
local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local ffi = helper.ffi

local PATIENCE = pair.PATIENCE
local raw = require("quoll.core").listener

-- fn(one, other, connect) runs as a task.
local function shared(fn)
    return function()
        quoll.run(function()
            local fd = sockets.listen "127.0.0.1:0"
            local copy = ffi.C.dup(fd)
            local one = assert(raw.listen(fd, { exclusive = true }))
            local other = assert(raw.listen(copy, { exclusive = true }))
            fn(one, other, function()
                local conn = assert(quoll.connect(one:address(),
                    { timeout = PATIENCE }))
                conn:settimeout(PATIENCE)
                return conn
            end)
            one:close()
            other:close()
        end)
    end
end

local function hello(conn)
    conn:send "hello\n"
end

describe("a listener that shares its socket", function()
    helper.gates()

    it("holds nothing that nobody waits for", shared(function(_, other, connect)
        local server = quoll.spawn(other.serve, other, hello)
        for _ = 1, 5 do
            assert.equal("hello", connect():receive())
        end
        other:close()
        server:wait(PATIENCE)
    end))

    it("leaves to others what `max` keeps out", shared(function(one, other,
                                                              connect)
        local done = quoll.sync.event()
        local busy = 0
        quoll.spawn(one.serve, one, function(conn)
            busy = busy + 1
            done:wait()
            hello(conn)
        end, { max = 2 })
        local conns = {}
        for i = 1, 2 do
            conns[i] = connect()
        end
        while busy < 2 do
            quoll.yield()
        end
        quoll.spawn(other.serve, other, hello)
        for _ = 1, 5 do
            assert.equal("hello", connect():receive())
        end
        done:set()
        for i = 1, 2 do
            assert.equal("hello", conns[i]:receive())
        end
    end))

    it("gives to accept(0) what has come", shared(function(one, _, connect)
        assert.is_nil((one:accept(0)))
        local client = connect()
        local server = assert(one:accept(0))
        client:send "x"
        server:settimeout(PATIENCE)
        assert.equal("x", server:receive(1))
        assert.is_nil((one:accept(0)))
    end))

    it("is taken from by every task that waits", shared(function(one, _,
                                                               connect)
        local tasks = {}
        for i = 1, 3 do
            tasks[i] = quoll.spawn(function()
                hello(assert(one:accept(PATIENCE)))
            end)
        end
        assert.is_nil((one:accept(0.001)))
        local conns = { connect(), connect(), connect() }
        for i = 1, 3 do
            assert.equal("hello", conns[i]:receive())
            tasks[i]:wait(PATIENCE)
        end
    end))

    it("can be selected", shared(function(one, _, connect)
        assert.is_nil((quoll.sync.select({ one = one }, 0)))
        local client
        quoll.spawn(function()
            client = connect()
        end)
        assert.equal("one", (quoll.sync.select({ one = one }, PATIENCE)))
        assert(one:accept(0))
        client:close()
    end))
end)
