local helper = require "spec.helper"
local quoll = require "quoll"
local tls = require "spec.support.tls_pair"

describe("runtime/tls/error", function()
    helper.gates()

    it("has OpenSSL's words in lower case and their name", function()
        local _, theirs = tls.refused(tls.client { ciphers = "AES128-SHA256",
            max_version = "1.2" }, tls.server())
        assert.same({ nil, "no shared cipher", "NO_SHARED_CIPHER" }, theirs)
        local mine
        mine, theirs = tls.refused(tls.client { server_name = "a.b" })
        assert.same({ nil, "hostname mismatch", "HOSTNAME_MISMATCH" }, mine)
        assert.equal("SSLV3_ALERT_BAD_CERTIFICATE", theirs[3])
    end)

    it("says what the peer said of a certificate", function()
        local mine, theirs = tls.refused { server_name = "localhost",
            timeout = tls.PATIENCE }
        assert.same({ nil, "unable to get local issuer certificate",
            "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" }, mine)
        assert.same({ nil, "tlsv1 alert unknown ca",
            "TLSV1_ALERT_UNKNOWN_CA" }, theirs)
    end)

    it("leaves errors of the system as they are", function()
        assert.same({ nil, "connection refused", "ECONNREFUSED" },
            { quoll.connect("127.0.0.1:1", { tls = true }) })
    end)
end)
