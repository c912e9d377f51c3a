local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

describe("bindings/stream/connection", function()
    helper.gates()

    it("is closed by the collector when nobody holds it", function()
        quoll.run(function()
            local client, server = pair.connect()
            local before = quoll.stats().connections.live
            client:disown()
            client = nil -- luacheck: ignore
            collectgarbage()
            collectgarbage()
            assert.equal(before - 1, quoll.stats().connections.live)
            assert.equal("", server:receive("*a"))
        end)
    end)

    it("is kept while a task waits on it", pair.with(function(client, server)
        local reader = quoll.spawn(function(conn)
            return conn:receive(1)
        end, server)
        quoll.yield()
        server = nil -- luacheck: ignore
        collectgarbage()
        collectgarbage()
        client:send("x")
        assert.equal("x", reader:wait(pair.PATIENCE))
    end))

    it("asks for the names of a unix socket by the loop's table", function()
        local result = helper.script [[
            local inject = require "spec.support.scripted"
            local quoll = require "quoll"
            quoll.run(function()
                local listener = quoll.listen("unix:@quoll-connection-spec")
                local client = quoll.connect(listener:address())
                local reader = quoll.spawn(client.receive, client, 1)
                local function waits()
                    for _, task in ipairs(quoll.tasks()) do
                        if task.id == reader:id() then
                            return task.waits:match "^receive from (%S+)"
                        end
                    end
                end
                quoll.yield()
                print(waits())
                inject.ql_inject_fail("getpeername", client:getfd(), 1, 0, 107)
                print(waits())
                reader:cancel()
            end)
        ]]
        assert.equal(0, result.code, result.err)
        assert.equal("unix:@quoll-connection-spec\nunix:\n", result.out)
    end)

    it("refuses other handles as itself", pair.with(function(_, server)
        local listener = quoll.listen("127.0.0.1:0")
        for _, other in ipairs { listener, {}, io.stdout, 1 } do
            assert.error_matches(function()
                server.receive(other, 1)
            end, "connection expected")
            assert.error_matches(function()
                server.settimeout(other, 1)
            end, "connection expected")
        end
        listener:close()
    end))

    it("hands a result over only to who waited for it",
        pair.with(function(client, server)
            -- The first reader's budget is spent: its result waits for a turn
            -- in which another reader and a close come.
            client:send(("x"):rep(100))
            local function read()
                for _ = 1, 100 do
                    local got, err = server:receive(1)
                    if not got then
                        return err
                    end
                end
                return "all"
            end
            local first, second = quoll.spawn(read), quoll.spawn(read)
            local closer = quoll.spawn(function()
                server:close()
            end)
            closer:wait(pair.PATIENCE)
            assert.equal("closed", first:wait(pair.PATIENCE))
            assert.equal("busy reading", second:wait(pair.PATIENCE))
        end))

    it("lets others get on beside a peer that never stops", function()
        -- A descriptor that is no socket always has 16 KiB more, 512 times.
        local result = helper.script [[
            local inject = require "spec.support.scripted"
            local quoll = require "quoll"
            local ENOTSOCK, PIECE, PIECES = 88, 16384, 512
            local most, turns, before = 0, 0, 0
            quoll.run(function()
                local listener = quoll.listen("127.0.0.1:0")
                local client = quoll.connect(listener:address())
                local server = listener:accept()
                local fd = server:getfd()
                inject.ql_inject_fail("recv", fd, 1, 1, ENOTSOCK)
                inject.ql_inject_result("read", fd, 1, PIECES, PIECE)
                local reader = quoll.spawn(function()
                    return #server:receive("*a") == PIECES * PIECE
                end)
                while before < PIECES do
                    quoll.yield()
                    local calls = tonumber(inject.ql_inject_calls("read"))
                    most = math.max(most, calls - before)
                    before, turns = calls, turns + 1
                end
                client:close()
                print(reader:wait())
            end)
            print(most * PIECE <= 2 ^ 17, turns >= PIECES * PIECE / 2 ^ 17)
        ]]
        assert.equal("true\ntrue\ttrue\n", result.out, result.err)
    end)
end)
