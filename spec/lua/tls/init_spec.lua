local certs = require "spec.support.certs"
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local tls = require "spec.support.tls_pair"

-- What a client says of a server's certificate.
local function refusal(cert, client)
    local mine = tls.refused(tls.client(client), tls.server {
        cert = cert.cert, key = cert.key })
    return mine[1] == nil and mine[3] or mine[1]
end

describe("lua/tls", function()
    helper.gates()

    it("accepts a good certificate, by name and by address", function()
        local good = certs.issue "server"
        assert.is_true(refusal(good))
        assert.is_true(refusal(good, { server_name = "127.0.0.1" }))
    end)

    it("refuses bad certificates of each kind", function()
        local day = os.date("!%y%m%d%H%M%SZ", os.time() - 86400)
        local tomorrow = os.date("!%y%m%d%H%M%SZ", os.time() + 86400)
        certs.issue("middle", { ca = true })
        for expected, cert in pairs {
            CERT_HAS_EXPIRED = certs.issue("old", { from = "200101000000Z",
                to = day }),
            CERT_NOT_YET_VALID = certs.issue("young", { from = tomorrow }),
            HOSTNAME_MISMATCH = certs.issue("other", {
                san = "DNS:other.example" }),
            DEPTH_ZERO_SELF_SIGNED_CERT = certs.selfsigned "self",
            UNABLE_TO_VERIFY_LEAF_SIGNATURE = certs.issue("stranger", {
                issuer = "otherca" }),
            UNABLE_TO_GET_ISSUER_CERT_LOCALLY = certs.issue("orphan", {
                issuer = "middle" }),
        } do
            local code = refusal(cert)
            if expected == "UNABLE_TO_VERIFY_LEAF_SIGNATURE" then
                expected = "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"
            end
            assert.equal(expected, code)
        end
        assert.equal("IP_ADDRESS_MISMATCH", refusal(certs.issue "server", {
            server_name = "127.0.0.2" }))
    end)

    it("accepts a chain that is sent whole", function()
        certs.issue("middle", { ca = true })
        local leaf = certs.issue("leaf", { issuer = "middle" })
        assert.is_true(refusal {
            cert = certs.read(leaf.cert) .. certs.read(certs.issue("middle",
                { ca = true }).cert), key = leaf.key })
    end)

    it("refuses what a CRL revokes", function()
        local ca = certs.authority "revoking"
        local bad = certs.issue("revoked", { issuer = "revoking" })
        local good = certs.issue("kept", { issuer = "revoking" })
        local crl = certs.revoke("revoked", "revoking")
        assert.is_true(refusal(bad, { ca = ca.cert }))
        assert.equal("CERT_REVOKED", refusal(bad, { ca = ca.cert, crl = crl }))
        assert.is_true(refusal(good, { ca = ca.cert, crl = crl }))
        assert.equal("UNABLE_TO_GET_CRL", refusal(certs.issue "server",
            { crl = crl }))
    end)

    it("refuses a weak key", function()
        local weak = certs.issue("weak", { key = "-newkey rsa:1024 -nodes" })
        assert.same({ nil, "cert: ee key too small", "EE_KEY_TOO_SMALL" },
            { quoll.tls.context { cert = weak.cert, key = weak.key } })
    end)

    it("verifies nothing only where it is told so", function()
        local self = certs.selfsigned "self"
        assert.is_true(refusal(self, { verify = false }))
    end)

    it("has certificates of clients", function()
        local server = tls.server { verify_client = "require",
            ca = certs.authority("ca").cert }
        local one = certs.issue("client", { san = "DNS:client" })
        local _, theirs = tls.refused(tls.client(), server)
        assert.equal("PEER_DID_NOT_RETURN_A_CERTIFICATE", theirs[3])
        local mine
        mine, theirs = tls.refused(tls.client { cert = one.cert,
            key = one.key }, server)
        assert.same({ true, true }, { mine[1], theirs[1] })
        local alien = certs.issue("alien", { issuer = "otherca" })
        theirs = select(2, tls.refused(tls.client { cert = alien.cert,
            key = alien.key }, server))
        assert.equal("UNABLE_TO_GET_ISSUER_CERT_LOCALLY", theirs[3])
        server.verify_client = "optional"
        theirs = select(2, tls.refused(tls.client(), server))
        assert.is_true(theirs[1])
    end)

    it("is an option of connect and serve", function()
        local info, said
        quoll.run(function()
            local listener = assert(quoll.listen "127.0.0.1:0")
            local server = tls.server { alpn = { "x", "y" } }
            local serving = quoll.spawn(listener.serve, listener,
                function(conn)
                    conn:send(conn:receive() .. "\n")
                end, { tls = server })
            local conn = assert(quoll.connect(listener:address(),
                { timeout = tls.PATIENCE, tls = { alpn = { "y", "x" },
                    ca = certs.authority("ca").cert } }))
            conn:settimeout(tls.PATIENCE)
            conn:send "hello\n"
            said = conn:receive()
            info = conn:tlsinfo()
            local plain = assert(quoll.connect(listener:address()))
            plain:send "hello\n"
            assert.is_nil(plain:receive())
            listener:close()
            serving:wait(tls.PATIENCE)
        end)
        assert.equal("hello", said)
        assert.equal("x", info.alpn)
        assert.is_true(info.verified)
    end)

    it("logs keys only where it is asked to", function()
        local lines
        quoll.run(function()
            tls.connect(tls.client { keylog = function(text)
                lines = text
            end })
        end)
        assert.truthy(lines:find("CLIENT_TRAFFIC_SECRET_0 %x+ %x+\n"), lines)
    end)

    it("tells misuse at the script's line", function()
        pair.raises(function() quoll.tls.context { foo = 1 } end,
            "tls/init_spec.lua:%d+: bad argument 'options' to 'context' %(no "
            .. "option 'foo'")
        pair.raises(function() quoll.tls.context { min_version = "1.1" } end,
            "'min_version' to 'context' %('1.2' or '1.3' expected")
        pair.raises(function() quoll.tls.context { server = true } end,
            "a server needs 'cert'")
        pair.raises(function() quoll.tls.context { key = "x" } end,
            "'key' without 'cert'")
    end)
end)
