local handshake = require "quoll.tls.handshake"
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local tls = require "spec.support.tls_pair"

describe("quoll.tls.handshake", function()
    helper.gates()

    it("refuses options before anything is opened", function()
        for expected, opts in pairs {
            ["no option 'verfy'"] = { verfy = false },
            ["needs 'server_name'"] = true,
            ["a table expected, got 1"] = 1,
        } do
            pair.raises(function() handshake.check(opts, "") end, expected)
        end
        handshake.check(true, "localhost")
        handshake.check({ verify = false }, "")
        handshake.check({ server_name = "localhost" }, "")
    end)

    it("closes a connection whose context cannot be made",
        pair.with(function(client, server)
            assert.same({ nil, "/nowhere: no such file or directory",
                "ENOENT" }, { handshake.start(client, { ca = "/nowhere" },
                "localhost") })
            assert.same({ nil, "closed", "", "CLOSED" }, { server:receive() })
        end))

    it("has its own time", pair.with(function(client)
        assert.same({ nil, "timeout", "TIMEOUT" }, { handshake.start(client,
            tls.client { timeout = 0.01 }, "localhost") })
        assert.equal("CLOSED", select(3, client:getfd()))
    end))
end)
