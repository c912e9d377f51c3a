local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

describe("bindings/net/listener", function()
    helper.gates()

    it("closes connections that nobody has taken", function()
        quoll.run(function()
            local listener = quoll.listen("127.0.0.1:0")
            local conns = {}
            for i = 1, 5 do
                conns[i] = quoll.connect(listener:address())
                conns[i]:settimeout(pair.PATIENCE)
            end
            listener:accept(pair.PATIENCE):close()
            listener:close()
            for i = 1, 5 do
                assert.is_nil((conns[i]:receive(1)))
            end
        end)
    end)

    it("takes more connections than its queue holds", function()
        quoll.run(function()
            local listener = quoll.listen("127.0.0.1:0")
            local COUNT = 300
            for _ = 1, COUNT do
                assert(quoll.connect(listener:address(),
                    { timeout = pair.PATIENCE }))
            end
            for _ = 1, COUNT do
                assert(listener:accept(pair.PATIENCE))
            end
            assert.equal("timeout", select(2, listener:accept(0)))
        end)
    end)

    it("may be closed by the task that it woke", function()
        quoll.run(function()
            local listener = quoll.listen("127.0.0.1:0")
            local others = {}
            for i = 1, 3 do
                others[i] = quoll.spawn(function()
                    local conn, err = listener:accept(pair.PATIENCE)
                    if conn then
                        listener:close()
                    end
                    return conn ~= nil or err
                end)
            end
            quoll.yield()
            local address = listener:address()
            local first = quoll.connect(address)
            local second = quoll.connect(address)
            assert.equal(true, others[1]:wait(pair.PATIENCE))
            assert.equal("closed", others[2]:wait(pair.PATIENCE))
            assert.equal("closed", others[3]:wait(pair.PATIENCE))
            first:close()
            if second then
                second:close()
            end
        end)
    end)

    it("does not turn in vain while those it woke are held back", function()
        quoll.run(function()
            local listener = quoll.listen("127.0.0.1:0")
            local tasks = {}
            for i = 1, 4 do
                tasks[i] = quoll.spawn(function()
                    return listener:accept(pair.PATIENCE) ~= nil
                end)
            end
            quoll.yield()
            local clients, turns = {}, math.huge
            finally(function()
                package.preload.drives, package.loaded.drives = nil, nil
            end)
            -- Only this task goes on: two others are promised a connection.
            package.preload.drives = function()
                for i = 1, 2 do
                    clients[i] = quoll.connect(listener:address())
                end
                quoll.sleep(0.01)
                local before = quoll.stats().loop.turns
                quoll.sleep(0.03)
                turns = quoll.stats().loop.turns - before
            end
            quoll.spawn(require, "drives"):wait(pair.PATIENCE)
            assert.is_true(turns <= 3, turns .. " turns of a loop that sleeps")
            for i = 1, 2 do
                assert.is_true(tasks[i]:wait(pair.PATIENCE))
                clients[i]:close()
            end
            listener:close()
            assert.is_false(tasks[3]:wait(pair.PATIENCE))
            assert.is_false(tasks[4]:wait(pair.PATIENCE))
        end)
    end)
end)
