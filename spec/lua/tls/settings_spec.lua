local certs = require "spec.support.certs"
local helper = require "spec.helper"
local quoll = require "quoll"

local settings = require "quoll.tls.settings"

describe("lua/tls/settings", function()
    helper.gates()

    local function read(opts)
        local made
        quoll.run(function()
            made = settings.read(settings.check(opts, "test"), "test")
        end)
        return made
    end

    it("verifies, with the system's store, unless told otherwise", function()
        local made = read {}
        assert.is_true(made.verify)
        assert.truthy(made.ca:find("BEGIN CERTIFICATE", 1, true))
        made = read { verify = false }
        assert.is_false(made.verify)
        assert.is_nil(made.ca)
    end)

    it("reads what is no PEM text, and leaves what is", function()
        local server = certs.issue "server"
        local text = certs.read(server.key)
        local made = read { server = true, cert = server.cert, key = text }
        assert.equal(certs.read(server.cert), made.cert)
        assert.equal(text, made.key)
        assert.is_false(made.verify)
    end)

    it("writes protocols as they are sent", function()
        assert.equal("\2h2\8http/1.1", read { verify = false,
            alpn = { "h2", "http/1.1" } }.alpn)
    end)

    it("knows which options go with which side", function()
        for opts, expected in pairs {
            [{ names = {} }] = "no option 'names'",
            [{ server = true, verify = true }] = "no option 'verify'",
            [{ server = true, cert = "x", verify_client = "yes" }] =
                "'optional' or 'require' expected",
            [{ server = true, cert = "x", verify_client = "require" }] =
                "verify_client needs 'ca'",
            [{ server = true, cert = "x", ticket_key = "short" }] =
                "80 bytes expected, got 5",
            [{ server = true, names = 1 }] = "a table or a function expected",
            [{ alpn = { "" } }] = "names of 1 to 255 bytes expected",
            [{ keylog = true }] = "a path or a function expected",
        } do
            local ok, err = pcall(settings.check, opts, "test")
            assert.is_false(ok)
            assert.truthy(err:find(expected, 1, true), err)
        end
    end)
end)
