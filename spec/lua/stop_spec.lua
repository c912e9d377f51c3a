local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local PATIENCE = pair.PATIENCE

local function results(...)
    return { n = select("#", ...), ... }
end

-- An echo of lines that keeps its connections: its listener and task.
local function server(handler, opts)
    local listener = assert(quoll.listen("127.0.0.1:0"))
    return listener, quoll.spawn(function()
        return results(listener:serve(handler, opts))
    end)
end

local function connect(listener)
    local conn = assert(quoll.connect(listener:address(),
        { timeout = PATIENCE }))
    conn:settimeout(PATIENCE)
    return conn
end

describe("quoll.stop", function()
    helper.gates()

    it("closes listeners and lets the handlers end", function()
        quoll.run(function()
            local go = quoll.sync.event()
            local listener, serving = server(function(conn)
                conn:send("working\n")
                go:wait(PATIENCE)
                conn:send("done\n")
            end)
            local conn, address = connect(listener), listener:address()
            assert.equal("working", conn:receive())
            quoll.stop(PATIENCE)
            assert.equal("ECONNREFUSED", select(3, quoll.connect(address)))
            go:set()
            assert.equal("done", conn:receive())
            assert.same(results(), serving:wait(PATIENCE))
        end)
    end)

    it("serves what has come before it", function()
        quoll.run(function()
            local listener, serving = server(function(conn)
                conn:send("served")
            end, { max = 1 })
            local conns = {}
            for i = 1, 20 do
                conns[i] = connect(listener)
            end
            quoll.stop(PATIENCE)
            for i = 1, 20 do
                assert.equal("served", conns[i]:receive("*a"))
            end
            serving:wait(PATIENCE)
        end)
    end)

    it("ends connections that idle, and answers what has come", function()
        quoll.run(function()
            local listener, serving = server(function(conn)
                while conn:idle() do
                    conn:send(conn:receive() .. "\n")
                end
            end)
            local idle, busy = connect(listener), connect(listener)
            for _, conn in ipairs { idle, busy } do
                conn:send("1\n")
                assert.equal("1", conn:receive())
            end
            busy:send("2\n")
            quoll.stop(PATIENCE)
            assert.equal("", idle:receive("*a"))
            assert.equal("2\n", busy:receive("*a"))
            serving:wait(PATIENCE)
        end)
    end)

    it("ends periodic timers, and not those to come", function()
        local order = {}
        quoll.run(function()
            quoll.timer.every(60, error, "not reached")
            quoll.timer.after(0.01, table.insert, order, "after")
            quoll.stop(PATIENCE)
        end)
        assert.same({ "after" }, order)
    end)

    it("is over when tasks are run anew", function()
        quoll.run(quoll.stop)
        assert.is_true(quoll.stopping())
        assert.is_false(quoll.run(quoll.stopping))
        assert.is_false(quoll.run(quoll.stopping, 0.01))
    end)

    it("ends an accept", function()
        quoll.run(function()
            local listener = quoll.listen("127.0.0.1:0")
            local accepting = quoll.spawn(function()
                return results(listener:accept(PATIENCE))
            end)
            quoll.yield()
            quoll.stop()
            assert.same(results(nil, "closed", "CLOSED"), accepting:wait())
        end)
    end)

    it("refuses what is no time", function()
        pair.raises(function() quoll.stop(-1) end,
            "stop_spec.lua:%d+: bad argument 'grace' to 'stop'")
        pair.raises(function() quoll.stopping("x") end,
            "stop_spec.lua:%d+: bad argument 's' to 'stopping'")
    end)

    it("goes on when a hook fails", function()
        local result = helper.script [[
            local quoll, stop = require "quoll", require "quoll.stop"
            stop.hook(function() error "broken" end)
            stop.hook(function() print "called" end)
            quoll.run(function()
                quoll.stop(60)
                quoll.stop(60)
                print(quoll.stopping(60))
            end)
        ]]
        assert.equal("called\ntrue\n", result.out)
        assert.matches("stop: .*broken", result.err)
    end)

    it("ends a serve of the main chunk, which goes on", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.timer.after(0.01, quoll.stop, 60)
            print(quoll.serve("127.0.0.1:0", print))
            quoll.sleep(0.01)
            print "after"
        ]]
        assert.same({ "nil\nafter\n", "", 0 },
            { result.out, result.err, result.code })
    end)
end)
