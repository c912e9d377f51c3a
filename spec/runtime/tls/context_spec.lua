local certs = require "spec.support.certs"
local helper = require "spec.helper"
local quoll = require "quoll"
local tls = require "spec.support.tls_pair"

describe("runtime/tls/context", function()
    helper.gates()

    it("selects a protocol in the server's order", function()
        quoll.run(function()
            local client, server = tls.connect(
                tls.client { alpn = { "http/1.1", "h2" } },
                tls.server { alpn = { "h2", "http/1.1" } })
            assert.equal("h2", client:tlsinfo().alpn)
            assert.equal("h2", server:tlsinfo().alpn)
            client = tls.connect(tls.client(),
                tls.server { alpn = { "h2" } })
            assert.is_nil(client:tlsinfo().alpn)
        end)
    end)

    it("refuses a client with whom it has none in common", function()
        local mine = tls.refused(tls.client { alpn = { "a" } },
            tls.server { alpn = { "b" } })
        assert.equal("TLSV1_ALERT_NO_APPLICATION_PROTOCOL", mine[3])
    end)

    it("staples an OCSP response for who asks", function()
        quoll.run(function()
            local server = tls.server { ocsp_response = "\48\3\10\1\6" }
            local client = tls.connect(tls.client { ocsp = true }, server)
            assert.equal("\48\3\10\1\6", client:tlsinfo().ocsp_response)
            client = tls.connect(tls.client(), server)
            assert.is_nil(client:tlsinfo().ocsp_response)
            client = tls.connect(tls.client { ocsp = true }, tls.server())
            assert.is_nil(client:tlsinfo().ocsp_response)
        end)
    end)

    it("staples that of the certificate that is shown", function()
        local one = certs.issue("a", { san = "DNS:a.example" })
        quoll.run(function()
            local client = tls.connect(tls.client { ocsp = true,
                server_name = "a.example" }, tls.server {
                ocsp_response = "of another", names = { ["a.example"] = {
                    cert = one.cert, key = one.key, ocsp_response = "a's" } } })
            assert.equal("a's", client:tlsinfo().ocsp_response)
        end)
    end)

    it("lives as long as its connections", function()
        quoll.run(function()
            local client, server = tls.connect()
            collectgarbage()
            collectgarbage()
            assert(client:send "x")
            assert.equal("x", server:receive(1))
        end)
    end)
end)
