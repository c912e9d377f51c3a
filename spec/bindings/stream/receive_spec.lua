local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

describe("bindings/stream/receive", function()
    helper.gates()

    it("gives bytes that came before a reset, then the error",
        pair.with(function(client, server)
            pair.deliver(client, server, "abc")
            pair.reset(client)
            assert.equal("ab", server:receive(2))
            local got, err, partial, code = server:receive(2)
            assert.is_nil(got)
            assert.same({ "connection reset by peer", "c", "ECONNRESET" },
                { err, partial, code })
            -- Without the error in mind this would be the stream's good end.
            assert.same({ nil, "closed", "", "CLOSED" },
                { server:receive("*a") })
            assert.equal("closed", select(2, server:receive(1)))
        end))

    it("reads up to 64 KiB at once where much comes",
        pair.with(function(client, server)
            local expected = ("0123456789abcdef"):rep(32 * 1024)
            local writer = quoll.spawn(function()
                client:send(expected)
                client:close()
            end)
            local pieces, most = {}, 0
            for piece in server:chunks(100000) do
                pieces[#pieces + 1] = piece
                most = math.max(most, #piece)
            end
            assert.is_true(table.concat(pieces) == expected)
            assert.is_true(most <= 65536)
            assert.is_true(helper.injected or most > 16384)
            writer:wait(pair.PATIENCE)
        end))

    it("reads many messages that came at once",
        pair.with(function(client, server)
            local lines = {}
            for i = 1, 10000 do
                lines[i] = i .. "\n"
            end
            client:send(table.concat(lines))
            for i = 1, 10000 do
                assert.equal(tostring(i), server:receive())
            end
        end))

    it("changes what it asks for between cancelled reads",
        pair.with(function(client, server)
            pair.deliver(client, server, "one-two")
            for _, read in ipairs {
                function() server:receive("*l") end,
                server:receiveuntil("--"),
                function() server:receive(20) end,
                function() server:peek(20) end,
                function() server:receive("*a") end,
            } do
                local task = quoll.spawn(read)
                quoll.yield()
                task:cancel()
                task:wait(pair.PATIENCE)
            end
            client:send("--\n")
            assert.equal("one-two", server:receiveuntil("--")())
            assert.equal("", server:receive())
        end))
end)
