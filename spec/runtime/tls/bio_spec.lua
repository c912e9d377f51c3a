local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local tls = require "spec.support.tls_pair"

describe("runtime/tls/bio", function()
    helper.gates()

    it("waits for room, and loses nothing", tls.with(
        function(client, server)
            client:setoption("sndbuf", 4096)
            server:setoption("rcvbuf", 4096)
            local data = ("abcdefgh"):rep(4096)
            local sending = quoll.spawn(client.send, client, data)
            quoll.yield()
            assert.equal(data, server:receive(#data))
            assert.equal(#data, sending:wait(tls.PATIENCE))
        end))

    it("reads while a send waits", tls.with(function(client, server)
        local sending = quoll.spawn(client.send, client,
            ("x"):rep(16 * pair.MIB))
        for i = 1, 50 do
            server:send(("%04d"):format(i))
            assert.equal(("%04d"):format(i), client:receive(4))
        end
        server:close()
        client:close()
        assert.is_nil((sending:wait(tls.PATIENCE)))
    end))

    it("closes with a full socket, and at once", tls.with(
        function(client, server)
            client:settimeouts(0.01)
            local sent
            repeat
                sent = client:send(("x"):rep(65536))
            until not sent
            assert.is_true(client:close())
            local _, err = server:receive "*a"
            assert.truthy(err)
        end))
end)
