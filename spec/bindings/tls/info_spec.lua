local certs = require "spec.support.certs"
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local tls = require "spec.support.tls_pair"

-- Every allocation of Lua memory in tlsinfo fails once; what of OpenSSL's is
-- not let go then is found by test-asan.
local WITHOUT_MEMORY = [[
    local certs = require "spec.support.certs"
    local quoll = require "quoll"
    local tls = require "spec.support.tls_pair"
    jit.off()
    local points, n = 0, 0
    quoll.run(function()
        local one = certs.issue("shown", { san = "DNS:a.example,IP:10.0.0.1" })
        local client = tls.connect(tls.client { server_name = "a.example" },
            tls.server { cert = one.cert, key = one.key })
        repeat
            n = n + 1
            collectgarbage()
            fail_allocation(n)
            local ok, info = pcall(client.tlsinfo, client)
            local left = fail_allocation(0)
            if not ok then
                assert(tostring(info):find "not enough memory", info)
                points = points + 1
            end
        until left > 0
    end)
    print(points > 10)
]]

describe("bindings/tls/info", function()
    helper.gates()

    it("lets OpenSSL's objects go when Lua has no memory", function()
        local result = helper.script(WITHOUT_MEMORY, {}, {
            lua = helper.build .. "/bin/quoll-host", timeout = 60 })
        assert.same({ "true\n", 0 }, { result.out, result.code }, result.err)
    end)

    it("shows the handshake and the peer's certificate", function()
        quoll.run(function()
            local one = certs.issue("shown", { san = "DNS:a.example,"
                .. "IP:10.0.0.1,IP:fe80::1,email:x@a.example,"
                .. "URI:https://a.example/" })
            local client, server = tls.connect(tls.client {
                server_name = "a.example" }, tls.server { cert = one.cert,
                key = one.key })
            local info = client:tlsinfo()
            assert.equal("TLSv1.3", info.version)
            assert.equal("TLS_AES_256_GCM_SHA384", info.cipher)
            assert.equal("a.example", info.server_name)
            assert.is_true(info.verified)
            assert.equal("CN=shown", info.peer.subject)
            assert.equal("CN=ca", info.peer.issuer)
            assert.same({ "DNS:a.example", "IP:10.0.0.1", "IP:fe80::1",
                "email:x@a.example", "URI:https://a.example/" },
                info.peer.sans)
            local now = quoll.time()
            assert.truthy(info.peer.not_before <= now + 1
                and now + 29 * 86400 < info.peer.not_after)
            certs.run "openssl x509 -in shown.pem -noout -fingerprint -sha256"
            local printed = certs.read(certs.folder() .. "/log")
            assert.equal(printed:match("=(%S+)"):gsub(":", ""):lower(),
                info.peer.fingerprint)
            info = server:tlsinfo()
            assert.equal("a.example", info.server_name)
            assert.is_false(info.verified)
            assert.is_nil(info.peer)
        end)
    end)

    it("says that there is no TLS, or no connection", function()
        quoll.run(function()
            local client = pair.connect()
            for _, method in ipairs { "tlsinfo", "tlssession" } do
                assert.same({ nil, "protocol not available", "ENOPROTOOPT" },
                    { client[method](client) })
            end
            client:close()
            assert.same({ nil, "closed", "CLOSED" }, { client:tlsinfo() })
        end)
    end)

    it("has no session before there is one", tls.with(function(client)
        assert.same({ nil, "no data available", "ENODATA" },
            { client:tlssession() })
    end))
end)
