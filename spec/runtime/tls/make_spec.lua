local certs = require "spec.support.certs"
local helper = require "spec.helper"
local quoll = require "quoll"
local tls = require "spec.support.tls_pair"

describe("runtime/tls/make", function()
    helper.gates()

    local function refused(opts)
        local made, err, code = quoll.tls.context(opts)
        assert.is_nil(made)
        return { err, code }
    end

    it("names the text that is to blame, and why", function()
        local server, other = certs.issue "server", certs.issue "a"
        local nothing = "-----BEGIN NOTHING-----\nAAAA\n"
            .. "-----END NOTHING-----\n"
        assert.same({ "cert: no start line", "NO_START_LINE" },
            refused { cert = nothing })
        assert.same({ "key: key values mismatch", "KEY_VALUES_MISMATCH" },
            refused { cert = server.cert, key = other.key })
        assert.same({ "ca: no start line", "NO_START_LINE" },
            refused { ca = nothing })
        assert.same({ "crl: no start line", "NO_START_LINE" },
            refused { ca = server.cert, crl = nothing })
        assert.same({ "ciphers: no cipher match", "NO_CIPHER_MATCH" },
            refused { verify = false, ciphers = "NONSENSE" })
        assert.same("ENOENT", refused { cert = "/nowhere" }[2])
        assert.same("/nowhere: no such file or directory",
            refused { cert = "/nowhere" }[1])
    end)

    it("refuses a chain that is damaged", function()
        local text = certs.read(certs.issue("server").cert)
        local cut = text .. text:sub(1, #text / 2) .. "\n"
        assert.equal("cert: ", refused { cert = cut,
            key = certs.issue("server").key }[1]:sub(1, 6))
        assert.equal("ca: ", refused { ca = cut }[1]:sub(1, 4))
    end)

    it("refuses a damaged CRL behind a good one", function()
        local ca = certs.authority "damaged"
        certs.issue("gone", { issuer = "damaged" })
        local text = certs.read(certs.revoke("gone", "damaged"))
        assert(quoll.tls.context { ca = ca.cert, crl = text })
        assert.equal("crl: ", refused { ca = ca.cert,
            crl = text .. text:sub(1, #text / 2) .. "\n" }[1]:sub(1, 5))
    end)

    it("takes a key behind a password", function()
        local server = certs.issue "server"
        certs.run("openssl ec -in server.key -aes256 -passout pass:secret "
            .. "-out locked.key")
        local opts = { server = true, cert = server.cert,
            key = certs.folder() .. "/locked.key", password = "secret" }
        assert(quoll.tls.context(opts))
        opts.password = "wrong"
        assert.equal("key: ", refused(opts)[1]:sub(1, 5))
        opts.password = nil
        assert.equal("key: ", refused(opts)[1]:sub(1, 5))
    end)

    it("takes texts, files and a directory", function()
        local server = certs.issue "server"
        certs.authority "otherca"
        certs.run "mkdir -p trusted && cp ca.pem otherca.pem trusted"
        local _, theirs = tls.refused({ server_name = "localhost",
            ca = certs.folder() .. "/trusted" }, tls.server {
            cert = certs.read(server.cert), key = certs.read(server.key) })
        assert.is_true(theirs[1])
    end)

    it("is the same when the versions leave one", function()
        quoll.run(function()
            for _, version in ipairs { "1.2", "1.3" } do
                local client = tls.connect(tls.client(), tls.server {
                    max_version = version, min_version = version })
                assert.equal("TLSv" .. version, client:tlsinfo().version)
                client:close()
            end
        end)
        local mine, theirs = tls.refused(tls.client { max_version = "1.2" },
            tls.server { min_version = "1.3" })
        assert.equal("TLSV1_ALERT_PROTOCOL_VERSION", mine[3])
        assert.equal("UNSUPPORTED_PROTOCOL", theirs[3])
    end)
end)
