local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

describe("bindings/net/connect", function()
    helper.gates()

    it("times out and closes the socket", function()
        quoll.run(function()
            local before = quoll.stats().connections.live
            local conn, err = quoll.connect("127.0.0.1:1", { timeout = 0 })
            assert.is_nil(conn)
            assert.is_true(err == "timeout" or err == "connection refused")
            assert.equal(before, quoll.stats().connections.live)
        end)
    end)

    it("closes the socket when it is cancelled", function()
        quoll.run(function()
            local listener = quoll.listen("127.0.0.1:0")
            local before = quoll.stats().connections.live
            local task = quoll.spawn(function()
                quoll.connect(listener:address())
                quoll.sleep(60)
            end)
            quoll.yield()
            task:cancel()
            assert.equal("cancelled", select(2, task:wait(pair.PATIENCE)))
            local conn = listener:accept(pair.PATIENCE)
            if conn then
                conn:close()
            end
            assert.equal(before, quoll.stats().connections.live)
        end)
    end)

    it("takes localhost", function()
        quoll.run(function()
            local listener = quoll.listen("localhost:0")
            local port = listener:address():match(":(%d+)$")
            assert(quoll.connect("localhost:" .. port,
                { timeout = pair.PATIENCE })):close()
        end)
    end)

    it("refuses bad timeouts and options", function()
        pair.raises(function()
            quoll.connect("127.0.0.1:1", { timeout = -1 })
        end, "connect_spec.lua:%d+: bad argument 'timeout' to 'connect'")
        assert.error_matches(function()
            quoll.connect("127.0.0.1:1", { time = 1 })
        end, "no option 'time'; there are: bind, ")
        assert.error_matches(function()
            quoll.connect("127.0.0.1:1", 5)
        end, "bad argument 'options' to 'connect'")
        local _, err = quoll.connect("127.0.0.1\0:1")
        assert.matches("zero byte", err)
    end)
end)
