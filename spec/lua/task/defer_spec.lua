local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

describe("the clean-up of a task", function()
    helper.gates()

    it("says farewell on a connection that it opened before", function()
        local got
        tasks.run(function()
            local listener = assert(quoll.listen "127.0.0.1:0")
            local server = quoll.spawn(listener.serve, listener, function(conn)
                quoll.defer(conn.send, conn, "bye\n")
                quoll.sleep(10)
            end)
            local conn = assert(quoll.connect(listener:address()))
            quoll.sleep(0.005)
            server:cancel()
            got = conn:receive "*a"
            server:wait()
        end)
        assert.equal("bye\n", got)
    end)

    it("is shielded from the deadline that ended its task", function()
        local done
        tasks.run(function()
            local result = { quoll.deadline(0.002, function()
                quoll.spawn(function()
                    quoll.defer(function()
                        quoll.sleep(0.005)
                        done = true
                    end)
                    quoll.sleep(10)
                end):wait()
            end) }
            assert.same({ nil, "timeout", "DEADLINE" }, result)
        end)
        assert.is_true(done)
    end)
end)
