local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local run, settle = tasks.run, tasks.settle
local select = quoll.sync.select

-- fn(conn, peer), in a task.
local function connected(fn)
    run(function()
        local listener = quoll.listen "127.0.0.1:0"
        local peer = assert(quoll.connect(listener:address()))
        fn(assert(listener:accept(1)), peer)
    end)
end

describe("a select on a connection", function()
    helper.gates()

    it("ends when there are bytes, and leaves them", function()
        connected(function(conn, peer)
            local set = { conn = conn, never = quoll.sync.event() }
            assert.same({ nil, "timeout", "TIMEOUT" }, { select(set, 0) })
            assert.same({ nil, "timeout", "TIMEOUT" }, { select(set, 0.001) })
            local waiter = quoll.spawn(select, set)
            settle()
            peer:send "one\ntwo\n"
            assert.equal("conn", waiter:wait())
            assert.equal("one", conn:receive())
            -- In the buffer, unless a byte comes at a time.
            assert.equal("conn", select(set, helper.injected and 1 or 0))
            assert.equal("two", conn:receive())
            assert.same({ nil, "timeout", "TIMEOUT" }, { select(set, 0) })
            peer:send "three\n"
            assert.equal("conn", select(set))
            assert.equal("three", conn:receive())
        end)
    end)

    it("ends at the end of the stream", function()
        connected(function(conn, peer)
            local waiter = quoll.spawn(select, { conn })
            settle()
            peer:close()
            assert.equal(1, waiter:wait())
            assert.equal(1, select({ conn }, 0))
            assert.same({ nil, "closed", "", "CLOSED" }, { conn:receive() })
            assert.equal(1, select({ conn }, 0))
        end)
    end)

    it("ends when the connection is reset, which the read tells", function()
        connected(function(conn, peer)
            conn:send "never read"
            quoll.waitfd(peer:getfd(), "r", 1)
            peer:close()
            assert.equal(1, select { conn })
            assert.same({ nil, "connection reset by peer", "", "ECONNRESET" },
                { conn:receive() })
            assert.same({ nil, "closed", "", "CLOSED" }, { conn:receive() })
        end)
    end)

    it("ends when the connection is closed", function()
        connected(function(conn)
            local waiter = quoll.spawn(select, { conn })
            settle()
            conn:close()
            assert.equal(1, waiter:wait())
            assert.equal(1, select({ conn }, 0))
        end)
    end)

    it("is refused while another task reads", function()
        connected(function(conn, peer)
            local reader = quoll.spawn(function() return conn:receive() end)
            settle()
            assert.same({ nil, "busy reading", "BUSY" }, { select { conn } })
            peer:send "x\n"
            assert.equal("x", reader:wait())
            local waiter = quoll.spawn(select, { conn })
            settle()
            assert.same({ nil, "busy reading", "", "BUSY" },
                { conn:receive(1) })
            assert.same({ nil, "busy reading", "BUSY" }, { select { conn } })
            waiter:cancel()
            waiter:wait()
            peer:send "y\n"
            assert.equal("y", conn:receive())
        end)
    end)

    it("serves a connection and a channel in one task", function()
        connected(function(conn, peer)
            local out = quoll.sync.channel()
            local hub = quoll.spawn(function()
                local got = {}
                while #got < 20 do
                    if select { conn = conn, out = out } == "out" then
                        got[#got + 1] = out:receive(0)
                    else
                        got[#got + 1] = conn:receive()
                    end
                end
                return table.concat(got)
            end)
            for i = 1, 10 do
                if i % 2 == 0 then settle() end
                peer:send "n\n"
                out:send "c"
            end
            local _, n = hub:wait():gsub("n", "")
            assert.equal(10, n)
        end)
    end)
end)
